// DiskWalk, open files and notification on real directories.
#include "allocrunner/disk_walk.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocrunner/disk_notice.h"
#include "allocrunner/disk_open_files.h"
#include "base/unique_fd.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kKilo = 1024;

DiskUse walked(const std::string& path) {
    auto walk = DiskWalk::begin(path);
    REQUIRE(walk.ok());
    while (!walk->advance(100, kAll).done) continue;
    return walk->use();
}

void write_file(const std::string& path, std::size_t bytes) {
    std::ofstream(path, std::ios::binary) << std::string(bytes, 'x');
}

std::uint64_t growth(const std::string& path, const std::function<void()>& what) {
    const std::uint64_t before = walked(path).bytes;
    what();
    return walked(path).bytes - before;
}

TEST_CASE("blocks count, not lengths: a sparse file is as large as what was written") {
    const ScratchDir dir;
    const std::uint64_t grew = growth(dir.path(), [&] {
        const UniqueFd fd(open((dir.path() + "/sparse").c_str(), O_CREAT | O_RDWR, 0600));
        REQUIRE(ftruncate(fd.get(), off_t{1} << 40U) == 0);
        REQUIRE(pwrite(fd.get(), "x", 1, off_t{1} << 39U) == 1);
    });
    CHECK(grew > 0);
    CHECK(grew <= 64 * kKilo);
}

