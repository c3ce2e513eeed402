#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/secret_dirs.h"
#include "allocrunner/setup/secrets.h"
#include "base/log.h"
#include "base/names_in.h"

namespace gaggle::allocrunner {

namespace {

constexpr unsigned kForAll = 0777;

setup::SecretsDir secrets_of(const std::string& alloc_dir, const Task& task) {
    setup::SecretsDir out{.path = alloc_dir + "/" + task.name + "/secrets",
                          .size = task.resources.secrets};
    const Driver* driver = known_driver(task.driver);
    const std::string owner = driver == nullptr ? task.user : driver->owner_here(task.user);
    // A name that is interpolated is known when the task starts, and they are given to it then.
    if (owner.find("${") == std::string::npos) out.user = owner;
    // Who such a task runs as is the image's business: as in Nomad, whoever is in there may read.
    if (driver != nullptr && driver->has_own_root() && owner.empty()) out.mode = kForAll;
    return out;
}

/// From outside nobody gets at what is open to all inside: engines bind the folders in it as root.
Result<void> shut(const std::string& task_dir) {
    if (chmod(task_dir.c_str(), 0700) == 0) return {};
    return {Errc::io, "set the mode of " + task_dir + ": " + std::strerror(errno)};
}

}  // namespace

Result<void> mount_secret_dirs(const std::string& alloc_dir, const TaskGroup& group) {
    static std::atomic<bool> told = false;
    for (const Task& task : group.tasks) {
        const setup::SecretsDir what = secrets_of(alloc_dir, task);
        const bool mounted = TRY(setup::mount_secrets(what));
        if (what.mode == kForAll) TRY(shut(alloc_dir + "/" + task.name));
        if (mounted || told.exchange(true)) continue;
        log::warn("tasks' secrets are plain directories of mode 0700: this agent may not mount");
    }
    return {};
}

Result<void> unmount_secret_dirs(const std::string& alloc_dir) {
    const Result<std::vector<std::string>> names = names_in(alloc_dir);
    if (!names && names.error().code == Errc::not_found) return {};
    if (!names) return names.error();
    for (const std::string& name : *names)
        TRY(setup::unmount_secrets(alloc_dir + "/" + name + "/secrets"));
    return {};
}

}  // namespace gaggle::allocrunner
