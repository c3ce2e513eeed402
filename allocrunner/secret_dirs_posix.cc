#include <atomic>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/secret_dirs.h"
#include "allocrunner/setup/secrets.h"
#include "base/log.h"
#include "base/names_in.h"

namespace gaggle::allocrunner {

namespace {

setup::SecretsDir secrets_of(const std::string& alloc_dir, const Task& task) {
    setup::SecretsDir out{.path = alloc_dir + "/" + task.name + "/secrets",
                          .size = task.resources.secrets};
    if (task.user.find("${") == std::string::npos) out.user = task.user;
    const Driver* driver = known_driver(task.driver);
    // Who such a task runs as is the image's business: as in Nomad, whoever reaches it may read.
    const bool unknown = driver != nullptr && driver->has_own_root() && out.user.empty();
    if (unknown || out.user != task.user) out.mode = 0777;
    return out;
}

}  // namespace

Result<void> mount_secret_dirs(const std::string& alloc_dir, const TaskGroup& group) {
    static std::atomic<bool> told = false;
    for (const Task& task : group.tasks) {
        const bool mounted = TRY(setup::mount_secrets(secrets_of(alloc_dir, task)));
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
