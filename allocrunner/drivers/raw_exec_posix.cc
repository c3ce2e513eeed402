// raw_exec: a plain process of the host. No isolation: the agent's own user unless the task names
// another, the host's files, no limits. Where the allocation has a network, it enters that. As root
// a control group holds its processes together, for nothing but to find and kill them.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/container_name.h"
#include "allocrunner/drivers/driver_config.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/find_executable.h"
#include "allocrunner/drivers/local_session.h"
#include "allocrunner/drivers/process_usage.h"
#include "allocrunner/drivers/shim.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace gaggle::allocrunner {

namespace {

constexpr const char* kCgroupParent = "/gaggle";

constexpr Option kOptions[] = {
    {.name = "command", .example = R"(command = "/usr/bin/env")", .required = true},
    {.name = "args", .kind = OptionKind::texts, .example = R"(args = ["--port", "80"])"},
    {.name = "work_dir", .example = R"(work_dir = "/srv")"},
    {.name = "oom_score_adj",
     .kind = OptionKind::number,
     .example = "oom_score_adj = 500",
     .least = -1000,
     .most = 1000},
    {.name = "denied_envvars",
     .kind = OptionKind::texts,
     .example = R"(denied_envvars = ["AWS_PROFILE"])"},
};

/// Nomad's order: the task's `local`, its directory, then PATH.
Result<std::string> executable_of(const TaskSpec& spec, const std::string& command) {
    const auto path = spec.env.find("PATH");
    return find_executable({.command = command,
                            .folders = {spec.task_dir + "/local", spec.task_dir},
                            .path = path == spec.env.end() ? "" : path->second,
                            .on_host = {}});
}

/// Two agents of one machine that run the same allocation's copies must not share one.
std::string group_name(const TaskLocation& at) {
    const std::string place = std::to_string(checksum64(as_bytes(at.alloc_dir)));
    return kCgroupParent + ("/" + container_name(at) + "." + place);
}

/// Holds a task's processes together, wherever they go; empty where we have not the right to.
std::string group_of(const TaskLocation& at) {
    return geteuid() == 0 ? holding_dir(read_cgroups(), group_name(at)) : "";
}

/// Where that of a running task is; empty: it has none.
std::string present_group_of(const TaskLocation& at) {
    if (geteuid() != 0) return {};
    for (const std::string& dir : holding_dirs(read_cgroups(), group_name(at)))
        if (access(dir.c_str(), F_OK) == 0) return dir;
    return {};
}

Result<void> end_groups(const TaskLocation& at) {
    if (geteuid() != 0) return {};
    Result<void> out;
    for (const std::string& dir : holding_dirs(TRY(find_cgroups()), group_name(at)))
        if (Result<void> ended = end_group(dir); !ended) out = std::move(ended);
    return out;
}

/// Without it the task runs all the same: it only holds its processes together.
bool make_group(const std::string& dir) {
    const std::string parent = dir.substr(0, dir.rfind('/'));
    if (mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) return false;
    return mkdir(dir.c_str(), 0755) == 0 || errno == EEXIST;
}

class RawExec : public Driver {
  public:
    std::string_view name() const override { return "raw_exec"; }
    bool has_own_root() const override { return false; }
    std::span<const Option> options() const override { return kOptions; }

    Result<TaskSpec> spec(const Value::Map& config, const TaskContext& context) const override {
        TRY(judge_config(name(), config, kOptions));
        const ConfigReader options(config);
        TaskSpec spec = common_spec(name(), config, context);
        spec.argv = options.texts("args");
        spec.argv.insert(spec.argv.begin(), options.text("command"));
        for (const std::string& variable : options.texts("denied_envvars"))
            spec.env.erase(variable);
        const std::string work_dir = options.text("work_dir");
        spec.work_dir = work_dir.empty() ? context.task_dir : work_dir;
        if (spec.work_dir.front() != '/')
            return {Errc::invalid,
                    "config of driver raw_exec: option work_dir must be an absolute path; write "
                    "for instance work_dir = \"/srv\""};
        spec.oom_score_adj = options.number("oom_score_adj");
        return spec;
    }

    DriverState fingerprint() override {
        look_for_cgroups();
        return {.detected = true,
                .healthy = true,
                .description = "Healthy",
                .attributes = {{"driver.raw_exec", "1"}}};
    }

    Result<std::map<std::string, std::string>> machine_environment(const TaskLocation& at,
                                                                   const TaskSpec& spec) override {
        std::map<std::string, std::string> out;
        if (!group_of(at).empty()) out["NOMAD_PARENT_CGROUP"] = kCgroupParent;
        for (const std::string& denied : ConfigReader(spec.config).texts("denied_envvars"))
            out.erase(denied);
        return out;
    }

    Result<Launch> prepare(const TaskLocation& at, const TaskSpec& spec) override {
        LaunchProcess out{.executable = TRY(executable_of(spec, spec.argv.front())),
                          .network = spec.network,
                          .user = spec.user,
                          .group = group_of(at)};
        // What an earlier run left whose supervisor was killed, also outside of its session.
        TRY(end_groups(at));
        if (!out.group.empty() && !make_group(out.group)) out.group.clear();
        return Launch(std::move(out));
    }

    Result<std::unique_ptr<ExecSession>> exec(const StartedTask& task,
                                              const ExecRequest& request) override {
        SessionProcess process{.executable = TRY(executable_of(task.spec, request.argv.front())),
                               .argv = request.argv,
                               .env = task.spec.env,
                               .work_dir = task.spec.work_dir,
                               .network = task.spec.network,
                               .account = {},
                               .terminal = request.terminal,
                               .group = task.pid > 0 ? present_group_of(task.at) : std::string()};
        for (const auto& [variable, value] : request.env) process.env[variable] = value;
        if (!task.spec.user.empty()) process.account = TRY(account_of(task.spec.user));
        return start_session(process);
    }

    Result<TaskUsage> usage(const StartedTask& task) override {
        return usage_of_processes(task.pid);
    }

    Result<void> clean_up(const StartedTask& task) override {
        if (const auto record = read_record(task.at.alloc_dir, task.at.task))
            kill_left_behind(*record);
        return end_groups(task.at);
    }
};

}  // namespace

std::unique_ptr<Driver> make_raw_exec(const DriverSettings&) { return std::make_unique<RawExec>(); }

}  // namespace gaggle::allocrunner
