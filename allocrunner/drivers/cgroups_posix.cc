#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <optional>
#include <sstream>
#include <vector>

#include "allocrunner/drivers/cgroups.h"
#include "base/small_file.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::uint64_t number_of(const std::string& path) { return number_in(small_file(path)); }

/// The number behind `name` in lines of "name number".
std::uint64_t field(const std::string& text, const std::string& name) {
    std::istringstream words(text);
    std::string key;
    std::uint64_t value = 0;
    while (words >> key >> value)
        if (key == name) return value;
    return 0;
}

bool exists(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0;
}

TaskUsage usage_v2(const std::string& dir) {
    const std::string cpu = small_file(dir + "/cpu.stat");
    const std::string memory = small_file(dir + "/memory.stat");
    TaskUsage out;
    out.user_nanoseconds = field(cpu, "user_usec") * 1'000;
    out.system_nanoseconds = field(cpu, "system_usec") * 1'000;
    out.throttled_periods = field(cpu, "nr_throttled");
    out.throttled_nanoseconds = field(cpu, "throttled_usec") * 1'000;
    out.rss = field(memory, "anon");
    out.cache = field(memory, "file");
    out.swap = number_of(dir + "/memory.swap.current");
    out.used = number_of(dir + "/memory.current");
    out.used_max = number_of(dir + "/memory.peak");
    out.processes = number_of(dir + "/pids.current");
    return out;
}

TaskUsage usage_v1(const Cgroups& cgroups, const std::string& group) {
    const auto at = [&](const char* tree, const char* file) {
        const auto found = cgroups.trees.find(tree);
        return found == cgroups.trees.end() ? std::string() : found->second + group + "/" + file;
    };
    const std::string cpu = small_file(at("cpu", "cpu.stat"));
    const std::string memory = small_file(at("memory", "memory.stat"));
    TaskUsage out;
    out.user_nanoseconds = number_of(at("cpuacct", "cpuacct.usage_user"));
    out.system_nanoseconds = number_of(at("cpuacct", "cpuacct.usage_sys"));
    out.throttled_periods = field(cpu, "nr_throttled");
    out.throttled_nanoseconds = field(cpu, "throttled_time");
    out.rss = field(memory, "total_rss");
    out.cache = field(memory, "total_cache");
    out.swap = field(memory, "total_swap");
    out.used = number_of(at("memory", "memory.usage_in_bytes"));
    out.used_max = number_of(at("memory", "memory.max_usage_in_bytes"));
    out.processes = number_of(at("pids", "pids.current"));
    return out;
}

constexpr const char* kMounts = "/proc/self/mountinfo";

/// Nothing when it cannot be read now: that table is never empty.
std::optional<Cgroups> look() {
    const std::string mounts = small_file(kMounts);
    if (mounts.empty()) return std::nullopt;
    return cgroups_in(mounts);
}

std::mutex looking;              // guards what follows
std::optional<Cgroups> mounted;  ///< as last looked for

/// A group and those inside of it, each before what is inside of it.
std::vector<std::string> groups_from(const std::string& dir) {
    std::vector<std::string> out{dir};
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(dir, error), end; !error && at != end;
         at.increment(error))
        if (std::error_code gone; at->is_directory(gone)) out.push_back(at->path());
    return out;
}

}  // namespace

Cgroups cgroups_in(std::string_view mount_info) {
    Cgroups out;
    bool unified_has_controllers = true;
    std::istringstream lines{std::string(mount_info)};
    for (std::string line; std::getline(lines, line);) {
        // id parent major:minor root mount-point options [fields] - type source super-options
        std::istringstream words(line);
        std::string word;
        std::string place;
        for (int at = 0; at < 5 && words >> word; ++at) place = word;
        while (words >> word && word != "-") continue;
        std::string type;
        std::string source;
        std::string options;
        words >> type >> source >> options;
        if (type == "cgroup2" && out.unified.empty()) out.unified = place;
        if (type != "cgroup") continue;
        std::istringstream names(options);
        for (std::string name; std::getline(names, name, ',');)
            for (const char* tree : {"cpu", "cpuacct", "cpuset", "memory", "pids"})
                if (name == tree && out.trees.emplace(name, place).second)
                    unified_has_controllers = false;
    }
    out.v2 = !out.unified.empty() && unified_has_controllers;
    return out;
}

Result<Cgroups> find_cgroups() {
    const std::lock_guard lock(looking);
    if (!mounted) mounted = look();
    if (!mounted) return {Errc::io, std::string("look for control groups: cannot read ") + kMounts};
    return *mounted;
}

Cgroups read_cgroups() {
    const Result<Cgroups> found = find_cgroups();
    return found ? *found : Cgroups();
}

