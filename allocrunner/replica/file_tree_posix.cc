#include "allocrunner/replica/file_tree_posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace gaggle::replica {

namespace {

constexpr const char* kXattrPrefix = "user.";
constexpr std::size_t kXattrListMax = 64U << 10U;  ///< Linux's XATTR_LIST_MAX

Error failure(const char* verb, const std::string& path, int code = errno) {
    // A symlink where a folder is wanted says ELOOP or ENOTDIR: for us there is nothing there.
    const bool gone = code == ENOENT || code == ENOTDIR || code == ELOOP;
    return {gone ? Errc::not_found : Errc::io,
            std::string(verb) + ' ' + path + ": " + std::strerror(code)};
}

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

timespec to_timespec(std::int64_t time) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t rest = (time % kSecond + kSecond) % kSecond;
    return {.tv_sec = (time - rest) / kSecond, .tv_nsec = rest};
}

Stat to_stat(const struct stat& from) {
    Stat out;
    out.type = S_ISREG(from.st_mode)   ? Stat::Type::file
               : S_ISDIR(from.st_mode) ? Stat::Type::dir
               : S_ISLNK(from.st_mode) ? Stat::Type::symlink
                                       : Stat::Type::other;
    out.mode = from.st_mode & 07777U;
    out.uid = from.st_uid;
    out.gid = from.st_gid;
    out.mtime = nanoseconds(from.st_mtim);
    out.ctime = nanoseconds(from.st_ctim);
    out.size = static_cast<std::uint64_t>(from.st_size);
    // A directory may have other file systems mounted in it: equal numbers there are other files.
    out.inode = from.st_ino + from.st_dev * 0x9e3779b97f4a7c15U;
    out.links = from.st_nlink;
    return out;
}

/// A folder that is open, and the last name of a path in it.
struct Spot {
    UniqueFd folder;
    std::string name;
};

class PosixTree final : public FileTree {
  public:
    PosixTree(UniqueFd top, std::string shown)
        : top_(std::move(top)), shown_(std::move(shown)), is_root_(::geteuid() == 0) {}

