#include <dirent.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "allocrunner/disk_walk.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kOpenMax = 32;           ///< directories open at once
constexpr std::size_t kLevelsMax = 1U << 20U;  ///< what is deeper is missed
constexpr std::size_t kLinkedMax = 1U << 20U;  ///< inodes with many names, remembered
constexpr std::size_t kBufferBytes = 32U << 10U;
constexpr unsigned kWanted = STATX_TYPE | STATX_NLINK | STATX_INO | STATX_BLOCKS | STATX_MNT_ID;
constexpr int kOpenFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME;

/// O_NOATIME is for the owner and root only.
int open_folder(int at, const char* name) {
    const int fd = ::openat(at, name, kOpenFlags);
    return fd < 0 && errno == EPERM ? ::openat(at, name, kOpenFlags & ~O_NOATIME) : fd;
}

/// A directory on the way from the root to where the walk is. Where the path is long it is closed,
/// its buffer forgotten, and both are had again through "..".
struct Level {
    UniqueFd fd;
    std::uint64_t inode = 0;
    off_t read_on = 0;  ///< behind the last entry that was looked at
    std::vector<char> buffer;
    std::size_t at = 0;  ///< in the buffer

    void close() {
        fd.reset();
        std::vector<char>().swap(buffer);
        at = 0;
    }
};

std::optional<struct statx> look_at(int folder, const char* name) {
    struct statx about {};
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == 0 ? AT_EMPTY_PATH : 0);
    if (::statx(folder, name, flags, kWanted, &about) != 0) return std::nullopt;
    return about;
}

}  // namespace

struct DiskWalk::Impl {
    std::vector<Level> path;  ///< from the root to where it reads
    struct statx root {};
    DiskUse use;
    std::uint64_t missed = 0;
    std::unordered_map<std::uint64_t, std::uint32_t> linked;  ///< inode -> names yet to be met

    bool is_here(const struct statx& about) const;
    bool counts_first(const struct statx& about);
    void count(const struct statx& about);
    void enter(const char* name, const struct statx& about);
    void leave();
    bool fill(Level& level);
    std::uint64_t look_at_next();
};

/// Not beyond a mount point. A btrfs subvolume is another device and still here; only a kernel
/// before 5.8 cannot tell the two apart.
bool DiskWalk::Impl::is_here(const struct statx& about) const {
    if (about.stx_mask & root.stx_mask & STATX_MNT_ID) return about.stx_mnt_id == root.stx_mnt_id;
    return about.stx_dev_major == root.stx_dev_major && about.stx_dev_minor == root.stx_dev_minor;
}

/// False for a further name of what was counted.
bool DiskWalk::Impl::counts_first(const struct statx& about) {
    if (about.stx_nlink < 2 || S_ISDIR(about.stx_mode)) return true;
    const std::uint64_t key = about.stx_ino ^ std::uint64_t{about.stx_dev_minor} << 48U;
    const auto met = linked.find(key);
    if (met == linked.end()) {
        if (linked.size() < kLinkedMax) linked.emplace(key, about.stx_nlink - 1);
        return true;
    }
    if (--met->second == 0) linked.erase(met);
    return false;
}

void DiskWalk::Impl::count(const struct statx& about) {
    if (!counts_first(about)) return;
    use.bytes += about.stx_blocks * 512;
    ++use.inodes;
}

void DiskWalk::Impl::enter(const char* name, const struct statx& about) {
    if (path.size() >= kLevelsMax) {
        ++missed;
        return;
    }
    UniqueFd fd(open_folder(path.back().fd.get(), name));
    const auto opened = fd ? look_at(fd.get(), "") : std::nullopt;
    if (!opened || opened->stx_ino != about.stx_ino || !is_here(*opened)) {
        if (errno != ENOENT) ++missed;  // unreadable, or another by now
        return;
    }
    // Only the last few stay open, and the root, so that the walk always finds back to it.
    if (path.size() > kOpenMax) path[path.size() - kOpenMax].close();
    path.push_back({.fd = std::move(fd), .inode = about.stx_ino, .read_on = 0, .buffer = {}});
}

/// Back to the directory above, which may have been closed, or be another by now.
void DiskWalk::Impl::leave() {
    const UniqueFd below = std::move(path.back().fd);
    path.pop_back();
    if (path.empty() || path.back().fd) return;
    Level& level = path.back();
    UniqueFd above(open_folder(below.get(), ".."));
    const auto about = above ? look_at(above.get(), "") : std::nullopt;
    const bool same = about && about->stx_ino == level.inode && is_here(*about) &&
                      ::lseek(above.get(), level.read_on, SEEK_SET) >= 0;
    if (same) {
        level.fd = std::move(above);
        return;
    }
    // Moved away: what was closed above it cannot be found again.
    while (!path.back().fd) {
        ++missed;
        path.pop_back();
    }
}

/// The next entries of a directory; false at its end.
bool DiskWalk::Impl::fill(Level& level) {
    level.buffer.resize(kBufferBytes);
    level.at = 0;
    const auto got =
        ::syscall(SYS_getdents64, level.fd.get(), level.buffer.data(), level.buffer.size());
    if (got < 0 && errno != ENOENT) ++missed;
    level.buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return got > 0;
}

/// One entry of the innermost directory, or the way out of it. Counts as an entry either way.
std::uint64_t DiskWalk::Impl::look_at_next() {
    Level& level = path.back();
    if (level.at == level.buffer.size() && !fill(level)) {
        leave();
        return 1;
    }
    const auto* entry = reinterpret_cast<const dirent64*>(level.buffer.data() + level.at);
    level.at += entry->d_reclen;
    level.read_on = entry->d_off;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") return 0;
    const auto about = look_at(level.fd.get(), entry->d_name);
    if (!about || !is_here(*about)) return 1;  // gone, or of another mount
    count(*about);
    if (S_ISDIR(about->stx_mode)) enter(entry->d_name, *about);
    return 1;
}

DiskWalk::DiskWalk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DiskWalk::~DiskWalk() = default;
DiskWalk::DiskWalk(DiskWalk&&) noexcept = default;
DiskWalk& DiskWalk::operator=(DiskWalk&&) noexcept = default;

Result<DiskWalk> DiskWalk::begin(const std::string& path) {
    auto impl = std::make_unique<Impl>();
    UniqueFd root(open_folder(AT_FDCWD, path.c_str()));
    const auto about = root ? look_at(root.get(), "") : std::nullopt;
    if (!about)
        return {errno == ENOENT ? Errc::not_found : Errc::io,
                "measure " + path + ": " + std::strerror(errno)};
    impl->root = *about;
    impl->count(*about);
    impl->path.push_back(
        {.fd = std::move(root), .inode = about->stx_ino, .read_on = 0, .buffer = {}});
    return DiskWalk(std::move(impl));
}

DiskWalk::Slice DiskWalk::advance(std::uint64_t entries_max, std::uint64_t enough) {
    Slice slice;
    while (!impl_->path.empty() && slice.entries < entries_max && impl_->use.charged() <= enough)
        slice.entries += impl_->look_at_next();
    slice.done = impl_->path.empty() || impl_->use.charged() > enough;
    return slice;
}

const DiskUse& DiskWalk::use() const { return impl_->use; }
std::uint64_t DiskWalk::missed() const { return impl_->missed; }

}  // namespace gaggle::allocrunner
