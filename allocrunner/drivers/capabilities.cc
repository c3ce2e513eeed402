#include "allocrunner/drivers/capabilities.h"

#include <algorithm>

namespace gaggle::allocrunner {

namespace {

/// capabilities(7), Linux 6.1.
const Capabilities& every_capability() {
    static const Capabilities all = {
        "CAP_AUDIT_CONTROL",   "CAP_AUDIT_READ",   "CAP_AUDIT_WRITE",
        "CAP_BLOCK_SUSPEND",   "CAP_BPF",          "CAP_CHECKPOINT_RESTORE",
        "CAP_CHOWN",           "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
        "CAP_FOWNER",          "CAP_FSETID",       "CAP_IPC_LOCK",
        "CAP_IPC_OWNER",       "CAP_KILL",         "CAP_LEASE",
        "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",    "CAP_MAC_OVERRIDE",
        "CAP_MKNOD",           "CAP_NET_ADMIN",    "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST",   "CAP_NET_RAW",      "CAP_PERFMON",
        "CAP_SETFCAP",         "CAP_SETGID",       "CAP_SETPCAP",
        "CAP_SETUID",          "CAP_SYSLOG",       "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT",        "CAP_SYS_CHROOT",   "CAP_SYS_MODULE",
        "CAP_SYS_NICE",        "CAP_SYS_PACCT",    "CAP_SYS_PTRACE",
        "CAP_SYS_RAWIO",       "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG",  "CAP_WAKE_ALARM"};
    return all;
}

std::string full_name(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return std::toupper(letter); });
    return name.starts_with("CAP_") ? name : "CAP_" + name;
}

}  // namespace

const Capabilities& default_capabilities() {
    static const Capabilities some = {
        "CAP_AUDIT_WRITE", "CAP_CHOWN",  "CAP_DAC_OVERRIDE",     "CAP_FOWNER",  "CAP_FSETID",
        "CAP_KILL",        "CAP_MKNOD",  "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
        "CAP_SETPCAP",     "CAP_SETUID", "CAP_SYS_CHROOT"};
    return some;
}

Result<Capabilities> named_capabilities(const std::vector<std::string>& names) {
    Capabilities out;
    for (const std::string& name : names) {
        const std::string full = full_name(name);
        if (full == "CAP_ALL") return every_capability();
        if (every_capability().count(full) == 0)
            return {Errc::invalid, "\"" + name +
                                       "\" is no capability of Linux; write for instance "
                                       "\"net_bind_service\""};
        out.insert(full);
    }
    return out;
}

Result<Capabilities> capabilities_of(const std::vector<std::string>& add,
                                     const std::vector<std::string>& drop,
                                     const std::vector<std::string>& allowed) {
    Capabilities may = TRY(named_capabilities(allowed));
    may.insert(default_capabilities().begin(), default_capabilities().end());
    const Capabilities added = TRY(named_capabilities(add));
    const Capabilities dropped = TRY(named_capabilities(drop));
    Capabilities out = default_capabilities();
    for (const std::string& name : dropped) out.erase(name);
    for (const std::string& name : added) {
        if (may.count(name) == 0)
            return {Errc::denied, "cap_add: this peer does not allow " + name +
                                      "; its operator would have to start the agent with "
                                      "--allow-caps"};
        out.insert(name);
    }
    return out;
}

}  // namespace gaggle::allocrunner