TEST_CASE("a file with many names counts once, also when the names lie in different directories") {
    const ScratchDir dir;
    write_file(dir.path() + "/one", 1'000 * kKilo);
    fs::create_directory(dir.path() + "/d");
    const DiskUse before = walked(dir.path());
    for (int name = 0; name < 20; ++name)
        fs::create_hard_link(dir.path() + "/one", dir.path() + "/d/" + std::to_string(name));
    const DiskUse after = walked(dir.path());
    CHECK(after.bytes - before.bytes <= 8 * kKilo);
    CHECK(after.inodes == before.inodes);
}

TEST_CASE("every file costs its inode too, so a thousand empty ones are not nothing") {
    const ScratchDir dir;
    for (int name = 0; name < 1'000; ++name) write_file(dir.path() + "/" + std::to_string(name), 0);
    const DiskUse use = walked(dir.path());
    CHECK(use.inodes == 1'001);
    CHECK(use.charged() >= 1'001 * kInodeBytes);
}

TEST_CASE("links are not followed") {
    const ScratchDir outside;
    const ScratchDir dir;
    write_file(outside.path() + "/large", 4'000 * kKilo);
    fs::create_directory_symlink(outside.path(), dir.path() + "/link");
    fs::create_symlink(dir.path(), dir.path() + "/loop");
    CHECK(walked(dir.path()).bytes < 100 * kKilo);
}

TEST_CASE("what is mounted below does not count, whatever file system it is of") {
    const ScratchDir outside;
    const ScratchDir dir;
    write_file(outside.path() + "/large", 4'000 * kKilo);
    for (const char* name : {"/bind", "/tmpfs"}) fs::create_directory(dir.path() + name);
    const bool mounted = mount(outside.path().c_str(), (dir.path() + "/bind").c_str(), nullptr,
                               MS_BIND, nullptr) == 0 &&
                         mount("tmpfs", (dir.path() + "/tmpfs").c_str(), "tmpfs", 0, nullptr) == 0;
    if (mounted) {
        write_file(dir.path() + "/tmpfs/large", 4'000 * kKilo);
        CHECK(walked(dir.path()).bytes < 100 * kKilo);
    } else {
        MESSAGE("not root: nothing could be mounted");
    }
    umount((dir.path() + "/bind").c_str());
    umount((dir.path() + "/tmpfs").c_str());
}

TEST_CASE("a tree deeper than descriptors are open is counted whole, in slices of any size") {
    const ScratchDir dir;
    std::string path = dir.path();
    for (int level = 0; level < 150; ++level) {
        path += "/d";
        fs::create_directory(path);
        for (const char* name : {"/a", "/z"}) write_file(path + name, 4 * kKilo);
    }
    const DiskUse whole = walked(dir.path());
    CHECK(whole.inodes == 1 + 150 * 3);
    auto walk = DiskWalk::begin(dir.path());
    REQUIRE(walk.ok());
    int slices = 1;
    while (!walk->advance(1, kAll).done) ++slices;
    CHECK(walk->use() == whole);
    CHECK(slices >= 450);
    CHECK(walk->missed() == 0);
}

TEST_CASE("a directory renamed in the middle of the walk does not lead it astray") {
    const ScratchDir outside;
    const ScratchDir dir;
    std::string path = dir.path() + "/top";
    fs::create_directory(path);
    for (int level = 0; level < 80; ++level) {
        path += "/d";
        fs::create_directory(path);
    }
    for (int name = 0; name < 100; ++name) write_file(dir.path() + "/f" + std::to_string(name), 1);
    write_file(outside.path() + "/stranger", 4'000 * kKilo);
    auto walk = DiskWalk::begin(dir.path());
    REQUIRE(walk.ok());
    bool done = walk->advance(120, kAll).done;
    // The walk may be deep in it; above it is another directory now.
    fs::rename(dir.path() + "/top/d/d", outside.path() + "/moved");
    while (!done) done = walk->advance(10, kAll).done;
    CHECK(walk->use().bytes < 2'000 * kKilo);
    CHECK(walk->use().inodes <= 1 + 81 + 100);
    CHECK(walk->use().inodes >= 100);
}

TEST_CASE("a walk that found more than enough ends") {
    const ScratchDir dir;
    for (int name = 0; name < 500; ++name)
        write_file(dir.path() + "/" + std::to_string(name), 8 * kKilo);
    auto walk = DiskWalk::begin(dir.path());
    REQUIRE(walk.ok());
    const DiskWalk::Slice slice = walk->advance(10'000, 100 * kKilo);
    CHECK(slice.done);
    CHECK(slice.entries < 100);
    CHECK(walk->use().charged() > 100 * kKilo);
}

TEST_CASE("a directory that is gone, or a link in its place, is an error in words") {
    const ScratchDir dir;
    const auto missing = DiskWalk::begin(dir.path() + "/none");
    CHECK(missing.error().code == Errc::not_found);
    CHECK(missing.error().detail.find("/none") != std::string::npos);
    fs::create_directory_symlink("/etc", dir.path() + "/link");
    CHECK(!DiskWalk::begin(dir.path() + "/link").ok());
}

TEST_CASE("a deleted file that a process keeps open is found, and is gone once it is closed") {
    const ScratchDir root;
    const AllocId alloc = alloc_id(1);
    const std::string dir = root.path() + "/" + to_string(alloc);
    fs::create_directory(dir);
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();  // this process itself is not looked at
    if (child == 0) {
        const int fd = open((dir + "/hidden").c_str(), O_CREAT | O_RDWR, 0600);
        const std::string bytes(2'000 * kKilo, 'x');
        const bool written = write(fd, bytes.data(), bytes.size()) > 0;
        unlink((dir + "/hidden").c_str());
        const bool told = write(ready[1], written ? "y" : "n", 1) == 1;
        while (told) pause();
        _exit(1);
    }
    char answer = 0;
    REQUIRE(read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    CHECK(walked(dir).bytes < 100 * kKilo);
    const auto found = look_at_open_files(root.path(), {alloc});
    REQUIRE(found.found.contains(alloc));
    CHECK(found.found.at(alloc).nameless >= 2'000 * kKilo);
    CHECK(found.found.at(alloc).nameless < 2'100 * kKilo);
    CHECK(look_at_open_files(root.path(), {alloc_id(2)}).found.empty());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
    CHECK(look_at_open_files(root.path(), {alloc}).found.empty());
}

/// A process with mounts of its own, as in a container, and nothing in its environment.
class Contained {
  public:
    /// `from` is mounted at `to`, and `script` runs in /bin/sh until it says something.
    Contained(const std::string& from, const std::string& to, const std::string& script) {
        int said[2];
        REQUIRE(pipe(said) == 0);
        child_ = fork();
        if (child_ == 0) {
            dup2(said[1], 1);
            const bool apart = unshare(CLONE_NEWNS) == 0 &&
                               mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                               mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0;
            const std::string whole = script + "; echo said; exec sleep 1000";
            const char* const argv[] = {"sh", "-c", whole.c_str(), nullptr};
            const char* const nothing[] = {nullptr};
            if (apart)
                execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(nothing));
            _exit(1);
        }
        close(said[1]);
        char answer = 0;
        ready_ = read(said[0], &answer, 1) == 1;
        close(said[0]);
    }
    ~Contained() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    Contained(const Contained&) = delete;
    Contained& operator=(const Contained&) = delete;
    bool ready() const { return ready_; }

  private:
    pid_t child_ = -1;
    bool ready_ = false;
};

TEST_CASE("a deleted file in a container is found wherever its directory is mounted there") {
    if (!is_root()) return;
    const ScratchDir root;
    const AllocId alloc = alloc_id(1);
    const std::string task = root.path() + "/" + to_string(alloc) + "/main";
    fs::create_directories(task + "/deep");
    const std::string hide =
        "exec 3<> /mnt/deep/x; rm /mnt/deep/x; head -c 2048000 /dev/zero >&3";
    const Contained one(task, "/mnt", hide);
    const Contained stranger("/tmp", "/mnt", "exec 3<> /mnt/$$; rm /mnt/$$; echo x >&3");
    REQUIRE(one.ready());
    REQUIRE(stranger.ready());
    const auto found = look_at_open_files(root.path(), {alloc}).found;
    REQUIRE(found.contains(alloc));
    CHECK(found.at(alloc).nameless >= 2'000 * kKilo);
    CHECK(found.at(alloc).nameless < 2'100 * kKilo);
    CHECK(look_at_open_files(root.path(), {alloc_id(2)}).found.empty());
}

TEST_CASE("changes are told by allocation, and only theirs") {
    const ScratchDir root;
    const std::string first = root.path() + "/" + to_string(alloc_id(1));
    const std::string second = root.path() + "/" + to_string(alloc_id(2));
    fs::create_directories(first + "/t/local/deep");
    fs::create_directories(second + "/alloc");
    write_file(second + "/alloc/log", 1);
    auto notice = DiskNotice::open(root.path());
    if (!notice.ok()) {
        CHECK(getuid() != 0);
        CHECK(notice.error().detail.find(root.path()) != std::string::npos);
        return;
    }
    using Touched = std::set<AllocId>;
    CHECK(notice->take().touched.empty());
    write_file(first + "/t/local/deep/new", 10);
    CHECK(notice->take().touched == Touched{alloc_id(1)});
    CHECK(notice->take().touched.empty());
    std::ofstream(second + "/alloc/log", std::ios::app) << "more";
    fs::create_directory(first + "/t/local/deep/d");
    CHECK(notice->take().touched == Touched{alloc_id(1), alloc_id(2)});
    write_file(root.path() + "/stranger", 10);
    CHECK(notice->take().touched.empty());
    // State that was taken over by a rename is another's from then on.
    fs::rename(first + "/t", second + "/t");
    notice->forget_owners();
    notice->take();
    write_file(second + "/t/local/deep/new", 20);
    CHECK(notice->take().touched == Touched{alloc_id(2)});
}

}  // namespace
}  // namespace gaggle::allocrunner
