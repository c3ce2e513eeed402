// docker: containers of an engine on its Unix socket, Docker's or Podman's, by the Engine API.
//
// The agent has the image fetched and the container created; gctl-shim attaches to it, starts it,
// waits for it and removes it, so neither an agent's restart nor its death touches the container.
// A container whose supervisor died is found by its name, one whose allocation is gone by its
// label; both are removed.
#include <time.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "allocrunner/drivers/container_name.h"
#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/docker_container.h"
#include "allocrunner/drivers/docker_images.h"
#include "allocrunner/drivers/docker_pause.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/engine_http.h"
#include "allocrunner/drivers/engine_session.h"
#include "allocrunner/drivers/json_words.h"
#include "allocrunner/network/record.h"
#include "base/account.h"
#include "base/log.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kFingerprintPatience = 5s;
constexpr Duration kCreatePatience = 60s;
constexpr Duration kUsagePatience = 2s;         // figures that come later are of no use
constexpr std::int64_t kStrayAgeSeconds = 120;  // younger ones may just be being started

class Docker : public Driver {
  public:
    explicit Docker(const DriverSettings& settings)
        : settings_(settings),
          images_(settings.docker_socket, settings.alloc_root + "/.docker-images",
                  settings.image_delay),
          pause_(settings.docker_socket, settings.shim_path, images_) {}

    std::string_view name() const override { return "docker"; }
    bool has_own_root() const override { return true; }
    std::span<const Option> options() const override { return docker_options(); }
    bool takes_host_environment() const override { return false; }
    std::string owner_here(const std::string& user) const override {
        return numbered_account(user) ? user : "";  // names are the image's
    }

    Result<TaskSpec> spec(const Value::Map& config, const TaskContext& context) const override {
        TRY(judge_config(name(), config, docker_options()));
        TRY(judge_docker(config));
        const ConfigReader options(config);
        TaskSpec spec = common_spec(name(), config, context);
        spec.argv = options.texts("args");
        if (options.has("command")) spec.argv.insert(spec.argv.begin(), options.text("command"));
        spec.work_dir = options.text("work_dir");
        spec.oom_score_adj = options.number("oom_score_adj");
        return spec;
    }

    DriverState fingerprint() override;
    Result<std::optional<Fetching>> fetching(const TaskLocation& at, const TaskSpec& spec) override;
    Result<std::map<std::string, std::string>> machine_environment(const TaskLocation& at,
                                                                   const TaskSpec& spec) override {
        return cores_environment(settings_.alloc_root, at, spec);
    }
    Result<Launch> prepare(const TaskLocation& at, const TaskSpec& spec) override;
    Result<std::unique_ptr<ExecSession>> exec(const StartedTask& task,
                                              const ExecRequest& request) override;
    Result<TaskUsage> usage(const StartedTask& task) override;
    Result<void> confine(const StartedTask& task, const std::string& cpus) override;
    Result<void> clean_up(const StartedTask& task) override;
    void collect(const LiveTasks& live) override;

  private:
    Result<EngineAnswer> ask(EngineCall call) const {
        return call_engine(settings_.docker_socket, call);
    }
    Result<void> remove(const std::string& container) const;
    Result<bool> is_podman() const;
    ContainerFacts facts_of(const TaskLocation& at) const;
    Result<std::string> create(const std::string& container, const Value& body) const;
    Result<void> join_network(const TaskLocation& at, const TaskSpec& spec, ContainerFacts& facts);

    DriverSettings settings_;
    DockerImages images_;
    DockerPause pause_;
};

/// Where the job may not mount paths of the machine, a link in its own directory may not either.
Result<void> keep_inside(const TaskLocation& at, const TaskSpec& spec) {
    const ConfigReader options(spec.config);
    std::vector<std::string> sources;
    for (const std::string& volume : options.texts("volumes"))
        sources.push_back(volume.substr(0, volume.find(':')));
    for (const char* option : {"mount", "mounts"})
        for (const Value::Map& block : options.blocks(option))
            sources.push_back(ConfigReader(block).text("source"));
    std::error_code ignored;
    const auto inside = std::filesystem::weakly_canonical(at.alloc_dir, ignored).string() + "/";
    for (const std::string& source : sources) {
        const std::string path = spec.task_dir + "/" + source;
        if (!std::filesystem::weakly_canonical(path, ignored).string().starts_with(inside))
            return {Errc::denied,
                    "mount " + source + ": a link in it leads out of the allocation's directory"};
    }
    return {};
}

bool names_podman(const Value& version) {
    const Value* components = json::find(version, {"Components"});
    const auto* list =
        components == nullptr ? nullptr : std::get_if<Value::List>(&components->data);
    if (list == nullptr) return false;
    for (const Value& component : *list)
        if (json::text_at(component, {"Name"}).find("Podman") != std::string::npos) return true;
    return false;
}

