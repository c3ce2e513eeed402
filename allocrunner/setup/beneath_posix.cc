#include "allocrunner/setup/beneath_posix.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/account.h"

namespace gaggle::setup {

namespace {

constexpr int kTriesMax = 8;  // openat2 says EAGAIN when something was renamed under it

int open_beneath(int root, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int attempt = 1;; ++attempt) {
        const auto fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
        if (fd >= 0) return static_cast<int>(fd);
        if ((errno != EAGAIN && errno != EINTR) || attempt == kTriesMax) return -1;
    }
}

Result<std::string> read_up_to(int fd, std::size_t bytes_max) {
    std::string out;
    char part[65536];
    for (;;) {
        const ssize_t got = ::read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Error{Errc::io, std::strerror(errno)};
        if (got == 0) return out;
        out.append(part, static_cast<std::size_t>(got));
        if (out.size() > bytes_max)
            return Error{Errc::invalid, "larger than " + std::to_string(bytes_max) + " bytes"};
    }
}

bool write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t part = ::write(fd, text.data(), text.size());
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(part));
    }
    return true;
}

/// False: errno says why.
bool give(int fd, const FileLook& look) {
    const auto uid = static_cast<uid_t>(look.owner.uid);
    const auto gid = static_cast<gid_t>(look.owner.gid);
    if ((look.owner.uid >= 0 || look.owner.gid >= 0) && fchown(fd, uid, gid) != 0) return false;
    return fchmod(fd, look.mode) == 0;
}

}  // namespace

Result<Owner> owner_of(const std::string& user) {
    if (user.empty()) return Owner{};
    const Account account = TRY(account_of(user));
    return Owner{account.uid, account.gid};
}

Result<BeneathDir> BeneathDir::open(const std::string& path) {
    BeneathDir out;
    out.path_ = path;
    out.root_.reset(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!out.root_) return out.failure("open", "", errno);
    return out;
}

Error BeneathDir::failure(const char* what, const std::string& path, int error) const {
    const std::string whole = std::string(what) + " " + path_ + (path.empty() ? "" : "/" + path);
    if (error == EXDEV) return {Errc::denied, whole + ": a link leads out of the task's directory"};
    if (error == ELOOP) return {Errc::denied, whole + ": a link that may not be followed"};
    const Errc code = error == ENOENT ? Errc::not_found : Errc::io;
    const char* next = error == ENOSPC ? "; free some space, or enlarge `secrets`" : "";
    return {code, whole + ": " + std::strerror(error) + next};
}

Result<UniqueFd> BeneathDir::open_at(const std::string& path, int flags) const {
    UniqueFd fd(open_beneath(root_.get(), path.empty() ? "." : path, flags));
    if (!fd) return failure("open", path, errno);
    return fd;
}

Result<UniqueFd> BeneathDir::make_folders(const std::string& path, const Owner& owner) const {
    UniqueFd here = TRY(open_at("", O_RDONLY | O_DIRECTORY));
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t slash = std::min(path.find('/', at), path.size());
        const std::string part = path.substr(at, slash - at);
        const std::string whole = path.substr(0, slash);
        at = slash + 1;
        if (part.empty()) continue;
        const bool made = mkdirat(here.get(), part.c_str(), 0755) == 0;
        if (!made && errno != EEXIST) return failure("make directory", whole, errno);
        here = TRY(open_at(whole, O_RDONLY | O_DIRECTORY));
        if (made && !give(here.get(), {0755, owner})) return failure("own", whole, errno);
    }
    return here;
}

Result<std::string> BeneathDir::read(const std::string& path, std::size_t bytes_max) const {
    // Without O_NONBLOCK a pipe in its place would hold us up.
    const UniqueFd fd = TRY(open_at(path, O_RDONLY | O_NONBLOCK));
    struct stat about {};
    if (fstat(fd.get(), &about) != 0) return failure("read", path, errno);
    if (!S_ISREG(about.st_mode))
        return Error{Errc::invalid, "read " + path_ + "/" + path + ": it is no plain file"};
    Result<std::string> text = read_up_to(fd.get(), bytes_max);
    if (!text.ok()) return within("read " + path_ + "/" + path, text.error());
    return text;
}

Result<bool> BeneathDir::write(const std::string& path, std::string_view text,
                               const FileLook& look) const {
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
    const std::string name = path.substr(slash + 1);  // npos + 1 is 0
    if (name.empty()) return Error{Errc::invalid, "write " + path_ + ": that is a directory"};
    const UniqueFd folder = TRY(make_folders(parent, look.owner));
    // Only the file itself, never what a link in its place leads to: such a link is replaced.
    const UniqueFd present(
        openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat about {};
    if (present && fstat(present.get(), &about) == 0 && S_ISREG(about.st_mode) &&
        about.st_nlink == 1 && static_cast<std::size_t>(about.st_size) == text.size()) {
        const auto before = read_up_to(present.get(), text.size());
        if (before.ok() && *before == text) {
            if (!give(present.get(), look)) return failure("own", path, errno);
            return false;
        }
    }
    const std::string draft = ".gaggle." + name;
    unlinkat(folder.get(), draft.c_str(), 0);
    const UniqueFd fd(openat(folder.get(), draft.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const bool written = fd && write_whole(fd.get(), text) && give(fd.get(), look) &&
                         renameat(folder.get(), draft.c_str(), folder.get(), name.c_str()) == 0;
    if (written) return true;
    const int error = errno;
    if (fd) unlinkat(folder.get(), draft.c_str(), 0);
    return failure("write", path, error);
}

}  // namespace gaggle::setup
