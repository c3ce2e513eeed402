#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <mutex>
#include <set>

#include "allocrunner/alloc_dir.h"
#include "allocrunner/disk_watcher.h"
#include "allocrunner/drivers/cores.h"
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
#include "allocrunner/take_over.h"
#include "allocrunner/task_fetches.h"
#include "allocrunner/task_links.h"
#include "allocrunner/task_set_ups.h"
#include "allocrunner/work_pool.h"
#include "base/log.h"
#include "base/names_in.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::uint64_t kEveryFile = std::numeric_limits<std::uint64_t>::max();

/// Whether another try may go better.
bool may_pass(const Error& error) {
    return error.code == Errc::unavailable || error.code == Errc::timeout || error.code == Errc::io;
}

/// What never blocks need not wait behind what may, not even of the same allocation.
bool is_quick(const Work& work) {
    return std::holds_alternative<SignalTask>(work) || std::holds_alternative<KillTask>(work) ||
           std::holds_alternative<RunCheck>(work) || std::holds_alternative<SaveState>(work);
}

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
    std::mutex ended_mutex;   ///< guards what follows
    std::set<AllocId> ended;  ///< torn down: nothing is rendered for them any more

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

    void set_ended(const AllocId& alloc) {
        const std::lock_guard lock(ended_mutex);
        ended.insert(alloc);
    }
    void set_begun(const AllocId& alloc) {
        const std::lock_guard lock(ended_mutex);
        ended.erase(alloc);
    }
    bool has_ended(const AllocId& alloc) {
        const std::lock_guard lock(ended_mutex);
        return ended.contains(alloc);
    }

    void act(PrepareDir& work) {
        set_begun(work.order.alloc);
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
            [this](const AllocId& alloc, std::function<void()> piece) {
                // What was due before the set-up heard of the end may come behind the tear-down,
                // and would write where the secrets' memory was: to the disk.
                workers->push(alloc, [this, alloc, piece = std::move(piece)] {
                    if (!has_ended(alloc)) piece();
                });
            },
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
                                                        event_driver_message(wall, progress)}});
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

    Result<Launch> make_ready(StartTask& work) {
        const TaskLocation at = location_of(work.alloc, work.task);
        Driver* driver = drivers->find(work.spec.driver);
        TRY(make_driver_dir(at));
        work.spec.env.merge(TRY(driver->machine_environment(at, work.spec)));
        TRY(save_spec(at, work.spec));
        return driver->prepare(at, work.spec);
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
            clean_up_or_say(location_of(work.alloc, work.task));
            return deliver({wall_clock(), TaskNotStarted{work.alloc, work.task, work.run,
                                                         failure->error, failure->may_pass}});
        }
        cores->on_started(location_of(work.alloc, work.task), order.spec);
        auto& live = std::get<LiveShim>(started);
        links->watch({work.alloc, dir, work.task}, std::move(live));
    }

    /// What a task without a supervisor may have left, and what was made for it.
    Result<void> clean_up(const TaskLocation& at) {
        const auto started = find_started(at);
        const std::string what = "clear up after task " + at.task;
        if (!started && started.error().code != Errc::not_found)
            return within(what, started.error());
        if (!started) {
            give_back(at);  // they are taken before there is a spec
            return {};
        }
        Driver* driver = drivers->find(started->spec.driver);
        const Result<void> cleaned = driver ? driver->clean_up(*started) : Result<void>();
        cores->on_cleared(at, started->spec.resources.cores > 0);
        if (cleaned) return {};
        return within(what, cleaned.error());
    }

    void give_back(const TaskLocation& at) const {
        const bool had_some = give_back_cores(at);
        cores->on_cleared(at, had_some);
    }

    void clean_up_or_say(const TaskLocation& at) {
        const Result<void> cleaned = clean_up(at);
        if (!cleaned) log::warn("allocation {}: {}", at.alloc, cleaned.error().detail);
    }

    /// As clean_up, for a task that never starts again. Where an engine is not there, nobody waits
    /// for it: the allocation is to go on elsewhere, and the driver collects what it does not know.
    /// So for a spec that says nothing any more.
    Result<void> clean_up_for_good(const TaskLocation& at, std::string& note) {
        const Result<void> cleaned = clean_up(at);
        if (cleaned) return {};
        const Errc why = cleaned.error().code;
        if (why != Errc::unavailable && why != Errc::corrupt) return cleaned;
        add(note, cleaned.error());
        give_back(at);
        std::error_code error;
        std::filesystem::remove_all(driver_dir(at), error);
        if (error) return {Errc::io, "remove " + driver_dir(at) + ": " + error.message()};
        return {};
    }

    static void add(std::string& text, const Error& error) {
        text += (text.empty() ? "" : "; ") + error.detail;
    }

    /// What of an allocation is still there, in words; each empty: nothing.
    struct Left {
        std::string passing;     ///< another try may go better
        std::string lasting;     ///< none does before somebody mends it: a plugin is not there
        std::string for_driver;  ///< to its collection
    };

    /// All that was set up around its tasks goes.
    Left tear_down(const AllocId& alloc) {
        Left left;
        std::vector<Result<void>> done;
        const auto tasks = names_in(dir_of(alloc) + "/driver");
        if (!tasks && tasks.error().code != Errc::not_found) done.emplace_back(tasks.error());
        if (tasks)
            for (const std::string& task : *tasks)
                done.push_back(clean_up_for_good(location_of(alloc, task), left.for_driver));
        done.push_back(networks->tear_down(dir_of(alloc)));
        done.push_back(unmount_secret_dirs(dir_of(alloc)));
        for (const Result<void>& one : done)
            if (!one) add(may_pass(one.error()) ? left.passing : left.lasting, one.error());
        if (!left.for_driver.empty()) {
            left.for_driver += "; its driver removes that when it next collects";
            log::warn("allocation {}: tear down: {}", to_string(alloc), left.for_driver);
        }
        return left;
    }

    void act(TearDown& work) {
        set_ended(work.alloc);
        set_ups->end(work.alloc);
        usage->rest(work.alloc);
        const Left left = tear_down(work.alloc);
        TornDown out{.alloc = work.alloc, .error = {}, .note = left.for_driver};
        std::string all = left.passing;
        if (!left.lasting.empty()) add(all, {Errc::io, left.lasting});
        if (!left.passing.empty()) {
            out.error = all;
            log::warn("allocation {}: tear down: {}; it keeps its ports, and this is tried again",
                      to_string(work.alloc), all);
        } else if (!all.empty()) {
            const std::string note = all + "; that stays, and is tried again with its directory";
            add(out.note, {Errc::io, note});
            log::warn("allocation {}: tear down: {}", to_string(work.alloc), note);
        }
        deliver({wall_clock(), std::move(out)});
    }

    void act(RemoveDir& work) {
        set_ended(work.alloc);
        usage->forget(work.alloc);
        saver->forget(work.alloc);
        set_ups->end(work.alloc);
        DirRemoved out{.alloc = work.alloc, .error = {}};
        if (const Result<void> removed = tear_down_and_remove(work.alloc); !removed) {
            out.error = removed.error().detail;
            log::warn("allocation {}: {}; its directory stays, and this is tried again",
                      to_string(work.alloc), *out.error);
        } else {
            set_begun(work.alloc);  // what comes late finds no directory
        }
        deliver({wall_clock(), std::move(out)});
    }

    /// Its directory says how what is left can be undone.
    Result<void> tear_down_and_remove(const AllocId& alloc) {
        const Left left = tear_down(alloc);
        std::string all = left.passing;
        if (!left.lasting.empty()) add(all, {Errc::io, left.lasting});
        if (!all.empty()) return {Errc::io, "tear down: " + all};
        return remove(dir_of(alloc));
    }

    /// With whatever a task has mounted in it, which is not to be emptied.
    static Result<void> remove(const std::string& dir) {
        if (!setup::may_hold_mounts(dir) && remove_alloc_dir(dir)) return {};
        TRY(setup::unmount_below(dir));
        return remove_alloc_dir(dir);
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
};

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
    Impl* raw = impl_.get();
    Recovered found = take_over(
        {.alloc_root = raw->config.alloc_root,
         .links = *raw->links,
         .order_found = [raw](const Order& order) { raw->limit_disk(order); },
         .task_lives = [raw](const AllocId& alloc) { raw->usage->watch(alloc); },
         // An engine that hangs must not hold up the agent's start; whatever starts comes after it.
         .task_vanished =
             [raw](const TaskPlace& place) {
                 raw->workers->push(place.alloc,
                                    [raw, at = raw->location_of(place.alloc, place.task)] {
                                        raw->clean_up_or_say(at);
                                    });
             }});
    raw->cores->on_scanned();
    return found;
}

void LocalTasks::carry_out(Work work) {
    if (is_quick(work))
        return std::visit([raw = impl_.get()](auto& what) { raw->act(what); }, work);
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

}  // namespace gaggle::allocrunner