DriverState Docker::fingerprint() {
    DriverState out;
    const auto answer = ask({.target = "/version", .patience = kFingerprintPatience});
    out.detected = answer || answer.error().code == Errc::timeout;
    if (!answer) {
        out.description = answer.error().detail;
        if (!out.detected)
            out.description +=
                "; start Docker (or Podman's API service), or name its socket by "
                "--docker-socket";
        return out;
    }
    const Value version = answer->json();
    const std::string number = json::text_at(version, {"Version"});
    if (!answer->ok() || number.empty()) {
        out.description = "the container engine answers, but not with its version: HTTP " +
                          std::to_string(answer->status);
        return out;
    }
    out.healthy = true;
    out.description = "Healthy";
    out.attributes = {{"driver.docker", "1"}, {"driver.docker.version", number}};
    out.attributes["driver.docker.os_type"] = json::text_at(version, {"Os"});
    out.attributes["driver.docker.engine"] = names_podman(version) ? "podman" : "docker";
    if (settings_.docker_privileged) out.attributes["driver.docker.privileged.enabled"] = "1";
    if (settings_.docker_volumes) out.attributes["driver.docker.volumes.enabled"] = "1";
    return out;
}

Result<bool> Docker::is_podman() const {
    const EngineAnswer answer = TRY(ask({.target = "/version"}));
    return names_podman(answer.json());
}

Result<void> Docker::remove(const std::string& container) const {
    const EngineAnswer answer =
        TRY(ask({.method = "DELETE", .target = "/containers/" + container + "?force=1&v=1"}));
    // 409: its removal is already under way.
    if (answer.ok() || answer.missing() || answer.status == 409) return {};
    // The engine is there, and the container too: it may run.
    return {Errc::io, "remove container " + container + ": " + answer.message()};
}

Result<std::string> Docker::create(const std::string& container, const Value& body) const {
    const EngineAnswer answer = TRY(ask({.method = "POST",
                                         .target = "/containers/create?name=" + container,
                                         .headers = {},
                                         .body = body,
                                         .file = {},
                                         .archive = {},
                                         .patience = kCreatePatience}));
    const std::string id = json::text_at(answer.json(), {"Id"});
    if (answer.ok() && !id.empty()) return id;
    const bool ours = answer.status == 400 || answer.missing();
    return {ours ? Errc::invalid : Errc::unavailable,
            "create container " + container + ": " + answer.message()};
}

/// What the engine needs to put a container into the allocation's network.
Result<void> Docker::join_network(const TaskLocation& at, const TaskSpec& spec,
                                  ContainerFacts& facts) {
    if (TRY(is_podman()))
        facts.joins = "ns:" + spec.network.netns;
    else
        TRY(pause_.make_present(at.alloc, {.netns = spec.network.netns,
                                           .hostname = spec.network.hostname,
                                           .owner = settings_.alloc_root}));
    if (!ConfigReader(spec.config).has("extra_hosts")) return {};
    std::ifstream before(spec.network.hosts_file);
    const std::string hosts =
        TRY(with_extra_hosts({std::istreambuf_iterator<char>(before), {}}, spec));
    facts.hosts_file = TRY(write_network_file(at.alloc_dir, "hosts." + at.task, hosts));
    return {};
}

ContainerFacts Docker::facts_of(const TaskLocation& at) const {
    return {.alloc_dir = at.alloc_dir,
            .cpus = {},
            .owner = settings_.alloc_root,
            .privileged_allowed = settings_.docker_privileged,
            .volumes_allowed = settings_.docker_volumes,
            .caps_allowed = settings_.caps_allowed,
            .joins = "container:" + pause_name(at.alloc),
            .hosts_file = {}};
}

/// The image. What is not allowed is said before it is fetched.
Result<std::optional<Fetching>> Docker::fetching(const TaskLocation& at, const TaskSpec& spec) {
    TRY(container_body(spec, facts_of(at)));
    const std::string what = TRY(images_.key_of(spec));
    return std::optional(Fetching{
        what, [this, spec](const FetchWatch& watch) { return images_.make_present(spec, watch); }});
}

Result<Launch> Docker::prepare(const TaskLocation& at, const TaskSpec& spec) {
    const std::string container = container_name(at);
    ContainerFacts facts = facts_of(at);
    TRY(remove(container));  // which could still move links under what is judged next
    if (!settings_.docker_volumes) TRY(keep_inside(at, spec));
    if (joins_network(spec)) TRY(join_network(at, spec, facts));
    facts.cpus = TRY(cpus_for(settings_.alloc_root, at, spec.resources.cores));
    LaunchEngine out;
    out.socket = settings_.docker_socket;
    out.container = TRY(create(container, TRY(container_body(spec, facts))));
    out.terminal = ConfigReader(spec.config).flag("tty");
    return Launch(std::move(out));
}

