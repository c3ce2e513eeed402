// Project quota on a real ext4, in a file mounted by way of a loop device: as root, and only where
// the kernel was built with loop devices and quota (tests/e2e/test_kernels.py brings one that was).
#include "allocrunner/disk_quota.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "allocrunner/disk_walk.h"
#include "base/unique_fd.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMega = 1U << 20U;
constexpr ProjectNumber kFirstNumber = 1U << 30U;  ///< of ours

/// A small file system that keeps books, for one test.
class BookedDisk {
  public:
    BookedDisk() {
        fs::create_directory(path());
        const std::string image = scratch_.path() + "/image";
        const std::string make = "truncate -s 64M " + image +
                                 " && mkfs.ext4 -q -O project,quota -E quotatype=prjquota " + image;
        const std::string mount = "mount -o loop,prjquota " + image + " " + path();
        const std::string said = scratch_.path() + "/said";
        const std::string all = "{ " + make + " && " + mount + "; } > " + said + " 2>&1";
        mounted_ = geteuid() == 0 && std::system(all.c_str()) == 0;
        if (mounted_)
            quota_.emplace(std::move(*DiskQuota::open(path())));
        else
            MESSAGE("not run: it needs root, mkfs.ext4, loop devices and a kernel with quota: "
                    << text_of(said));
    }
    bool ready() const { return mounted_; }
    std::string path() const { return scratch_.path() + "/disk"; }
    const DiskQuota& quota() const { return *quota_; }
    std::string folder(const std::string& name) const {
        fs::create_directories(path() + "/" + name);
        return path() + "/" + name;
    }

  private:
    ScratchDir scratch_;  // unmounts what is mounted in it
    bool mounted_ = false;
    std::optional<DiskQuota> quota_;
};

void write_file(const std::string& path, std::size_t bytes) {
    std::ofstream(path, std::ios::binary) << std::string(bytes, 'x');
}

DiskUse walked(const std::string& path) {
    auto walk = DiskWalk::begin(path);
    REQUIRE(walk.ok());
    while (!walk->advance(100, ~std::uint64_t{0}).done) continue;
    return walk->use();
}

ProjectNumber project_of(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    fsxattr about{};
    REQUIRE(::ioctl(fd.get(), FS_IOC_FSGETXATTR, &about) == 0);
    return about.fsx_projid;
}

void set_project(const std::string& path, ProjectNumber number) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    fsxattr about{};
    about.fsx_projid = number;
    REQUIRE(::ioctl(fd.get(), FS_IOC_FSSETXATTR, &about) == 0);
}

void set_immutable(const std::string& path, bool immutable) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    int flags = 0;
    REQUIRE(::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0);
    flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    REQUIRE(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0);
}

}  // namespace

