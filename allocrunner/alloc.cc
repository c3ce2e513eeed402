#include "allocrunner/alloc.h"

#include <algorithm>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/task_env.h"
#include "base/wire.h"
#include "placement/jobspec/signals.h"
#include "placement/jobspec/task_name.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kSaveAgainAfter = 10s;
constexpr std::size_t kTaskNameMax = 128;

/// Why this task can never be started, whatever the machine.
std::optional<std::string> objection(const Task& task) {
    if (is_taken_task_name(task.name))
        return "task name \"" + task.name +
               "\" is taken by the allocation's own files; rename the task";
    if (task.name.empty() || task.name.size() > kTaskNameMax ||
        task.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos)
        return "task name \"" + task.name +
               "\" is not a plain file name of 1 to 128 bytes; rename the task";
    if (!signal_number(task.kill_signal))
        return "kill_signal \"" + task.kill_signal +
               "\" is no signal; write for instance \"SIGTERM\"";
    return std::nullopt;
}

TaskContext context_of(const Host& host, const Order& order, const Task& task,
                       const std::optional<AllocNetwork>& network, Environment environment) {
    TaskContext about{.task = task.name,
                      .task_dir = task_dirs(host, order.alloc, task.name).task,
                      .user = {},
                      .env = std::move(environment),
                      .logs = task.logs,
                      .resources = task.resources,
                      .ports = {},
                      .network = network ? network->tasks : TaskNetwork{},
                      .labels = {{"job", order.job.id},
                                 {"namespace", order.job.name_space},
                                 {"group", order.group.name},
                                 {"alloc_name", order.name}}};
    for (const AssignedPort& port : order.ports)
        about.ports.push_back({.label = port.label,
                               .host_ip = host.ip,
                               .host = port.value,
                               .to = port.to > 0 ? port.to : port.value});
    return about;
}

Result<TaskSpec> spec_of(const Host& host, const Order& order, const Task& task,
                         const std::optional<AllocNetwork>& network) {
    const Driver* driver = known_driver(task.driver);
    if (driver == nullptr)
        return {Errc::invalid, "driver \"" + task.driver + "\" is not known; this version has " +
                                   known_drivers()};
    const TaskDirs dirs =
        driver->has_own_root() ? inside_dirs() : task_dirs(host, order.alloc, task.name);
    TaskContext about =
        context_of(host, order, task, network, task_environment(host, order, task, dirs));
    const Names names = interpolation_names(host, about.env);
    about.user = interpolate(task.user, names);
    return driver->spec(interpolate(task.config, names), about);
}

void keep_first(std::optional<TimePoint>& first, std::optional<TimePoint> other) {
    if (other && (!first || *other < *first)) first = other;
}

}  // namespace

Alloc::Alloc(Context& context, Order order)
    : order_(std::move(order)),
      checks_(context.host, order_),
      healthiness_(order_.group, context.now) {
    for (const Task& task : order_.group.tasks)
        tasks_.emplace(task.name, TaskLife(order_, task, context.wall));
    status_.checks = checks_.initial();
    if (order_.desired == Desired::stop) stop_by_order(context);
}

Alloc Alloc::recovered(Context& context, Order order, const FoundAlloc& found) {
    Order as_made = std::move(order);
    const Desired desired = std::exchange(as_made.desired, Desired::run);
    Alloc alloc(context, std::move(as_made));
    alloc.confirmed_ = false;
    // A damaged state file costs the history of restarts, never a running task.
    const auto record = decode<AllocRecord>(found.state, "state of an allocation");
    bool ever_started = false;
    for (auto& [name, life] : alloc.tasks_) {
        TaskRecord saved{.state = life.state()};
        if (record.ok() && record->tasks.count(name) != 0) saved = record->tasks.at(name);
        const auto trace = std::find_if(found.tasks.begin(), found.tasks.end(),
                                        [&](const FoundTask& one) { return one.task == name; });
        life.recover(context, saved, trace == found.tasks.end() ? nullptr : &*trace);
        ever_started = ever_started || saved.run > 0 || trace != found.tasks.end();
    }
    if (record.ok()) {
        alloc.healthiness_.recover(record->status.healthy);
        alloc.network_ = record->network;
    }
    // One that never started has its directory prepared once more: what was to be restored may be
    // missing still.
    alloc.phase_ = ever_started ? Phase::live : Phase::waiting;
    alloc.has_dir_ = true;
    alloc.order_.desired = desired;
    if (desired == Desired::stop) alloc.stop_by_order(context);
    return alloc;
}

