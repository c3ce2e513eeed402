#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "allocrunner/setup/fetch/sandbox.h"
#include "base/unique_fd.h"

namespace gaggle::setup {

namespace {

constexpr std::uint64_t kWriting =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;
constexpr int kVersionWithRefer = 2;  // without it, nothing may be moved between directories

Result<void> allow(int rules, const char* path, std::uint64_t what) {
    const UniqueFd folder(open(path, O_PATH | O_CLOEXEC));
    landlock_path_beneath_attr rule{};
    rule.allowed_access = what;
    rule.parent_fd = folder.get();
    if (!folder || syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        return {Errc::io, std::string("allow writing to ") + path + ": " + std::strerror(errno)};
    return {};
}

/// What a task's directory needs: files of others are written, given and set modes.
constexpr std::uint32_t kKept = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER;

/// Of root's rights all others go, also for what is started. Nothing happens to who has none.
Result<void> keep_few_rights() {
    constexpr int kCapsMax = 64;
    for (int right = 0; right < kCapsMax; ++right)
        if (right > CAP_FOWNER || (kKept >> right & 1U) == 0)
            prctl(PR_CAPBSET_DROP, right, 0, 0, 0);  // there are fewer; and others may not
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &head, data) != 0)
        return {Errc::io, std::string("read its rights: ") + std::strerror(errno)};
    data[0].effective &= kKept;
    data[0].permitted &= kKept;
    data[0].inheritable = 0;
    data[1] = {};
    if (syscall(SYS_capset, &head, data) != 0)
        return {Errc::io, std::string("give up rights: ") + std::strerror(errno)};
    return {};
}

}  // namespace

Result<bool> enter_sandbox(const std::string& writable, std::int64_t bytes_max) {
    const rlimit none{0, 0};
    const rlimit size{static_cast<rlim_t>(bytes_max), static_cast<rlim_t>(bytes_max)};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &size);
    signal(SIGXFSZ, SIG_IGN);  // writing says EFBIG instead
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return Error{Errc::io, std::string("give up rights: ") + std::strerror(errno)};
    TRY(keep_few_rights());
    const auto version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < kVersionWithRefer) return false;
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = kWriting;
    const UniqueFd rules(
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
    if (!rules) return false;
    TRY(allow(rules.get(), writable.c_str(), kWriting));
    TRY(allow(rules.get(), "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE));
    if (syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
        return Error{Errc::io, std::string("enter the sandbox: ") + std::strerror(errno)};
    return true;
}

}  // namespace gaggle::setup
