#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "allocrunner/alloc_dir.h"
#include "allocrunner/disk_watcher.h"
#include "allocrunner/drivers/spec_file.h"
#include "allocrunner/local_tasks.h"
#include "allocrunner/logs.h"
#include "allocrunner/network/alloc_networks.h"
#include "allocrunner/port_probe.h"
#include "allocrunner/script_runner.h"
#include "allocrunner/secret_dirs.h"
#include "allocrunner/setup/secrets.h"
#include "allocrunner/shared_cores.h"
#include "allocrunner/state_saver.h"
#include "allocrunner/task_fetches.h"
#include "allocrunner/task_links.h"
#include "allocrunner/task_set_ups.h"
#include "allocrunner/work_pool.h"
#include "base/log.h"
#include "base/wire.h"

extern char** environ;

namespace gaggle::allocrunner {

namespace {

constexpr Duration kAdoptionPatience = 1s;
constexpr std::uint64_t kEveryFile = std::numeric_limits<std::uint64_t>::max();

/// Whether another try may go better.
bool may_pass(const Error& error) {
    return error.code == Errc::unavailable || error.code == Errc::timeout || error.code == Errc::io;
}

/// A task whose supervisor was asked how it is.
struct CalledTask {
    TaskPlace place;
    ShimCall call;
};

/// Every live task costs the agent one descriptor. Gives the limit as it was, for the tasks.
std::uint64_t raise_file_limit() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
    const std::uint64_t before = files.rlim_cur;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        log::warn("open files stay limited to {}; so are tasks", before);
    return before;
}

}  // namespace

struct LocalTasks::Impl {
    LocalTasksConfig config;
    std::function<void(Input)> deliver;
    std::uint64_t nofile_soft = 0;
    std::unique_ptr<TaskLinks> links;
    std::unique_ptr<StateSaver> saver;
    std::unique_ptr<DiskWatcher> usage;
    std::unique_ptr<Drivers> drivers;
    std::unique_ptr<ScriptRunner> scripts;
    std::optional<AllocNetworks> networks;
    std::unique_ptr<TaskSetUps> set_ups;
    std::unique_ptr<TaskFetches> fetches;
    std::unique_ptr<WorkPool> workers;
    std::unique_ptr<SharedCores> cores;

    std::string dir_of(const AllocId& alloc) const {
        return config.alloc_root + "/" + to_string(alloc);
    }

    Result<std::string> prepare(const Order& order, Restoring restoring) {
        std::string note = TRY(make_alloc_dir(config.alloc_root, order, restoring));
        TRY(mount_secret_dirs(dir_of(order.alloc), order.group));
        const bool from_copy = order.restore.kind == Restore::Kind::from_copy;
        if (!from_copy || restoring == Restoring::settled) return note;
        if (!config.restore_copy)
            return {Errc::unavailable, "restore from a copy: this agent keeps no copies"};
        return config.restore_copy(order, dir_of(order.alloc));
    }

    void limit_disk(const Order& order) {
        const auto bytes = std::max<std::int64_t>(order.group.disk.size.value, 0) << 20U;
        usage->set_limit(order.alloc, static_cast<std::uint64_t>(bytes));
    }

    void set_up_network(const PrepareDir& work, DirReady& ready) {
        auto network = networks->set_up(dir_of(work.order.alloc), work.network);
        if (network)
            ready.network = std::move(*network);
        else
            ready.error = network.error().detail;
    }

    void act(ProbePorts& work) {
        auto taken = taken_ports(config.host_ip, work.ports);
        deliver({wall_clock(), PortsProbed{work.alloc, std::move(work.ports), std::move(taken)}});
    }

