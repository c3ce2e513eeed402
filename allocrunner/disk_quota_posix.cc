#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "allocrunner/disk_quota.h"

namespace gaggle::allocrunner {

namespace {

constexpr int kTriesMax = 64;  ///< numbers that are looked at for a free one
constexpr ProjectNumber kNumbers = 1U << 30U;
constexpr std::size_t kDepthMax = 256;  ///< what is deeper stays out of the books

Error io_error(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

/// Linux 5.14; it needs no path of a block device.
int quota_call(int fd, int command, ProjectNumber number, void* out) {
    constexpr long kQuotactlFd = 443;
    return static_cast<int>(
        ::syscall(kQuotactlFd, fd, QCMD(command, PRJQUOTA), static_cast<int>(number), out));
}

/// No books yet is nothing used.
Result<DiskUse> books_of(int fd, ProjectNumber number) {
    if_dqblk books{};
    if (quota_call(fd, Q_GETQUOTA, number, &books) == 0)
        return DiskUse{.bytes = books.dqb_curspace, .inodes = books.dqb_curinodes};
    if (errno == ENOENT) return DiskUse{};
    return io_error("read the books of project " + std::to_string(number));
}

/// Files and directories alone can be marked; the rest takes an inode and no more.
Result<void> mark(int fd, ProjectNumber number, const std::string& path) {
    fsxattr about{};
    if (::ioctl(fd, FS_IOC_FSGETXATTR, &about) != 0) return io_error("read the project of " + path);
    if (about.fsx_projid == number && (about.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0) return {};
    about.fsx_projid = number;
    struct stat kind {};
    if (::fstat(fd, &kind) == 0 && S_ISDIR(kind.st_mode)) about.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    if (::ioctl(fd, FS_IOC_FSSETXATTR, &about) != 0) return io_error("set the project of " + path);
    return {};
}

/// Each directory before what is in it, so that what is made meanwhile inherits. Never through a
/// link or a mount point.
Result<void> mark_below(UniqueFd fd, ProjectNumber number, dev_t device, const std::string& path,
                        std::size_t depth) {
    if (depth > kDepthMax) return {Errc::io, "take " + path + " into the books: it is too deep"};
    const int own = fd.release();
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(own), ::closedir);
    if (!folder) return io_error("read " + path);
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        const std::string at = path + "/" + name;
        struct stat about {};
        if (::fstatat(own, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone
        const bool markable = S_ISREG(about.st_mode) || S_ISDIR(about.st_mode);
        if (!markable || about.st_dev != device) continue;
        UniqueFd next(::openat(own, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!next && errno == ENOENT) continue;
        if (!next) return io_error("open " + at);
        TRY(mark(next.get(), number, at));
        if (S_ISDIR(about.st_mode)) TRY(mark_below(std::move(next), number, device, at, depth + 1));
    }
    return {};
}

}  // namespace

Result<DiskQuota> DiskQuota::open(const std::string& root) {
    UniqueFd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return io_error("open " + root);
    fsxattr about{};
    if_dqblk books{};
    const bool can = ::ioctl(fd.get(), FS_IOC_FSGETXATTR, &about) == 0 &&
                     (quota_call(fd.get(), Q_GETQUOTA, 0, &books) == 0 || errno == ENOENT);
    if (!can)
        return {Errc::unavailable, "the file system under " + root +
                                       " keeps no books by project (" + std::strerror(errno) +
                                       "); with the mount option prjquota it may"};
    return DiskQuota(std::move(fd));
}

Result<DiskQuota::Choice> DiskQuota::choose(int folder, const std::string& path) const {
    fsxattr about{};
    struct stat inode {};
    if (::ioctl(folder, FS_IOC_FSGETXATTR, &about) != 0 || ::fstat(folder, &inode) != 0)
        return io_error("read the project of " + path);
    const bool enrolled = about.fsx_projid >= kNumbers && about.fsx_projid < 2 * kNumbers &&
                          (about.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0;
    if (enrolled) return Choice{about.fsx_projid, true};
    for (int next = 0; next < kTriesMax; ++next) {
        const auto number =
            static_cast<ProjectNumber>((inode.st_ino + static_cast<unsigned>(next)) % kNumbers) +
            kNumbers;
        if (TRY(books_of(root_.get(), number)).inodes == 0) return Choice{number, false};
    }
    return {Errc::unavailable, "give " + path + " a project: the next " +
                                   std::to_string(kTriesMax) + " numbers are taken"};
}

Result<ProjectNumber> DiskQuota::enrol(const std::string& path) const {
    UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat about {};
    if (!folder || ::fstat(folder.get(), &about) != 0) return io_error("open " + path);
    const auto [number, enrolled] = TRY(choose(folder.get(), path));
    if (enrolled) return number;
    UniqueFd again(::dup(folder.get()));
    if (!again) return io_error("open " + path);
    TRY(mark_below(std::move(again), number, about.st_dev, path, 0));
    TRY(mark(folder.get(), number, path));  // last: it says that the rest is done
    return number;
}

Result<DiskUse> DiskQuota::use(ProjectNumber number) const { return books_of(root_.get(), number); }

}  // namespace gaggle::allocrunner