    Result<std::vector<Named>> list(const std::string& path) override {
        UniqueFd fd = TRY(open(path, O_RDONLY | O_DIRECTORY, "list"));
        const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);  // closedir closes its own
        DIR* dir = copy < 0 ? nullptr : ::fdopendir(copy);
        if (dir == nullptr) {
            const int code = errno;
            if (copy >= 0) ::close(copy);
            return failure("list", shown(path), code);
        }
        std::vector<Named> out;
        errno = 0;
        while (const dirent* item = ::readdir(dir)) {
            const std::string name = item->d_name;
            struct stat found {};
            if (name != "." && name != ".." &&
                ::fstatat(fd.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0)
                out.push_back({name, to_stat(found)});
            errno = 0;
        }
        const int code = errno;
        ::closedir(dir);
        if (code != 0) return failure("list", shown(path), code);
        std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.name < b.name; });
        return out;
    }

    Result<Stat> stat(const std::string& path) override {
        const Spot spot = TRY(find(path, "look at"));
        struct stat found {};
        if (::fstatat(spot.folder.get(), spot.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
            return failure("look at", shown(path));
        return to_stat(found);
    }

    Result<Bytes> read(const std::string& path, std::uint64_t offset, std::uint64_t size) override {
        const UniqueFd fd = TRY(open_file(path, O_RDONLY, "read"));
        Bytes out(size);
        std::uint64_t have = 0;
        while (have < size) {
            const ssize_t got = ::pread(fd.get(), out.data() + have, size - have,
                                        static_cast<off_t>(offset + have));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return failure("read", shown(path));
            if (got == 0) break;
            have += static_cast<std::uint64_t>(got);
        }
        out.resize(have);
        return out;
    }

    Result<std::string> read_link(const std::string& path) override {
        const Spot spot = TRY(find(path, "read link"));
        std::string out(kPathBytesMax + 1, '\0');
        const ssize_t got =
            ::readlinkat(spot.folder.get(), spot.name.c_str(), out.data(), out.size());
        if (got < 0 && errno == EINVAL) return failure("read link", shown(path), ENOENT);
        if (got < 0) return failure("read link", shown(path));
        out.resize(static_cast<std::size_t>(got));
        return out;
    }

    Result<Xattrs> xattrs(const std::string& path) override {
        const UniqueFd fd = TRY(open(path, O_RDONLY, "read attributes of"));
        return xattrs_of(fd.get(), path);
    }

    Result<void> make_dir(const std::string& path) override {
        const Spot spot = TRY(find(path, "make folder"));
        if (::mkdirat(spot.folder.get(), spot.name.c_str(), 0755) == 0) return {};
        if (errno != EEXIST) return failure("make folder", shown(path));
        return make_writable(spot, path, S_IFDIR, 0700);
    }

    Result<void> make_file(const std::string& path, std::uint64_t size) override {
        const Spot spot = TRY(find(path, "make file"));
        TRY(make_writable(spot, path, S_IFREG, 0600));
        const UniqueFd fd(::openat(spot.folder.get(), spot.name.c_str(),
                                   O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
        if (fd.get() < 0 || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
            return failure("make file", shown(path));
        return {};
    }

    Result<void> write(const std::string& path, std::uint64_t offset, BytesView bytes) override {
        const UniqueFd fd = TRY(open_file(path, O_WRONLY, "write"));
        while (!bytes.empty()) {
            const ssize_t put =
                ::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return failure("write", shown(path));
            bytes = bytes.subspan(static_cast<std::size_t>(put));
            offset += static_cast<std::uint64_t>(put);
        }
        return {};
    }

    Result<void> punch(const std::string& path, std::uint64_t offset, std::uint64_t size) override {
        const UniqueFd fd = TRY(open_file(path, O_WRONLY, "write"));
        if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        static_cast<off_t>(offset), static_cast<off_t>(size)) == 0)
            return {};
        if (errno != EOPNOTSUPP && errno != ENOSYS) return failure("write", shown(path));
        return write(path, offset, Bytes(size));
    }

    Result<void> make_symlink(const std::string& path, const std::string& target) override {
        const Spot spot = TRY(find(path, "make link"));
        if (::symlinkat(target.c_str(), spot.folder.get(), spot.name.c_str()) != 0)
            return failure("make link", shown(path));
        return {};
    }

    Result<void> make_hardlink(const std::string& path, const std::string& existing) override {
        const Spot from = TRY(find(existing, "link"));
        const Spot to = TRY(find(path, "link"));
        if (::linkat(from.folder.get(), from.name.c_str(), to.folder.get(), to.name.c_str(), 0) !=
            0)
            return failure("link", shown(path));
        return {};
    }

    Result<void> set_attributes(const std::string& path, const Attributes& attributes) override;

    Result<void> rename(const std::string& from, const std::string& to) override {
        const Spot old = TRY(find(from, "rename"));
        const Spot fresh = TRY(find(to, "rename"));
        if (::renameat(old.folder.get(), old.name.c_str(), fresh.folder.get(),
                       fresh.name.c_str()) == 0)
            return {};
        Error error = failure("rename", shown(from) + " to " + shown(to));
        if (errno == EXDEV) error.detail += "; keep allocations and copies on one file system";
        return error;
    }

    Result<void> remove(const std::string& path) override {
        const Spot spot = TRY(find(path, "remove"));
        if (::unlinkat(spot.folder.get(), spot.name.c_str(), 0) == 0) return {};
        if (errno != EISDIR && errno != EPERM) return failure("remove", shown(path));
        if (::unlinkat(spot.folder.get(), spot.name.c_str(), AT_REMOVEDIR) == 0) return {};
        return failure("remove", shown(path));
    }

    Result<void> sync(const std::string& path) override {
        const auto fd = open(path, O_RDONLY, "sync");
        if (!fd) return sync_all();  // not readable for us, not even as its owner
        if (::fsync(fd->get()) != 0) return failure("sync", shown(path));
        return {};
    }

    Result<void> sync_all() override {
        if (::syncfs(top_.get()) != 0) return failure("sync", shown_);
        return {};
    }

  private:
    std::string shown(const std::string& path) const {
        return path.empty() ? shown_ : shown_ + '/' + path;
    }

    Result<Spot> find(const std::string& path, const char* verb) const {
        UniqueFd folder(::fcntl(top_.get(), F_DUPFD_CLOEXEC, 0));
        if (folder.get() < 0) return failure(verb, shown(path));
        std::size_t begin = 0;
        for (std::size_t end; (end = path.find('/', begin)) != std::string::npos; begin = end + 1) {
            const std::string name = path.substr(begin, end - begin);
            if (!is_name(name)) return failure(verb, shown(path), EINVAL);
            UniqueFd next(::openat(folder.get(), name.c_str(),
                                   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (next.get() < 0) return failure(verb, shown(path));
            folder = std::move(next);
        }
        std::string last = path.substr(begin);
        if (path.empty())
            last = ".";
        else if (!is_name(last))
            return failure(verb, shown(path), EINVAL);
        return Spot{std::move(folder), std::move(last)};
    }

    static bool is_name(const std::string& name) {
        return !name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos;
    }

    /// Never blocks, never follows. Files and folders only.
    Result<UniqueFd> open(const std::string& path, int flags, const char* verb) const {
        const Spot spot = TRY(find(path, verb));
        UniqueFd fd(::openat(spot.folder.get(), spot.name.c_str(),
                             flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        struct stat found {};
        if (fd.get() < 0 || ::fstat(fd.get(), &found) != 0) return failure(verb, shown(path));
        if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode))
            return failure(verb, shown(path), ENOENT);
        return fd;
    }

    Result<UniqueFd> open_file(const std::string& path, int flags, const char* verb) const {
        UniqueFd fd = TRY(open(path, flags, verb));
        struct stat found {};
        if (::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode))
            return failure(verb, shown(path), ENOENT);
        return fd;
    }

    /// What exists must be of that type, and gets these mode bits as well. Nothing there: fine.
    Result<void> make_writable(const Spot& spot, const std::string& path, mode_t type,
                               mode_t bits) const {
        struct stat found {};
        if (::fstatat(spot.folder.get(), spot.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
            return errno == ENOENT ? Result<void>{} : failure("look at", shown(path));
        if ((found.st_mode & S_IFMT) != type)
            return Error{Errc::io, "make " + shown(path) + ": something else is there"};
        if ((found.st_mode & bits) == bits) return {};
        if (::fchmodat(spot.folder.get(), spot.name.c_str(), (found.st_mode & kModeMask) | bits,
                       0) != 0)
            return failure("make writable", shown(path));
        return {};
    }

    Result<Xattrs> xattrs_of(int fd, const std::string& path) const {
        std::string names(kXattrListMax, '\0');
        const ssize_t size = ::flistxattr(fd, names.data(), names.size());
        if (size < 0 && errno == ENOTSUP) return Xattrs{};
        if (size < 0) return failure("read attributes of", shown(path));
        names.resize(static_cast<std::size_t>(size));
        Xattrs out;
        for (std::size_t begin = 0; begin < names.size();) {
            const std::string name = names.c_str() + begin;
            begin += name.size() + 1;
            if (!name.starts_with(kXattrPrefix)) continue;
            Bytes value(kXattrBytesMax);
            const ssize_t got = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
            if (got < 0 && errno == ENODATA) continue;
            if (got < 0) return failure("read attributes of", shown(path));
            value.resize(static_cast<std::size_t>(got));
            out.emplace(name, std::move(value));
        }
        return out;
    }

    Result<void> set_xattrs(int fd, const std::string& path, const Xattrs& wanted) const;

    UniqueFd top_;
    std::string shown_;
    bool is_root_;
};

Result<void> PosixTree::set_xattrs(int fd, const std::string& path, const Xattrs& wanted) const {
    const Xattrs have = TRY(xattrs_of(fd, path));
    for (const auto& [name, value] : have)
        if (!wanted.contains(name) && ::fremovexattr(fd, name.c_str()) != 0)
            return failure("set attributes of", shown(path));
    for (const auto& [name, value] : wanted) {
        const auto found = have.find(name);
        if (found != have.end() && found->second == value) continue;
        if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0)
            return failure("set attributes of", shown(path));
    }
    return {};
}

Result<void> PosixTree::set_attributes(const std::string& path, const Attributes& attributes) {
    const char* verb = "set attributes of";
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, to_timespec(attributes.mtime)};
    const Spot spot = TRY(find(path, verb));
    const char* name = spot.name.c_str();
    struct stat found {};
    if (::fstatat(spot.folder.get(), name, &found, AT_SYMLINK_NOFOLLOW) != 0)
        return failure(verb, shown(path));
    if (is_root_ && ::fchownat(spot.folder.get(), name, attributes.uid, attributes.gid,
                               AT_SYMLINK_NOFOLLOW) != 0)
        return failure(verb, shown(path));
    if (S_ISLNK(found.st_mode)) {
        if (::utimensat(spot.folder.get(), name, times, AT_SYMLINK_NOFOLLOW) != 0)
            return failure(verb, shown(path));
        return {};
    }
    TRY(make_writable(spot, path, found.st_mode & S_IFMT, S_ISDIR(found.st_mode) ? 0700 : 0600));
    const UniqueFd fd = TRY(open(path, O_RDONLY, verb));
    TRY(set_xattrs(fd.get(), path, attributes.xattrs));
    if (::fchmod(fd.get(), attributes.mode & kModeMask) != 0 || ::futimens(fd.get(), times) != 0)
        return failure(verb, shown(path));
    return {};
}

}  // namespace

Result<std::unique_ptr<FileTree>> open_file_tree(const std::string& top) {
    UniqueFd fd(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return failure("open folder", top);
    return std::unique_ptr<FileTree>(std::make_unique<PosixTree>(std::move(fd), top));
}

}  // namespace gaggle::replica