    void act(PrepareDir& work) {
        saver->forget(work.order.alloc, SealedFile::order);  // this one is newer: two would race
        DirReady ready{.alloc = work.order.alloc, .note = {}, .error = {}};
        Result<std::string> done =
            prepare(work.order, work.again ? Restoring::settled : Restoring::wanted);
        if (done)
            ready.note = std::move(*done);
        else
            ready.error = within("prepare the allocation's directory", done.error()).detail;
        limit_disk(work.order);
        if (done) usage->watch(work.order.alloc);
        if (done) set_up_network(work, ready);
        deliver({wall_clock(), std::move(ready)});
    }

    Result<void> open_set_ups() {
        if (config.set_ups.fetch_path.empty())
            config.set_ups.fetch_path =
                config.shim_path.substr(0, config.shim_path.rfind('/') + 1) + "gctl-fetch";
        set_ups = TRY(TaskSetUps::open(
            config.set_ups,
            [this](const setup::TaskKey& task, const ChangeScript& what,
                   std::function<void(const Result<ExecEnd>&)> ended) {
                TaskScript script{task.alloc, task.task, {what.command}, what.timeout};
                script.argv.insert(script.argv.end(), what.args.begin(), what.args.end());
                scripts->run(std::move(script), std::move(ended));
            },
            deliver));
        return {};
    }

    void act(SetUpTask& work) { set_ups->begin(work); }
    void act(EndSetUp& work) { set_ups->end(work); }

    TaskLocation location_of(const AllocId& alloc, const std::string& task) const {
        return {.alloc = to_string(alloc), .alloc_dir = dir_of(alloc), .task = task};
    }

    void not_started(const StartTask& work, const Error& error) {
        deliver({wall_clock(),
                 TaskNotStarted{work.alloc, work.task, work.run,
                                "start task " + work.task + ": " + error.detail, may_pass(error)}});
    }

    Result<std::optional<Fetching>> fetching(const StartTask& work) {
        Driver* driver = drivers->find(work.spec.driver);
        if (driver == nullptr)
            return {Errc::invalid, "this peer does not offer driver " + work.spec.driver};
        return driver->fetching(location_of(work.alloc, work.task), work.spec);
    }

    void act(StartTask& work) {
        usage->watch(work.alloc);  // after a start of the agent nothing may have run of it
        Result<std::optional<Fetching>> needed = fetching(work);
        if (!needed) return not_started(work, needed.error());
        if (!*needed) return start(work);
        const TaskFetches::Key key{work.alloc, work.task};
        const auto waits = std::make_shared<StartTask>(std::move(work));  // of both callbacks
        fetches->begin(key, std::move(**needed),
                       {.say =
                            [this, waits](const std::string& progress) {
                                const WallTime wall = wall_clock();
                                deliver({wall, TaskNote{waits->alloc, waits->task,
                                                        event_task_setup(wall, progress)}});
                            },
                        .ended =
                            [this, waits](const Result<void>& fetched) {
                                workers->push(waits->alloc, [this, waits, fetched] {
                                    if (!fetched) return not_started(*waits, fetched.error());
                                    start(*waits);
                                });
                            }});
    }

    void act(AbortStart& work) {
        if (!fetches->end({work.alloc, work.task})) return;  // it starts by now: that ends soon
        deliver({wall_clock(), TaskNotStarted{work.alloc, work.task, work.run,
                                              "stopped before it was started", false, true}});
    }

    Result<Launch> make_ready(const StartTask& work) {
        const TaskLocation at = location_of(work.alloc, work.task);
        TRY(save_spec(at, work.spec));
        return drivers->find(work.spec.driver)->prepare(at, work.spec);
    }