TEST_CASE("books by project count what a walk counts: what was there, and what is made later") {
    const BookedDisk disk;
    if (!disk.ready()) return;
    const std::string alloc = disk.folder("alloc");
    fs::create_directories(alloc + "/task/local/deep");
    write_file(alloc + "/task/local/before", kMega);
    const auto number = disk.quota().enrol(alloc);
    REQUIRE(number.ok());
    const auto used = [&] { return *disk.quota().use(*number); };
    CHECK(used().bytes >= kMega);
    CHECK(used().bytes == walked(alloc).bytes);
    CHECK(used().inodes == walked(alloc).inodes);

    const std::uint64_t before = used().bytes;
    write_file(alloc + "/task/local/deep/later", kMega);
    CHECK(used().bytes == before + kMega);
    fs::create_hard_link(alloc + "/task/local/before", alloc + "/task/again");
    CHECK(used().bytes == before + kMega);
    std::ofstream(alloc + "/sparse") << "x";
    fs::resize_file(alloc + "/sparse", 1'000 * kMega);
    CHECK(used().bytes < before + kMega + 64 * 1024);
    CHECK(used().bytes == walked(alloc).bytes);
    CHECK(used().inodes == walked(alloc).inodes);
}

TEST_CASE("books by project know files that are deleted and still open, until they are closed") {
    const BookedDisk disk;
    if (!disk.ready()) return;
    const std::string alloc = disk.folder("alloc");
    const auto number = disk.quota().enrol(alloc);
    REQUIRE(number.ok());
    UniqueFd open_file(::open((alloc + "/log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const std::string bytes(kMega, 'x');
    REQUIRE(::write(open_file.get(), bytes.data(), bytes.size()) == ssize_t(kMega));
    fs::remove(alloc + "/log");
    CHECK(disk.quota().use(*number)->bytes >= kMega);
    CHECK(walked(alloc).bytes < kMega);
    open_file.reset();
    CHECK(eventually([&] { return disk.quota().use(*number)->bytes < kMega; }));
}

TEST_CASE("books by project are one for each directory, and given back with it") {
    const BookedDisk disk;
    if (!disk.ready()) return;
    const std::string one = disk.folder("one");
    const std::string other = disk.folder("other");
    const ProjectNumber first = *disk.quota().enrol(one);
    const ProjectNumber second = *disk.quota().enrol(other);
    CHECK(first != second);
    CHECK(first >= kFirstNumber);
    CHECK(*disk.quota().enrol(one) == first);                   // once more
    CHECK(*DiskQuota::open(disk.path())->enrol(one) == first);  // the next agent
    const std::uint64_t before = disk.quota().use(second)->bytes;
    write_file(one + "/file", kMega);
    CHECK(disk.quota().use(first)->bytes >= kMega);
    CHECK(disk.quota().use(second)->bytes == before);
    fs::remove_all(one);
    CHECK(eventually([&] { return disk.quota().use(first)->inodes == 0; }));
    CHECK(disk.quota().use(first)->bytes == 0);
}

TEST_CASE("books by project keep apart from an operator's, and follow what is taken over") {
    const BookedDisk disk;
    if (!disk.ready()) return;
    const std::string alloc = disk.folder("alloc");
    struct stat inode {};
    REQUIRE(::stat(alloc.c_str(), &inode) == 0);
    const auto wanted = static_cast<ProjectNumber>(inode.st_ino) + kFirstNumber;
    write_file(disk.path() + "/strange", kMega);
    set_project(disk.path() + "/strange", wanted);
    const ProjectNumber number = *disk.quota().enrol(alloc);
    CHECK(number == wanted + 1);
    CHECK(disk.quota().use(number)->bytes < kMega);
    CHECK(disk.quota().use(wanted)->bytes == kMega);

    // State moves by a rename before its new directory is enrolled, and is counted there alone.
    fs::create_directory(alloc + "/data");
    write_file(alloc + "/data/state", 2 * kMega);
    const std::string next = disk.folder("next");
    fs::rename(alloc + "/data", next + "/data");
    CHECK(disk.quota().use(number)->bytes >= 2 * kMega);
    const ProjectNumber later = *disk.quota().enrol(next);
    CHECK(disk.quota().use(number)->bytes < kMega);
    CHECK(disk.quota().use(later)->bytes >= 2 * kMega);
    CHECK(project_of(next + "/data/state") == later);
}

TEST_CASE("books by project: what cannot be taken in is named, and the next try does it all") {
    const BookedDisk disk;
    if (!disk.ready()) return;
    const std::string alloc = disk.folder("alloc");
    write_file(alloc + "/stone", kMega);
    set_immutable(alloc + "/stone", true);
    const auto refused = disk.quota().enrol(alloc);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Errc::io);
    CHECK(refused.error().detail.find("set the project of " + alloc + "/stone") !=
          std::string::npos);
    set_immutable(alloc + "/stone", false);
    const auto number = disk.quota().enrol(alloc);
    REQUIRE(number.ok());
    CHECK(disk.quota().use(*number)->bytes == walked(alloc).bytes);
}

TEST_CASE("where the file system keeps no books by project, the reason is said") {
    const auto quota = DiskQuota::open("/proc");
    REQUIRE(!quota.ok());
    CHECK(quota.error().code == Errc::unavailable);
    CHECK(quota.error().detail.find("prjquota") != std::string::npos);
}

}  // namespace gaggle::allocrunner
