// exec: a process of the host's own programs in a container of its own, by runc.
//
// Its root is the task's directory with the host's programs mounted in read-only; pid, mount and
// ipc namespaces are its own, the network is the allocation's or the host's; cpu shares, a hard
// memory limit and its own processors by control groups v1 or v2. The supervisor has runc make the
// container and is from then on the parent of its first process: no runc stays behind.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "allocrunner/drivers/capabilities.h"
#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/container_name.h"
#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/driver_config.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/find_executable.h"
#include "allocrunner/drivers/json_words.h"
#include "allocrunner/drivers/local_session.h"
#include "allocrunner/drivers/oci_bundle.h"
#include "allocrunner/drivers/ownership.h"
#include "allocrunner/drivers/shim.h"
#include "allocrunner/drivers/spec_file.h"
#include "allocrunner/network/program.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

constexpr const char* kDefaultUser = "nobody";
constexpr const char* kCgroupParent = "/gaggle";

constexpr Option kOptions[] = {
    {.name = "command", .example = R"(command = "/usr/bin/env")", .required = true},
    {.name = "args", .kind = OptionKind::texts, .example = R"(args = ["--port", "80"])"},
    {.name = "work_dir", .example = R"(work_dir = "/local")"},
    {.name = "pid_mode", .example = R"(pid_mode = "private")"},
    {.name = "ipc_mode", .example = R"(ipc_mode = "private")"},
    {.name = "cap_add", .kind = OptionKind::texts, .example = R"(cap_add = ["net_raw"])"},
    {.name = "cap_drop", .kind = OptionKind::texts, .example = R"(cap_drop = ["mknod"])"},
    {.name = "oom_score_adj",
     .kind = OptionKind::number,
     .example = "oom_score_adj = 500",
     .least = 0,
     .most = 1000},
    {.name = "denied_envvars",
     .kind = OptionKind::texts,
     .example = R"(denied_envvars = ["AWS_PROFILE"])"},
};

Error wrong(const std::string& what) { return {Errc::invalid, "config of driver exec: " + what}; }

/// A path as the task sees it, on the host.
std::string on_host(const TaskSpec& spec, const std::string& path) {
    for (const std::string& dir : chroot_dirs())
        if (path.starts_with(dir + "/")) return path;
    if (!path.starts_with("/alloc/")) return spec.task_dir + path;
    return spec.task_dir.substr(0, spec.task_dir.rfind('/')) + path;
}

Result<std::string> executable_of(const TaskSpec& spec, const std::string& command) {
    const auto path = spec.env.find("PATH");
    return find_executable(
        {.command = command,
         .folders = {"/local", "/"},
         .path = path == spec.env.end() ? "" : path->second,
         .on_host = [&](const std::string& inside) { return on_host(spec, inside); }});
}

class Exec : public Driver {
  public:
    explicit Exec(const DriverSettings& settings)
        : settings_(settings), state_(settings.alloc_root + "/.runc") {
        std::random_device chance;
        sessions_name_ = "exec." + std::to_string(chance()) + std::to_string(chance()) + ".";
    }

    std::string_view name() const override { return "exec"; }
    bool has_own_root() const override { return true; }
    std::span<const Option> options() const override { return kOptions; }
    std::string owner_here(const std::string& user) const override {
        return user.empty() ? kDefaultUser : user;
    }
    Result<TaskSpec> spec(const Value::Map& config, const TaskContext& context) const override;
    DriverState fingerprint() override;
    Result<std::map<std::string, std::string>> machine_environment(const TaskLocation& at,
                                                                   const TaskSpec& spec) override;
    Result<Launch> prepare(const TaskLocation& at, const TaskSpec& spec) override;
    Result<std::unique_ptr<ExecSession>> exec(const StartedTask& task,
                                              const ExecRequest& request) override;
    Result<TaskUsage> usage(const StartedTask& task) override {
        return usage_of_group(read_cgroups(), group_of(task.at));
    }
    Result<void> confine(const StartedTask& task, const std::string& cpus) override {
        return set_cpus(read_cgroups(), group_of(task.at), cpus);
    }
    Result<void> clean_up(const StartedTask& task) override;
    void collect(const LiveTasks& live) override;

  private:
    static std::string group_of(const TaskLocation& at) {
        return kCgroupParent + ("/" + container_name(at));
    }
    Result<BundleFacts> facts_of(const TaskLocation& at, const TaskSpec& spec) const;
    std::vector<std::string> call(const std::string& runc, std::vector<std::string> args) const;
    Result<std::string> find_runc() const {
        return find_executable(
            {.command = settings_.runc, .folders = {}, .path = kToolPath, .on_host = {}});
    }
    Result<void> remove(const std::string& container) const;