    void start(StartTask& work) {
        Result<Launch> launch = make_ready(work);
        if (!launch) return not_started(work, launch.error());
        const std::string dir = dir_of(work.alloc);
        const auto files_max = work.spec.logs.disabled
                                   ? kEveryFile
                                   : static_cast<std::uint64_t>(work.spec.logs.files_max);
        ShimOrder order{
            .shim_path = config.shim_path,
            .alloc_dir = dir,
            .task = work.task,
            .title = TaskPlace{work.alloc, dir, work.task}.title(),
            .run = work.run,
            .spec = std::move(work.spec),
            .launch = std::move(*launch),
            .out_number = trim_logs(dir, work.task, LogStream::stdout_stream, files_max),
            .err_number = trim_logs(dir, work.task, LogStream::stderr_stream, files_max),
            .nofile_soft = nofile_soft};
        auto started = start_shim(order);
        if (const auto* failure = std::get_if<StartFailure>(&started)) {
            clean_up(location_of(work.alloc, work.task));
            return deliver({wall_clock(), TaskNotStarted{work.alloc, work.task, work.run,
                                                         failure->error, failure->may_pass}});
        }
        cores->on_started(location_of(work.alloc, work.task), order.spec);
        auto& live = std::get<LiveShim>(started);
        deliver({wall_clock(), TaskStarted{work.alloc, work.task, work.run, live.record.pid}});
        links->watch({work.alloc, dir, work.task}, std::move(live));
    }

    /// What is left behind of its network and its mounts, in words.
    std::optional<std::string> tear_down(const AllocId& alloc) {
        std::string left;
        for (const Result<void>& done :
             {networks->tear_down(dir_of(alloc)), unmount_secret_dirs(dir_of(alloc))})
            if (!done) left += (left.empty() ? "" : "; ") + done.error().detail;
        if (left.empty()) return std::nullopt;
        log::warn("allocation {}: {}", to_string(alloc), left);
        return left;
    }

    /// What a task without a supervisor may have left, and what was made for it.
    void clean_up(const TaskLocation& at) {
        const auto started = find_started(at);
        Driver* driver = started ? drivers->find(started->spec.driver) : nullptr;
        const Result<void> cleaned = driver ? driver->clean_up(*started) : Result<void>();
        if (!cleaned)
            log::warn("allocation {}: clear up after task {}: {}", at.alloc, at.task,
                      cleaned.error().detail);
        if (started) cores->on_cleared(started->spec);
    }

    void clean_up_all(const AllocId& alloc) {
        for (const StartedTask& task : all_started(to_string(alloc), dir_of(alloc)))
            clean_up(task.at);
    }

    void act(TearDown& work) {
        set_ups->end(work.alloc);
        clean_up_all(work.alloc);
        usage->rest(work.alloc);
        deliver({wall_clock(), TornDown{work.alloc, tear_down(work.alloc)}});
    }

    void act(RemoveDir& work) {
        usage->forget(work.alloc);
        saver->forget(work.alloc);
        set_ups->end(work.alloc);
        clean_up_all(work.alloc);
        tear_down(work.alloc);
        const Result<void> unmounted = setup::unmount_below(dir_of(work.alloc));
        if (!unmounted) return log::warn("{}", unmounted.error().detail);
        const Result<void> removed = remove_alloc_dir(dir_of(work.alloc));
        if (!removed) log::warn("{}", removed.error().detail);
    }

    void act(SignalTask& work) {
        links->signal(work.alloc, work.task, static_cast<std::int32_t>(work.signal));
    }
    void act(KillTask& work) { links->kill(work.alloc, work.task); }
    void act(RunCheck& work) {
        if (work.script) return scripts->run(std::move(work));
        links->check(work);
    }
    void act(SaveState& work) {
        std::function<void()> then;
        if (!work.then.empty())
            then = [this, ends = std::move(work.then)]() mutable {
                for (EndRun& end : ends) std::visit([&](auto& piece) { act(piece); }, end);
            };
        saver->save(work.alloc, SealedFile::state, std::move(work.state), std::move(then));
    }
    void act(SaveOrder& work) {
        limit_disk(work.order);
        saver->save(work.order.alloc, SealedFile::order, encode(work.order));
    }

    FoundAlloc scan_alloc(const AllocId& alloc);
    void call_tasks(const FoundAlloc& alloc, std::vector<CalledTask>& out);
    std::optional<FoundTask> adopt(CalledTask& called, Duration patience);
};