void Alloc::prepare(Context& context) {
    INVARIANT(wants_prepare());
    for (const Task& task : order_.group.tasks) {
        const auto wrong = objection(task);
        if (wrong) return refuse_all(context, event_failed_validation(context.wall, *wrong));
    }
    for (auto& [name, life] : tasks_)
        life.note(event_task_setup(context.wall, "Building Task Directory"));
    phase_ = Phase::preparing;
    has_dir_ = true;
    context.out.work.emplace_back(PrepareDir{order_});
}

void Alloc::on_dir_ready(Context& context, const DirReady& input) {
    if (phase_ != Phase::preparing) return;
    phase_ = Phase::live;
    network_ = input.network;
    if (input.error) return refuse_all(context, event_setup_failure(context.wall, *input.error));
    if (input.note.empty()) return;
    for (auto& [name, life] : tasks_) life.note(event_task_setup(context.wall, input.note));
}

void Alloc::refuse_all(Context& context, const TaskEvent& why) {
    phase_ = Phase::live;
    stopping_ = true;
    for (auto& [name, life] : tasks_)
        if (life.wants_start()) life.refuse(context, why);
}

void Alloc::on_order(Context& context, const Order& order) {
    forgotten_ = false;
    Order newer = order;
    // A stop is for good, and where state came from is settled once.
    if (order_.desired == Desired::stop) newer.desired = Desired::stop;
    newer.restore = order_.restore;
    if (newer == order_) return;
    order_ = std::move(newer);
    for (const Task& task : order_.group.tasks)
        if (TaskLife* life = find(task.name)) life->update(task);
    const Checks before = std::exchange(checks_, Checks(context.host, order_));
    status_.checks = checks_.succeed(before, status_.checks);
    changed_ = true;
    if (has_dir_) context.out.work.emplace_back(SaveOrder{order_});
    if (order_.desired == Desired::stop) stop_by_order(context);
}

void Alloc::forget(Context& context) {
    if (forgotten_) return;
    forgotten_ = true;
    if (order_.desired == Desired::stop) return;
    order_.desired = Desired::stop;
    if (has_dir_) context.out.work.emplace_back(SaveOrder{order_});
    stop_by_order(context);
}

void Alloc::stop_by_order(Context& context) {
    stop_all(context, {.group = order_.group.shutdown_delay, .each_task = true});
}

void Alloc::stop_others(Context& context, const TaskEvent& why) {
    for (auto& [name, life] : tasks_)
        if (!life.dead()) life.note(why);
    stop_all(context, {});
}

/// As Nomad does: a leader may need the others to end in good order (to ship its last log lines).
void Alloc::stop_all(Context& context, StopDelays delays) {
    stopping_ = true;
    followers_ = delays;
    if (TaskLife* leader = living_leader()) {
        const Duration own = delays.each_task ? leader->task().shutdown_delay : 0s;
        leader->stop(context, delays.group + own);
        followers_->group = 0s;  // waited for by then
    }
    stop_followers(context);
}

void Alloc::stop_followers(Context& context) {
    if (!followers_ || living_leader() != nullptr) return;
    const StopDelays delays = *std::exchange(followers_, std::nullopt);
    for (auto& [name, life] : tasks_) {
        const Duration own = delays.each_task ? life.task().shutdown_delay : 0s;
        life.stop(context, delays.group + own);
    }
}

TaskLife* Alloc::living_leader() {
    for (auto& [name, life] : tasks_)
        if (life.task().leader && !life.dead()) return &life;
    return nullptr;
}

void Alloc::fall_together(Context& context) {
    if (stopping_) return;
    for (auto& [name, life] : tasks_)
        if (life.failed()) return stop_others(context, event_sibling_failed(context.wall, name));
    for (auto& [name, life] : tasks_)
        if (life.dead() && life.task().leader)
            return stop_others(context, event_leader_dead(context.wall));
}

void Alloc::start_tasks(Context& context) {
    if (phase_ != Phase::live || !confirmed_ || stopping_) return;
    for (auto& [name, life] : tasks_) {
        if (!life.wants_start()) continue;
        Result<TaskSpec> spec = spec_of(context.host, order_, life.task(), network_);
        if (spec.ok())
            life.start(context, std::move(*spec));
        else
            life.refuse(context, event_failed_validation(context.wall, spec.error().detail));
    }
}