    DriverSettings settings_;
    std::string state_;          ///< runc's own records of its containers
    std::string sessions_name_;  ///< of their folders; no other agent's begin so
    std::atomic<std::uint64_t> sessions_ = 0;
    std::atomic<bool> swept_ = false;
};

Result<TaskSpec> Exec::spec(const Value::Map& config, const TaskContext& context) const {
    TRY(judge_config(name(), config, kOptions));
    const ConfigReader options(config);
    TaskSpec spec = common_spec(name(), config, context);
    spec.argv = options.texts("args");
    spec.argv.insert(spec.argv.begin(), options.text("command"));
    for (const std::string& variable : options.texts("denied_envvars")) spec.env.erase(variable);
    spec.work_dir = options.has("work_dir") ? options.text("work_dir") : "/";
    if (!spec.work_dir.starts_with('/'))
        return wrong("option work_dir must be an absolute path; write for instance " +
                     std::string("work_dir = \"/local\""));
    for (const char* option : {"pid_mode", "ipc_mode"})
        if (const std::string mode = options.text(option);
            !mode.empty() && mode != "private" && mode != "host")
            return wrong("option " + std::string(option) + " must be \"private\" or \"host\"");
    for (const char* option : {"cap_add", "cap_drop"})
        TRY(named_capabilities(options.texts(option)));
    spec.oom_score_adj = options.number("oom_score_adj");
    if (spec.user.empty()) spec.user = kDefaultUser;
    return spec;
}

DriverState Exec::fingerprint() {
    DriverState out;
    const Cgroups cgroups = look_for_cgroups();
    const auto runc = find_runc();
    out.description = "exec needs the program runc: install Debian's package runc";
    if (!runc) return out;
    out.detected = true;
    out.description = "exec needs an agent that runs as root";
    if (geteuid() != 0) return out;
    out.description = "exec needs control groups; none are mounted on this machine";
    if (!cgroups.any()) return out;
    const auto said = run_program({.argv = {*runc, "--version"}, .env = {}, .input = {}});
    out.description = "runc does not work: " +
                      (said ? describe(*said, ProgramCall().timeout) : said.error().detail);
    if (!said || !said->ok()) return out;
    out.healthy = true;
    out.description = "Healthy";
    const std::string first = said->out.substr(0, said->out.find('\n'));
    out.attributes = {{"driver.exec", "1"},
                      {"driver.exec.runc.version", first.substr(first.rfind(' ') + 1)}};
    return out;
}

std::vector<std::string> Exec::call(const std::string& runc, std::vector<std::string> args) const {
    args.insert(args.begin(), {runc, "--root", state_});
    return args;
}

/// Fine when there is no such container.
Result<void> Exec::remove(const std::string& container) const {
    if (access((state_ + "/" + container).c_str(), F_OK) != 0) return {};
    const std::string runc = TRY(find_runc());
    const ProgramCall program{
        .argv = call(runc, {"delete", "--force", container}), .env = {}, .input = {}};
    const ProgramEnd end = TRY(run_program(program));
    if (end.ok()) return {};
    return {end.timed_out ? Errc::timeout : Errc::io,
            "runc delete " + container + ": it " + describe(end, program.timeout) + ": " + end.err};
}

Result<BundleFacts> Exec::facts_of(const TaskLocation& at, const TaskSpec& spec) const {
    const ConfigReader options(spec.config);
    BundleFacts facts;
    facts.alloc_dir = at.alloc_dir;
    for (const std::string& dir : chroot_dirs())
        if (access(dir.c_str(), F_OK) == 0) facts.host_dirs.push_back(dir);
    facts.account = TRY(account_of(spec.user));
    facts.superuser = facts.account.uid == 0;
    if (facts.superuser && !settings_.exec_root)
        return {Errc::invalid,
                "driver exec runs no task as root on this peer; leave out the task's "
                "user, or have the agent started with --exec-root on"};
    facts.capabilities = TRY(capabilities_of(options.texts("cap_add"), options.texts("cap_drop"),
                                             settings_.caps_allowed));
    for (const std::string& name : TRY(named_capabilities(options.texts("cap_add"))))
        facts.ambient.insert(name);
    facts.cgroup = group_of(at);
    facts.cgroup_v2 = read_cgroups().v2;
    return facts;
}

