// The config.json of an OCI bundle for a task of driver exec (OCI runtime specification 1.0.2).
//
// The task's directory is the root, so what set-up put there is at /local, /secrets and wherever a
// template wanted it. The host's programs and libraries are mounted into it read-only, /alloc is
// the allocation's shared directory; /proc, /dev and the rest belong to the container alone. Pure:
// what the machine says comes in BundleFacts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allocrunner/drivers/capabilities.h"
#include "allocrunner/drivers/exec_session.h"
#include "allocrunner/drivers/task_spec.h"
#include "base/account.h"

namespace gaggle::allocrunner {

struct BundleFacts {
    std::string executable;              ///< a path inside
    std::string alloc_dir;               ///< on the host, with alloc/ in it
    std::vector<std::string> host_dirs;  ///< to be seen inside, read-only; those that are there
    Account account;
    bool superuser = false;     ///< the account is root
    Capabilities capabilities;  ///< at most
    Capabilities ambient;       ///< kept by a user that is not root
    std::string cgroup;         ///< "/gaggle/<id>"
    std::string cpus;           ///< of its own, "2-3"; empty: any
    bool cgroup_v2 = false;     ///< memory is limited by that, not by version 1
};

/// Nomad's default chroot, as far as this machine has it. Reads nothing: what to look for.
const std::vector<std::string>& chroot_dirs();

Value oci_config(const TaskSpec& spec, const BundleFacts& facts);

/// The `process` of a command that is run inside later; its terminal has that size from the start.
Value oci_process(const TaskSpec& spec, const BundleFacts& facts,
                  const std::vector<std::string>& argv,
                  const std::map<std::string, std::string>& more_env,
                  const std::optional<TerminalSize>& terminal);

}  // namespace gaggle::allocrunner