TaskLife* Alloc::find(const std::string& task) {
    const auto found = tasks_.find(task);
    return found == tasks_.end() ? nullptr : &found->second;
}

void Alloc::on_check(Context& context, const CheckDone& input) {
    changed_ |= checks_.on_done(context, input, status_.checks);
}

void Alloc::on_save_failed(Context& context, const SaveFailed& input) {
    save_error_ = input.error;
    save_again_ = context.now + kSaveAgainAfter;
    changed_ = true;
}

bool Alloc::all_running() const {
    return !tasks_.empty() && std::all_of(tasks_.begin(), tasks_.end(),
                                          [](const auto& task) { return task.second.running(); });
}

void Alloc::look_after_health(Context& context) {
    changed_ |= checks_.advance(context, all_running(), status_.checks);
    if (order_.job.type != JobType::service && order_.job.type != JobType::system) return;
    const bool checks_pass =
        std::all_of(status_.checks.begin(), status_.checks.end(),
                    [](const CheckHealth& check) { return check.status == CheckStatus::success; });
    const bool failed = std::any_of(tasks_.begin(), tasks_.end(),
                                    [](const auto& task) { return task.second.failed(); });
    if (stopping_ && !failed) return;  // what is stopped by order says nothing about its version
    const auto verdict = healthiness_.judge(context.now, all_running() && checks_pass, failed);
    changed_ |= verdict != status_.healthy;
    status_.healthy = verdict;
}

void Alloc::settle(Context& context) {
    if (over()) return;
    for (auto& [name, life] : tasks_) life.on_tick(context);
    stop_followers(context);
    start_tasks(context);  // may refuse one, and then the others fall too
    fall_together(context);
    look_after_health(context);
    const bool all_dead = std::all_of(tasks_.begin(), tasks_.end(),
                                      [](const auto& task) { return task.second.dead(); });
    if (!all_dead || phase_ == Phase::preparing) return;
    phase_ = Phase::over;
    over_since_ = context.now;
    changed_ = true;
}

void Alloc::report(Context& context) {
    const bool retry = save_again_ && context.now >= *save_again_;
    if (retry) {
        save_again_.reset();
        save_error_.reset();
        changed_ = true;
        context.out.work.emplace_back(SaveOrder{order_});
    }
    for (auto& [name, life] : tasks_) changed_ |= life.take_changed();
    if (!changed_) return;
    changed_ = false;
    status_.tasks.clear();
    for (const auto& [name, life] : tasks_) status_.tasks.emplace(name, life.state());
    std::tie(status_.client, status_.description) = client_status(status_.tasks);
    // Terminal means that nothing is left here, also no directory under way.
    if (is_terminal(status_.client) && !over()) status_.client = ClientStatus::running;
    if (!confirmed_ && status_.client == ClientStatus::pending)
        status_.description = "Waits for the commit group to confirm it after a start of the agent";
    if (save_error_) status_.description += "; its state is not saved: " + *save_error_;
    status_.modified = context.wall;
    context.out.changed.push_back({id(), status_});
    save(context);
}

void Alloc::save(Context& context) {
    const bool worth_it = std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
        return task.second.state().phase != TaskPhase::pending || task.second.state().restarts > 0;
    });
    if (!has_dir_ || !worth_it || save_error_) return;
    AllocRecord record{.status = status_, .tasks = {}, .network = network_};
    record.status.tasks.clear();
    record.status.checks.clear();
    for (const auto& [name, life] : tasks_)
        record.tasks.emplace(name, life.record(context.now, context.wall));
    context.out.work.emplace_back(SaveState{id(), encode(record)});
}

std::optional<TimePoint> Alloc::next_wakeup() const {
    std::optional<TimePoint> first = save_again_;
    if (over()) return first;
    for (const auto& [name, life] : tasks_) keep_first(first, life.next_wakeup());
    keep_first(first, checks_.next_wakeup());
    if (!stopping_ && order_.job.type != JobType::batch && order_.job.type != JobType::sysbatch)
        keep_first(first, healthiness_.next_wakeup());
    return first;
}

}  // namespace gaggle::allocrunner
