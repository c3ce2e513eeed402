// The secrets directory of a task: memory that no disk ever sees.
//
// With root's rights it is a tmpfs of its own (nodev, nosuid, noexec); otherwise it stays the plain
// directory that it is. A mount outlives the agent: mounting again takes the one that is there. It
// goes when the allocation is over, and before a directory is removed that may hold other mounts,
// they are looked up in /proc/self/mountinfo. All calls may block.
#pragma once

#include <string>

#include "base/result.h"
#include "base/units.h"

namespace gaggle::setup {

inline constexpr MegaBytes kSecretsDefault{1};

struct SecretsDir {
    std::string path;
    MegaBytes size{0};  ///< 0: kSecretsDefault
    std::string user;   ///< who may read it; empty: the agent's own user
    unsigned mode = 0700;
};

/// False when it is a plain directory because this agent may not mount.
Result<bool> mount_secrets(const SecretsDir& what);

/// Fine when nothing is mounted there.
Result<void> unmount_secrets(const std::string& path);

/// False: no directory beneath this one is on another mount, a bind of the same disk included; a
/// file may be. True also when that cannot be told. Costs what is there, and not, as unmount_below
/// does, what the whole machine has mounted.
bool may_hold_mounts(const std::string& directory);

/// Everything that is mounted beneath this directory, innermost first. Fine when nothing is.
Result<void> unmount_below(const std::string& directory);

}  // namespace gaggle::setup
