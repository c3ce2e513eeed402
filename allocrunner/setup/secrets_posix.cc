#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "allocrunner/setup/beneath_posix.h"
#include "allocrunner/setup/secrets.h"
#include "base/mount_table.h"

namespace gaggle::setup {

namespace {

Error failure(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

/// Mount points in the order in which they were mounted.
std::vector<std::string> mount_points() {
    std::vector<std::string> out;
    std::ifstream in("/proc/self/mountinfo");
    for (std::string text; std::getline(in, text);)
        if (auto line = parse_mount_line(text)) out.push_back(std::move(line->point));
    return out;
}

/// Asked of the two directories, not of the table of mounts, which grows with every allocation.
bool is_mounted(const std::string& path) {
    struct stat here {};
    struct stat above {};
    const std::string parent = path.substr(0, path.rfind('/'));
    return lstat(path.c_str(), &here) == 0 && lstat(parent.c_str(), &above) == 0 &&
           S_ISDIR(here.st_mode) && here.st_dev != above.st_dev;
}

/// Nothing when the kernel does not say (before Linux 5.8).
std::optional<std::uint64_t> mount_of(const std::string& path) {
    struct statx about {};
    const int got = statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
                          STATX_MNT_ID, &about);
    if (got != 0 || (about.stx_mask & STATX_MNT_ID) == 0) return std::nullopt;
    return about.stx_mnt_id;
}

bool unmount(const std::string& path) {
    // Whoever still holds a file of it open (a task that escaped) keeps the memory, not the mount.
    return umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL;
}

Result<void> look(const SecretsDir& what) {
    const UniqueFd fd(open(what.path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return failure("open " + what.path);
    const Owner owner = TRY(owner_of(what.user));
    const bool named = owner.uid >= 0 && geteuid() == 0;
    if (named &&
        fchown(fd.get(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid)) != 0)
        return failure("give " + what.path + " to " + what.user);
    if (fchmod(fd.get(), what.mode) != 0) return failure("set the mode of " + what.path);
    return {};
}

}  // namespace

Result<bool> mount_secrets(const SecretsDir& what) {
    const MegaBytes size = what.size.value > 0 ? what.size : kSecretsDefault;
    bool mounted = is_mounted(what.path);
    if (!mounted) {
        const std::string options = "mode=0700,size=" + std::to_string(size.value) + "m";
        // By its descriptor: the folder above is the task's, and mount(2) follows links.
        const UniqueFd place(
            open(what.path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!place) return failure("open " + what.path);
        const std::string point = "/proc/self/fd/" + std::to_string(place.get());
        mounted = mount("gaggle-secrets", point.c_str(), "tmpfs",
                        MS_NODEV | MS_NOSUID | MS_NOEXEC, options.c_str()) == 0;
        if (!mounted && errno != EPERM && errno != EACCES)
            return failure("mount a tmpfs of " + std::to_string(size.value) + " MB at " +
                           what.path);
    }
    TRY(look(what));
    return mounted;
}

Result<void> unmount_secrets(const std::string& path) {
    if (!is_mounted(path) || unmount(path)) return {};
    return failure("unmount " + path);
}

bool may_hold_mounts(const std::string& directory) {
    const auto own = mount_of(directory);
    if (!own) return true;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(directory, error);
    for (; !error && at != end(at); at.increment(error)) {
        const bool is_folder = !at->is_symlink(error) && at->is_directory(error);
        if (is_folder && mount_of(at->path()) != own) return true;
    }
    return error.value() != 0;
}

Result<void> unmount_below(const std::string& directory) {
    const std::string prefix = directory + "/";
    auto points = mount_points();
    std::reverse(points.begin(), points.end());
    std::string wrong;
    for (const std::string& point : points)
        if (point.starts_with(prefix) && !unmount(point))
            wrong += (wrong.empty() ? "" : "; ") + failure("unmount " + point).detail;
    if (!wrong.empty()) return {Errc::io, wrong};
    return {};
}

}  // namespace gaggle::setup