/// Asks all supervisors that may be there, so that they answer while others are asked.
void LocalTasks::Impl::call_tasks(const FoundAlloc& alloc, std::vector<CalledTask>& out) {
    const std::string dir = dir_of(alloc.alloc);
    std::vector<std::string> tasks = started_tasks(dir);
    if (alloc.order)
        for (const Task& task : alloc.order->group.tasks)
            if (std::find(tasks.begin(), tasks.end(), task.name) == tasks.end())
                tasks.push_back(task.name);
    for (const std::string& task : tasks)
        out.push_back({{alloc.alloc, dir, task}, call_shim(dir, task)});
}

std::optional<FoundTask> LocalTasks::Impl::adopt(CalledTask& called, Duration patience) {
    auto& [place, call] = called;
    std::optional<shim::Record> record;
    if (call.reach == ShimReach::reached) record = hear_shim(call, patience);
    const bool heard = record.has_value();
    if (!heard) record = read_record(place.alloc_dir, place.task);
    // While a shim starts its task it answers nothing, and the record is that of the run before.
    const bool newest = heard || call.reach == ShimReach::gone;
    if (record && newest && record->state == shim::RecordState::exited)
        return FoundTask{place.task, record->run, record->pid, {record->started}, exit_of(*record)};
    if (call.reach == ShimReach::gone) {
        if (record) kill_left_behind(*record);
        // An engine that hangs must not hold up the agent's start; whatever starts comes after it.
        workers->push(place.alloc,
                      [this, at = location_of(place.alloc, place.task)] { clean_up(at); });
        return std::nullopt;
    }
    if (!heard)
        log::warn(
            "allocation {}: the supervisor of task {} does not answer; the task is taken to "
            "run on",
            to_string(place.alloc), place.task);
    if (!record) record.emplace();  // nothing is known: run 0
    FoundTask found{place.task, record->run, record->pid, {record->started}, {}, heard};
    links->watch(place, std::move(call), *record, heard);
    return found;
}

FoundAlloc LocalTasks::Impl::scan_alloc(const AllocId& alloc) {
    const std::string dir = dir_of(alloc);
    FoundAlloc found{.alloc = alloc,
                     .order = {},
                     .state = {},
                     .tasks = {},
                     .network = AllocNetworks::recorded(dir)};
    Result<Bytes> bytes = load_sealed(dir, SealedFile::order);
    Result<Order> order = bytes ? decode<Order>(*bytes, "order", {.bytes = 16U << 20U})
                                : Result<Order>(bytes.error());
    if (order) {
        found.order = std::move(*order);
        limit_disk(*found.order);
    } else {
        log::error("allocation {}: {}; its tasks run on until an order for it arrives",
                   to_string(alloc), order.error().detail);
    }
    Result<Bytes> state = load_sealed(dir, SealedFile::state);
    if (state)
        found.state = std::move(*state);
    else if (state.error().code != Errc::not_found)
        log::error("allocation {}: {}; its history of restarts is lost", to_string(alloc),
                   state.error().detail);
    return found;
}

LocalTasks::LocalTasks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalTasks::~LocalTasks() { stop(); }

Result<std::unique_ptr<LocalTasks>> LocalTasks::open(LocalTasksConfig config,
                                                     std::function<void(Input)> deliver) {
    auto impl = std::make_unique<Impl>();
    impl->config = std::move(config);
    impl->deliver = std::move(deliver);
    impl->networks.emplace(impl->config.networks);
    TRY(make_folder(impl->config.alloc_root, 0711));
    impl->config.drivers.alloc_root = impl->config.alloc_root;
    impl->config.drivers.shim_path = impl->config.shim_path;
    impl->drivers = std::make_unique<Drivers>(impl->config.drivers);
    impl->nofile_soft = raise_file_limit();
    impl->links = TRY(TaskLinks::open(impl->deliver));
    impl->saver = std::make_unique<StateSaver>(
        impl->config.alloc_root, [raw = impl.get()](const AllocId& alloc, std::string error) {
            raw->deliver({wall_clock(), SaveFailed{alloc, std::move(error)}});
        });
    impl->usage = TRY(DiskWatcher::open(impl->config.alloc_root, impl->deliver));
    impl->scripts = std::make_unique<ScriptRunner>(
        *impl->drivers, [raw = impl.get()](const AllocId& alloc) { return raw->dir_of(alloc); },
        impl->deliver);
    TRY(impl->open_set_ups());
    impl->fetches = std::make_unique<TaskFetches>();
    impl->workers = std::make_unique<WorkPool>(impl->config.workers);
    impl->cores =
        std::make_unique<SharedCores>(*impl->drivers, *impl->workers, impl->config.alloc_root);
    return std::unique_ptr<LocalTasks>(new LocalTasks(std::move(impl)));
}