Result<std::map<std::string, std::string>> Exec::machine_environment(const TaskLocation& at,
                                                                     const TaskSpec& spec) {
    std::map<std::string, std::string> out = TRY(cores_environment(settings_.alloc_root, at, spec));
    out["NOMAD_PARENT_CGROUP"] = kCgroupParent;
    for (const std::string& denied : ConfigReader(spec.config).texts("denied_envvars"))
        out.erase(denied);
    return out;
}

Result<Launch> Exec::prepare(const TaskLocation& at, const TaskSpec& spec) {
    const std::string runc = TRY(find_runc());
    const std::string container = container_name(at);
    const std::string dir = driver_dir(at);
    if (mkdir(state_.c_str(), 0700) != 0 && errno != EEXIST)
        return {Errc::io, "make " + state_ + ": " + std::strerror(errno)};
    TRY(remove(container));
    BundleFacts facts = TRY(facts_of(at, spec));
    facts.executable = TRY(executable_of(spec, spec.argv.front()));
    facts.cpus = TRY(cpus_for(settings_.alloc_root, at, spec.resources.cores));
    TRY(give_to(facts.account, spec.task_dir));
    const std::string config = value_to_json(oci_config(spec, facts));
    TRY(write_driver_file(dir + "/config.json", as_bytes(config)));
    const std::string log = dir + "/runc.log";
    unlink(log.c_str());
    LaunchContainer out;
    out.log_file = log;
    out.pid_file = dir + "/pid";
    out.oom_file = oom_file(read_cgroups(), facts.cgroup);
    const std::vector<std::string> logged = {"--log", log, "--log-format", "json"};
    const auto with_log = [&](std::vector<std::string> args) {
        args.insert(args.begin(), logged.begin(), logged.end());
        return call(runc, std::move(args));
    };
    out.create = with_log({"create", "--bundle", dir, "--pid-file", out.pid_file, container});
    out.start = with_log({"start", container});
    out.remove = call(runc, {"delete", "--force", container});
    return Launch(std::move(out));
}

Result<std::unique_ptr<ExecSession>> Exec::exec(const StartedTask& task,
                                                const ExecRequest& request) {
    const std::string runc = TRY(find_runc());
    const BundleFacts facts = TRY(facts_of(task.at, task.spec));
    std::vector<std::string> argv = request.argv;
    argv.front() = TRY(executable_of(task.spec, argv.front()));
    const std::string scratch =
        driver_dir(task.at) + "/" + sessions_name_ + std::to_string(++sessions_);
    std::error_code error;
    if (!std::filesystem::create_directory(scratch, error))
        return {Errc::io, "make " + scratch + ": " + error.message()};
    const std::string process =
        value_to_json(oci_process(task.spec, facts, argv, request.env, request.terminal));
    TRY(write_driver_file(scratch + "/process.json", as_bytes(process)));
    SessionProcess session{.executable = runc,
                           .argv = {},
                           .env = {{"PATH", kToolPath}},
                           .work_dir = "/",
                           .network = {},
                           .account = {},
                           .terminal = request.terminal,
                           .pid_file = scratch + "/pid",
                           .pid_group = group_of(task.at),
                           .scratch = scratch};
    session.argv = call(runc, {"exec", "--process", scratch + "/process.json", "--pid-file",
                               session.pid_file, container_name(task.at)});
    return start_session(session);
}

Result<void> Exec::clean_up(const StartedTask& task) {
    if (const auto record = read_record(task.at.alloc_dir, task.at.task)) kill_left_behind(*record);
    const Result<void> removed = remove(container_name(task.at));
    remove_group(read_cgroups(), group_of(task.at));
    TRY(removed);
    give_back_cores(task.at);  // only now does nobody run there
    return {};
}

/// Commands inside that an earlier agent left: with it went runc, but not what runc had started.
void Exec::collect(const LiveTasks& live) {
    if (swept_) return;
    const auto tasks = live();
    if (!tasks || swept_.exchange(true)) return;
    for (const StartedTask& task : *tasks) {
        if (task.spec.driver != name()) continue;
        std::error_code gone;
        std::vector<std::string> stale;
        for (std::filesystem::directory_iterator at(driver_dir(task.at), gone), end;
             !gone && at != end; at.increment(gone)) {
            const std::string folder = at->path().filename();
            if (folder.starts_with("exec.") && !folder.starts_with(sessions_name_))
                stale.push_back(at->path());
        }
        for (const std::string& folder : stale) {
            kill_in_group(group_of(task.at), folder + "/pid");
            std::filesystem::remove_all(folder, gone);
        }
    }
}

}  // namespace

std::unique_ptr<Driver> make_exec(const DriverSettings& settings) {
    return std::make_unique<Exec>(settings);
}

}  // namespace gaggle::allocrunner
