#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <thread>

#include "allocrunner/network/netns.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

Error failure(const std::string& what) {
    const int error = errno;
    const bool rights = error == EPERM || error == EACCES;
    return {
        rights ? Errc::denied : Errc::io,
        what + ": " + std::strerror(error) +
            (rights ? "; the agent must run as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN" : "")};
}

Result<void> raise_loopback() {
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    if (!fd || ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0)
        return failure("ask for the new namespace's loopback interface");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0)
        return failure("bring the new namespace's loopback interface up");
    return {};
}

/// A namespace belongs to a thread: one of its own goes into the new one, and never comes back.
Result<void> inside_new_netns(const std::function<Result<void>()>& act) {
    Result<void> done;
    std::thread([&] {
        done = unshare(CLONE_NEWNET) == 0 ? act() : failure("make a network namespace");
    }).join();
    return done;
}

Result<void> make_mount_point(const std::string& path) {
    const std::string folder = path.substr(0, path.rfind('/'));
    if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return failure("make " + folder);
    const UniqueFd file(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
    if (!file) return failure("make " + path);
    return {};
}

}  // namespace

bool is_netns(const std::string& path) {
    struct statfs about {};
    return statfs(path.c_str(), &about) == 0 && about.f_type == NSFS_MAGIC;
}

Result<void> make_netns(const std::string& path) {
    TRY(remove_netns(path));
    TRY(make_mount_point(path));
    Result<void> made = inside_new_netns([&]() -> Result<void> {
        TRY(raise_loopback());
        if (mount("/proc/thread-self/ns/net", path.c_str(), "none", MS_BIND, nullptr) != 0)
            return failure("mount the new network namespace at " + path);
        return {};
    });
    if (!made.ok()) (void)remove_netns(path).ok();
    return made;
}

Result<void> remove_netns(const std::string& path) {
    while (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
    if (errno != EINVAL && errno != ENOENT) return failure("unmount the network namespace " + path);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return failure("remove " + path);
    return {};
}

Result<void> try_netns() {
    return inside_new_netns([] { return Result<void>(); });
}

}  // namespace gaggle::allocrunner