Cgroups look_for_cgroups() {
    const std::optional<Cgroups> found = look();
    const std::lock_guard lock(looking);
    if (found) mounted = found;
    return mounted.value_or(Cgroups());
}

std::string oom_file(const Cgroups& cgroups, const std::string& group) {
    if (cgroups.v2) return cgroups.unified + group + "/memory.events";
    const auto memory = cgroups.trees.find("memory");
    return memory == cgroups.trees.end() ? "" : memory->second + group + "/memory.oom_control";
}

Result<TaskUsage> usage_of_group(const Cgroups& cgroups, const std::string& group) {
    const auto memory = cgroups.trees.find("memory");
    const std::string dir = cgroups.v2
                                ? cgroups.unified + group
                                : (memory == cgroups.trees.end() ? "" : memory->second + group);
    if (dir.empty() || !exists(dir))
        return {Errc::not_found, "measure control group " + group + ": it is gone"};
    return cgroups.v2 ? usage_v2(dir) : usage_v1(cgroups, group);
}

Result<void> set_cpus(const Cgroups& cgroups, const std::string& group, const std::string& cpus) {
    const auto tree = cgroups.trees.find("cpuset");
    const std::string what = "keep control group " + group + " on processors " + cpus + ": ";
    if (!cgroups.v2 && tree == cgroups.trees.end())
        return {Errc::unavailable, what + "there is no controller cpuset on this machine"};
    const std::string dir = (cgroups.v2 ? cgroups.unified : tree->second) + group;
    const std::string file = dir + "/cpuset.cpus";
    if (!exists(dir)) return {Errc::not_found, what + "it is gone"};
    const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    const auto size = static_cast<ssize_t>(cpus.size());
    if (!fd || write(fd.get(), cpus.data(), cpus.size()) != size)
        return {errno == ENOENT ? Errc::unavailable : Errc::io,
                what + "write " + file + ": " + std::strerror(errno)};
    return {};
}

std::string holding_dir(const Cgroups& cgroups, const std::string& group) {
    const std::vector<std::string> dirs = holding_dirs(cgroups, group);
    return dirs.empty() ? "" : dirs.front();
}

std::vector<std::string> holding_dirs(const Cgroups& cgroups, const std::string& group) {
    std::vector<std::string> out;
    if (!cgroups.unified.empty()) out.push_back(cgroups.unified + group);
    if (const auto pids = cgroups.trees.find("pids"); pids != cgroups.trees.end())
        out.push_back(pids->second + group);
    return out;
}

Result<void> end_group(const std::string& dir) {
    constexpr int kRounds = 100;
    constexpr int kRoundMs = 10;
    for (int round = 0; round < kRounds && exists(dir); ++round) {
        const std::vector<std::string> groups = groups_from(dir);
        for (auto group = groups.rbegin(); group != groups.rend(); ++group) rmdir(group->c_str());
        if (!exists(dir)) break;
        for (const std::string& group : groups) {
            // Whoever forks all the time is forbidden it first (version 1), or all go at once.
            std::ofstream(group + "/pids.max") << 0;
            std::ofstream(group + "/cgroup.kill") << 1;
            std::istringstream pids(small_file(group + "/cgroup.procs"));
            for (pid_t pid = 0; pids >> pid;)
                if (pid > 1) kill(pid, SIGKILL);
        }
        poll(nullptr, 0, kRoundMs);
    }
    if (!exists(dir)) return {};
    return {Errc::timeout, "remove control group " + dir +
                               ": what runs in it does not end when it is killed; look who is in "
                               "its cgroup.procs"};
}

void kill_if_in(std::int64_t pid, const std::string& sign) {
    if (pid <= 1 || pid > std::numeric_limits<pid_t>::max() || sign.empty()) return;
    const auto id = static_cast<pid_t>(pid);
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, id, 0)));
    if (!process) return;
    // The id is that process's own from before the look until after it: it has not ended.
    if (small_file("/proc/" + std::to_string(id) + "/cgroup").find(sign) == std::string::npos)
        return;
    pollfd ended{process.get(), POLLIN, 0};
    if (poll(&ended, 1, 0) != 0) return;
    kill(-id, SIGKILL);
    syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

void kill_in_group(const std::string& group, const std::string& pid_file) {
    // Lines of "number:controllers:/the/group".
    kill_if_in(static_cast<std::int64_t>(number_of(pid_file)), ":" + group + "\n");
}

void remove_group(const Cgroups& cgroups, const std::string& group) {
    if (!cgroups.unified.empty()) rmdir((cgroups.unified + group).c_str());
    for (const auto& [tree, place] : cgroups.trees) rmdir((place + group).c_str());
}

}  // namespace gaggle::allocrunner
