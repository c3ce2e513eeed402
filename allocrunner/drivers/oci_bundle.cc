#include "allocrunner/drivers/oci_bundle.h"

#include <algorithm>

#include "allocrunner/drivers/driver_config.h"
#include "allocrunner/drivers/json_words.h"

namespace gaggle::allocrunner {

namespace {

using json::flag;
using json::List;
using json::list;
using json::number;
using json::Object;
using json::object;
using json::text;
using json::texts;

constexpr std::int64_t kMegaByte = 1LL << 20U;

Value mount(const char* at, const char* type, const std::string& source,
            const std::vector<std::string>& options) {
    return object({{"destination", text(at)},
                   {"type", text(type)},
                   {"source", text(source)},
                   {"options", texts(options)}});
}

Value bound(const std::string& at, const std::string& source, bool read_only) {
    std::vector<std::string> options = {"rbind", "nodev", read_only ? "ro" : "rw"};
    if (read_only) options.push_back("rro");  // also what is mounted below it
    return mount(at.c_str(), "none", source, options);
}

Value mounts(const TaskSpec& spec, const BundleFacts& facts) {
    List out = {
        mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
        mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
        mount("/dev/pts", "devpts", "devpts",
              {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}),
        mount("/dev/shm", "tmpfs", "shm",
              {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
        mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
        mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
    };
    for (const std::string& folder : facts.host_dirs) out.push_back(bound(folder, folder, true));
    out.push_back(bound("/alloc", facts.alloc_dir + "/alloc", false));
    const TaskNetwork& network = spec.network;
    struct File {
        const std::string& source;
        const char* at;
    };
    for (const File& file :
         {File{network.resolv_file, "/etc/resolv.conf"}, File{network.hosts_file, "/etc/hosts"},
          File{network.hostname_file, "/etc/hostname"}})
        if (!file.source.empty()) out.push_back(bound(file.at, file.source, true));
    return list(std::move(out));
}

Value namespaces(const TaskSpec& spec) {
    const ConfigReader options(spec.config);
    List out = {object({{"type", text("mount")}})};
    if (options.text("pid_mode") != "host") out.push_back(object({{"type", text("pid")}}));
    if (options.text("ipc_mode") != "host") out.push_back(object({{"type", text("ipc")}}));
    if (!spec.network.hostname.empty()) out.push_back(object({{"type", text("uts")}}));
    if (!spec.network.netns.empty())
        out.push_back(object({{"type", text("network")}, {"path", text(spec.network.netns)}}));
    return list(std::move(out));
}

Value limits(const TaskSpec& spec, const BundleFacts& facts) {
    const Resources& asked = spec.resources;
    Object memory;
    const std::int64_t most = asked.memory_max.value;
    if (most > asked.memory.value) memory["reservation"] = number(asked.memory.value * kMegaByte);
    // A hard limit, so nothing is swapped out: version 2 is told of memory and swap together;
    // version 1 may not count swap, and is told not to want any.
    if (most >= 0) {
        memory["limit"] = number(std::max(most, asked.memory.value) * kMegaByte);
        if (facts.cgroup_v2)
            memory["swap"] = memory["limit"];
        else
            memory["swappiness"] = number(0);
    }
    Object cpu{{"shares", number(cpu_shares(asked))}};
    if (!facts.cpus.empty()) cpu["cpus"] = text(facts.cpus);
    const Value no_devices = object({{"allow", flag(false)}, {"access", text("rwm")}});
    return object({{"memory", object(std::move(memory))},
                   {"cpu", object(std::move(cpu))},
                   {"devices", list({no_devices})}});
}

/// A user that is not root keeps only what the job named: the default list would make it half a
/// root.
Value capabilities(const BundleFacts& facts) {
    const Value most = texts(facts.capabilities);
    if (facts.superuser)
        return object({{"bounding", most}, {"effective", most}, {"permitted", most}});
    const Value kept = texts(facts.ambient);
    return object({{"bounding", most},
                   {"effective", kept},
                   {"permitted", kept},
                   {"inheritable", kept},
                   {"ambient", kept}});
}

}  // namespace

const std::vector<std::string>& chroot_dirs() {
    static const std::vector<std::string> dirs = {"/bin",
                                                  "/etc",
                                                  "/lib",
                                                  "/lib32",
                                                  "/lib64",
                                                  "/libx32",
                                                  "/run/resolvconf",
                                                  "/run/systemd/resolve",
                                                  "/sbin",
                                                  "/usr"};
    return dirs;
}

Value oci_process(const TaskSpec& spec, const BundleFacts& facts,
                  const std::vector<std::string>& argv,
                  const std::map<std::string, std::string>& more_env,
                  const std::optional<TerminalSize>& terminal) {
    std::map<std::string, std::string> env = spec.env;
    for (const auto& [name, value] : more_env) env[name] = value;
    List groups;
    for (const std::uint32_t group : facts.account.groups) groups.push_back(number(group));
    Object out{{"terminal", flag(terminal.has_value())},
               {"user", object({{"uid", number(facts.account.uid)},
                                {"gid", number(facts.account.gid)},
                                {"additionalGids", list(std::move(groups))}})},
               {"args", texts(argv)},
               {"env", json::environment(env)},
               {"cwd", text(spec.work_dir)},
               {"capabilities", capabilities(facts)},
               {"noNewPrivileges", flag(false)}};
    if (terminal)
        out["consoleSize"] =
            object({{"height", number(terminal->rows)}, {"width", number(terminal->columns)}});
    if (spec.oom_score_adj) out["oomScoreAdj"] = number(*spec.oom_score_adj);
    return object(std::move(out));
}

Value oci_config(const TaskSpec& spec, const BundleFacts& facts) {
    std::vector<std::string> argv = spec.argv;
    argv.front() = facts.executable;
    Object linux{
        {"namespaces", namespaces(spec)},
        {"resources", limits(spec, facts)},
        {"cgroupsPath", text(facts.cgroup)},
        {"maskedPaths",
         texts(std::vector<std::string>{
             "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
             "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"})},
        {"readonlyPaths",
         texts(std::vector<std::string>{"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq",
                                        "/proc/sys", "/proc/sysrq-trigger"})}};
    Object out{{"ociVersion", text("1.0.2")},
               {"process", oci_process(spec, facts, argv, {}, std::nullopt)},
               {"root", object({{"path", text(spec.task_dir)}, {"readonly", flag(false)}})},
               {"mounts", mounts(spec, facts)},
               {"linux", object(std::move(linux))}};
    if (!spec.network.hostname.empty()) out["hostname"] = text(spec.network.hostname);
    return object(std::move(out));
}

}  // namespace gaggle::allocrunner
