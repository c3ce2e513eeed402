// Where this machine counts and limits: cgroup v1 (one tree a controller), v2 (one tree), or both.
//
// With both, v1 holds the controllers (the usual hybrid of systemd and of containers). Which file
// says what differs, and only this file knows it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

struct Cgroups {
    bool v2 = false;                           ///< the controllers are in the one tree
    std::string unified;                       ///< where that is mounted; empty: nowhere
    std::map<std::string, std::string> trees;  ///< v1: controller -> where it is mounted
    bool any() const { return v2 || !trees.empty(); }
    bool operator==(const Cgroups&) const = default;
};

/// From the text of /proc/self/mountinfo (proc(5)).
Cgroups cgroups_in(std::string_view mount_info);
/// As last looked for; looks itself the first time only, for the table of mounts grows with every
/// allocation. Errc::io while that could never be read. From any thread.
Result<Cgroups> find_cgroups();
/// The same; none while that could never be read.
Cgroups read_cgroups();
/// To be called now and then: trees may be mounted after the agent started. As before where the
/// table of mounts cannot be read.
Cgroups look_for_cgroups();

/// The file with the line "oom_kill <count>" of a group ("/gaggle/x").
std::string oom_file(const Cgroups& cgroups, const std::string& group);

/// Errc::not_found when the group is gone.
Result<TaskUsage> usage_of_group(const Cgroups& cgroups, const std::string& group);

/// The processors that a group's processes may run on, "0-1,3". Errc::not_found when the group is
/// gone, Errc::unavailable where there is no controller `cpuset`.
Result<void> set_cpus(const Cgroups& cgroups, const std::string& group, const std::string& cpus);

/// The directory of a group that only holds processes together, to be made: in the tree of version
/// 2, which a hybrid has as well, else in that of `pids`. Empty: there is neither.
std::string holding_dir(const Cgroups& cgroups, const std::string& group);
/// Where such a group may be, that one first: what is mounted may have changed since it was made.
std::vector<std::string> holding_dirs(const Cgroups& cgroups, const std::string& group);

/// Kills all that is in the group of this directory and in groups inside of it, and removes them,
/// within a second or so. Fine when there is none. Errc::timeout when it is still there then.
Result<void> end_group(const std::string& dir);

/// Kills a process, and the process group that it leads, if its lines of /proc/<pid>/cgroup have
/// `sign` in them: ids are given anew, and an engine may count in another pid namespace.
void kill_if_in(std::int64_t pid, const std::string& sign);

/// So for the process whose id is in this file, if it is in the control group ("/gaggle/x") still.
void kill_in_group(const std::string& group, const std::string& pid_file);

/// Removes an empty group wherever it is. Kills nothing.
void remove_group(const Cgroups& cgroups, const std::string& group);

}  // namespace gaggle::allocrunner
