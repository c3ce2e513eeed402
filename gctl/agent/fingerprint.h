// What this machine is and has, as planners are told it.
//
// Nomad's attribute names (client/fingerprint; reference nomad.md 1.3), so that the constraints of
// existing job files mean here what they mean there. Reading the machine and understanding what was
// read are two functions: the second is pure and tested with other machines' files.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "placement/fit/capacity.h"

namespace gaggle::agent {

/// Texts and numbers as the system gives them.
struct Readings {
    std::string host_name;
    std::string kernel;               ///< "Linux", uname(2)
    std::string kernel_release;       ///< "6.1.0-18-amd64"
    std::string machine;              ///< "x86_64"
    std::string cpu_info;             ///< /proc/cpuinfo
    std::string memory_info;          ///< /proc/meminfo
    std::string os_release;           ///< /etc/os-release
    std::string mount_info;           ///< /proc/self/mountinfo
    std::string boot_id;              ///< /proc/sys/kernel/random/boot_id
    std::uint64_t max_kilohertz = 0;  ///< of the first processor (cpufreq); 0: not told
    int landlock = 0;                 ///< the newest version of Landlock it speaks; 0: none
    std::uint64_t disk_bytes = 0;     ///< of the data directory's file system
    std::uint64_t disk_free_bytes = 0;
};

struct Fingerprint {
    std::string host_name;
    BootId boot;
    Amounts total;
    std::map<std::string, std::string> attributes;
};

/// `io`: the machine tells no boot id, or not how large the disk under `data_dir` is.
Result<Readings> read_machine(const std::string& data_dir);

/// `corrupt`: the boot id is none. Whatever else is missing is left out.
Result<Fingerprint> fingerprint_of(const Readings& readings);

}  // namespace gaggle::agent