Result<std::unique_ptr<ExecSession>> Docker::exec(const StartedTask& task,
                                                  const ExecRequest& request) {
    const std::string container = container_name(task.at);
    const bool terminal = request.terminal.has_value();
    const Value body = json::object({{"AttachStdin", json::flag(true)},
                                     {"AttachStdout", json::flag(true)},
                                     {"AttachStderr", json::flag(true)},
                                     {"Tty", json::flag(terminal)},
                                     {"Env", json::environment(request.env)},
                                     {"Cmd", json::texts(request.argv)}});
    const EngineAnswer answer =
        TRY(ask({.method = "POST", .target = "/containers/" + container + "/exec", .body = body}));
    const std::string id = json::text_at(answer.json(), {"Id"});
    if (!answer.ok() || id.empty())
        return {answer.missing() || answer.status == 409 ? Errc::not_found : Errc::unavailable,
                "run " + request.argv.front() + " inside container " + container + ": " +
                    answer.message()};
    auto session = TRY(start_engine_session(settings_.docker_socket, id, terminal));
    if (request.terminal) session->resize(*request.terminal);
    return session;
}

Result<TaskUsage> Docker::usage(const StartedTask& task) {
    const std::string container = container_name(task.at);
    const EngineAnswer answer =
        TRY(ask({.target = "/containers/" + container + "/stats?stream=false&one-shot=1",
                 .patience = kUsagePatience}));
    const Value told = answer.json();
    const Value* memory = json::find(told, {"memory_stats"});
    if (!answer.ok() || memory == nullptr || json::number_at(*memory, {"usage"}) == 0)
        return {Errc::not_found, "measure container " + container + ": " +
                                     (answer.ok() ? "it does not run" : answer.message())};
    const auto count = [&](std::initializer_list<const char*> path) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, json::number_at(told, path)));
    };
    TaskUsage out;
    out.user_nanoseconds = count({"cpu_stats", "cpu_usage", "usage_in_usermode"});
    out.system_nanoseconds = count({"cpu_stats", "cpu_usage", "usage_in_kernelmode"});
    out.throttled_periods = count({"cpu_stats", "throttling_data", "throttled_periods"});
    out.throttled_nanoseconds = count({"cpu_stats", "throttling_data", "throttled_time"});
    const bool v2 = json::find(*memory, {"stats", "anon"}) != nullptr;
    out.rss = count({"memory_stats", "stats", v2 ? "anon" : "total_rss"});
    out.cache = count({"memory_stats", "stats", v2 ? "file" : "total_cache"});
    out.swap = count({"memory_stats", "stats", "swap"});
    out.used = count({"memory_stats", "usage"});
    out.used_max = count({"memory_stats", "max_usage"});
    out.processes = count({"pids_stats", "current"});
    return out;
}

/// Podman has no such call among Docker's, but one of its own.
Result<void> Docker::confine(const StartedTask& task, const std::string& cpus) {
    const std::string container = container_name(task.at);
    const bool podman = TRY(is_podman());
    EngineCall call{.method = "POST", .target = "/containers/" + container + "/update"};
    call.body = json::object({{"CpusetCpus", json::text(cpus)}});
    if (podman) {
        call.target = "/v4.3.0/libpod" + call.target;
        call.body = json::object({{"cpu", json::object({{"cpus", json::text(cpus)}})}});
    }
    const EngineAnswer answer = TRY(ask(std::move(call)));
    if (answer.ok()) return {};
    return {answer.missing() || answer.status == 409 ? Errc::not_found : Errc::unavailable,
            "keep container " + container + " on processors " + cpus + ": " + answer.message()};
}

Result<void> Docker::clean_up(const StartedTask& task) {
    TRY(remove(container_name(task.at)));
    give_back_cores(task.at);  // only now does nobody run there
    if (joins_network(task.spec)) return pause_.remove(task.at.alloc);
    return {};
}

/// Containers with this agent's label that belong to no task on its disk.
void Docker::collect(const LiveTasks& live) {
    images_.collect();
    const std::string filter = value_to_json(json::object(
        {{"label",
          json::list({json::text(std::string(kOwnerLabel) + "=" + settings_.alloc_root)})}}));
    const auto answer =
        ask({.target = "/containers/json?all=1&filters=" + percent_encoded(filter)});
    const Value told = answer && answer->ok() ? answer->json() : Value{};
    const auto* containers = std::get_if<Value::List>(&told.data);
    if (containers == nullptr || containers->empty()) return;
    const auto tasks = live();
    if (!tasks) return log::warn("collect containers: {}", tasks.error().detail);
    std::set<std::string> known;
    for (const StartedTask& task : *tasks) {
        known.insert("/" + container_name(task.at));
        if (joins_network(task.spec) || task.spec.driver.empty())
            known.insert("/" + pause_name(task.at.alloc));
    }
    for (const Value& container : *containers) {
        const Value* names = json::find(container, {"Names"});
        const auto* list = names == nullptr ? nullptr : std::get_if<Value::List>(&names->data);
        const auto* first = list == nullptr || list->empty()
                                ? nullptr
                                : std::get_if<std::string>(&list->front().data);
        const std::int64_t age = ::time(nullptr) - json::number_at(container, {"Created"});
        if (first == nullptr || known.count(*first) != 0 || age < kStrayAgeSeconds) continue;
        (void)remove(json::text_at(container, {"Id"})).ok();  // or the next time
    }
}

}  // namespace

std::unique_ptr<Driver> make_docker(const DriverSettings& settings) {
    return std::make_unique<Docker>(settings);
}

}  // namespace gaggle::allocrunner