Recovered LocalTasks::scan() {
    Recovered out;
    const auto found = list_alloc_dirs(impl_->config.alloc_root);
    if (!found) log::error("look for allocations: {}", found.error().detail);
    if (!found) return out;
    std::vector<CalledTask> called;
    for (const AllocId& alloc : *found) {
        out.allocs.push_back(impl_->scan_alloc(alloc));
        impl_->call_tasks(out.allocs.back(), called);
    }
    // One patience for all of them together: the agent's start waits for this.
    const auto deadline = std::chrono::steady_clock::now() + kAdoptionPatience;
    auto alloc = out.allocs.begin();
    for (CalledTask& one : called) {
        while (alloc->alloc != one.place.alloc) ++alloc;  // both are in the same order
        const auto left =
            std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
        auto task = impl_->adopt(one, std::max<Duration>(left, 0s));
        if (!task) continue;
        if (!task->exit) impl_->usage->watch(alloc->alloc);
        alloc->tasks.push_back(std::move(*task));
    }
    impl_->cores->on_scanned();
    return out;
}

void LocalTasks::carry_out(Work work) {
    const AllocId alloc = alloc_of(work);
    const auto piece = std::make_shared<Work>(std::move(work));  // a std::function is copied
    impl_->workers->wait_for_room();
    impl_->workers->push(alloc, [raw = impl_.get(), piece] {
        std::visit([&](auto& what) { raw->act(what); }, *piece);
    });
}

void LocalTasks::stop() {
    impl_->workers->stop();
    impl_->fetches->stop();
    impl_->set_ups->stop();
    impl_->scripts->stop();
    impl_->usage->stop();
    impl_->saver->stop();
    impl_->links->stop();
}

void LocalTasks::services(setup::CatalogueSource source) {
    impl_->set_ups->services(std::move(source));
}

Drivers& LocalTasks::drivers() { return *impl_->drivers; }

std::string LocalTasks::alloc_dir(const AllocId& alloc) const { return impl_->dir_of(alloc); }

std::optional<DiskUse> LocalTasks::disk_use(const AllocId& alloc) const {
    return impl_->usage->use(alloc);
}

std::map<std::string, std::string> environment_for_tasks() {
    // Nomad's default denylist, and what is ours.
    constexpr std::string_view kDenied[] = {
        "CONSUL_TOKEN",          "CONSUL_HTTP_TOKEN", "VAULT_TOKEN",
        "NOMAD_LICENSE",         "NOMAD_TOKEN",       "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"};
    constexpr std::string_view kOurs[] = {"GAGGLE_", "GCTL_", "NOMAD_"};
    std::map<std::string, std::string> out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view line = *entry;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0) continue;
        const std::string_view name = line.substr(0, equals);
        const bool denied =
            std::find(std::begin(kDenied), std::end(kDenied), name) != std::end(kDenied) ||
            std::any_of(std::begin(kOurs), std::end(kOurs),
                        [&](std::string_view prefix) { return name.starts_with(prefix); });
        if (!denied) out.emplace(name, line.substr(equals + 1));
    }
    return out;
}

}  // namespace gaggle::allocrunner
