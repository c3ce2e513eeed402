// The fake machine behind runner_test.cc; named so that it is linked with the tests of this folder.
#include "tests/allocrunner/fake_world.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

namespace gaggle::allocrunner {

namespace {

Host host() {
    Host host;
    host.name = "peer";
    host.alloc_root = "/alloc";
    return host;
}

constexpr std::int64_t kWallBegins = 1'800'000'000;  // seconds since 1970

}  // namespace

FakeWorld::FakeWorld(std::uint64_t seed) : runner(host(), Config{}, Rng(seed)) {}

WallTime FakeWorld::wall() const {
    return {kWallBegins * 1'000'000'000 + (now.time_since_epoch() + clock_set).count() * 1'000};
}

void FakeWorld::orders(std::vector<Order> orders) { feed({wall(), Orders{std::move(orders)}}); }

void FakeWorld::feed(Input input) {
    if (agent_down) return;
    inbox_.push_back(std::move(input));
    if (std::exchange(stepping_, true)) return;
    while (!inbox_.empty()) {
        const Input next = std::move(inbox_.front());
        inbox_.pop_front();
        const Effects effects = runner.step(now, next);
        for (const StatusChanged& changed : effects.changed)
            reported[changed.alloc] = changed.status;
        ports_taken.insert(ports_taken.end(), effects.ports_taken.begin(),
                           effects.ports_taken.end());
        if (carry_out_all(effects.work)) continue;
        agent_down = true;
        inbox_.clear();
    }
    stepping_ = false;
}

/// False when the agent died meanwhile.
bool FakeWorld::carry_out_all(const std::vector<Work>& work) {
    for (const Work& piece : work) {
        if (dies_after && pieces >= *dies_after) return false;
        ++pieces;
        carry_out(piece);
    }
    return true;
}

void FakeWorld::wait(Duration span) {
    const TimePoint end = now + span;
    for (int ticks = 0; ticks < 100'000; ++ticks) {
        const auto due = runner.next_wakeup();
        if (agent_down || !due || *due > end) {
            now = end;
            return;
        }
        now = std::max(now, *due);
        feed({wall(), Tick{}});
    }
    FAIL("the runner wants to be woken without end");
}

void FakeWorld::end(Key key, TaskExit exit) {
    const auto found = processes_.find(key);
    REQUIRE(found != processes_.end());
    const Process process = found->second;
    processes_.erase(found);
    exits_[key] = {key.second, process.run, process.pid, exit.at, exit};
    if (!agent_down) feed({wall(), TaskExited{key.first, key.second, process.run, exit}});
}

void FakeWorld::exit(const AllocId& alloc, const std::string& task, std::int64_t code) {
    end({alloc, task}, {.code = code, .at = wall()});
}

void FakeWorld::restart_agent(bool reboot) {
    if (reboot) processes_.clear();
    agent_down = false;
    dies_after.reset();
    runner = Runner(host(), Config{}, Rng(7));
    Recovered recovered;
    for (const auto& [id, order] : order_files_) {
        FoundAlloc found{.alloc = id, .order = order, .state = state_files_[id], .tasks = {}};
        if (state_damaged) found.state = to_bytes("half a fi");
        if (const auto network = networks_.find(id); network != networks_.end())
            found.network = network->second;
        for (const auto& [key, exit] : exits_)
            if (key.first == id && processes_.count(key) == 0) found.tasks.push_back(exit);
        for (const auto& [key, process] : processes_)
            if (key.first == id)
                found.tasks.push_back({key.second, process.run, process.pid, wall(), {}});
        recovered.allocs.push_back(std::move(found));
    }
    feed({wall(), std::move(recovered)});
}

void FakeWorld::release_dirs() {
    hold_dirs = false;
    for (const AllocId& id : std::exchange(held_dirs_, {}))
        feed({wall(), DirReady{id, "", dir_error, network}});
}

void FakeWorld::begin(const AllocId& alloc, const std::string& task, std::uint64_t run) {
    const Key key{alloc, task};
    REQUIRE(processes_.count(key) == 0);  // never two at a time
    processes_[key] = {run, ++last_pid_, ignore_signals};
    feed({wall(), TaskStarted{alloc, task, run, last_pid_}});
}

void FakeWorld::carry_out(const Work& work) {
    const AllocId id = alloc_of(work);
    const std::string who = std::to_string(id.bytes[0]);
    if (const auto* probe = std::get_if<ProbePorts>(&work)) {
        PortsProbed probed{.alloc = id, .ports = probe->ports, .taken = {}};
        for (const ProbePorts::Port& port : probe->ports)
            if (strangers.contains(port.value))
                probed.taken.push_back({port.value, strangers.at(port.value)});
        feed({wall(), std::move(probed)});
    } else if (const auto* dir = std::get_if<PrepareDir>(&work)) {
        if (dir->again) ++dirs_made_again;
        if (!dir->again) story.push_back("dir " + who);
        order_files_[id] = dir->order;
        if (network) networks_[id] = *network;
        if (hold_dirs) return held_dirs_.push_back(id);
        feed({wall(), DirReady{id, "", dir_error, network}});
    } else if (const auto* start = std::get_if<StartTask>(&work)) {
        const Key key{id, start->task};
        story.push_back(fmt::format("start {}/{} run {}", who, start->task, start->run));
        last_spec[id] = start->spec;
        if (hold_starts) return;
        if (start_error)
            return feed({wall(), TaskNotStarted{id, start->task, start->run, *start_error,
                                                start_error_may_pass}});
        begin(id, start->task, start->run);
    } else if (const auto* abort = std::get_if<AbortStart>(&work)) {
        story.push_back(fmt::format("abort {}/{} run {}", who, abort->task, abort->run));
    } else if (const auto* signal = std::get_if<SignalTask>(&work)) {
        story.push_back(fmt::format("signal {}/{} {}", who, signal->task, signal->signal));
        const auto found = processes_.find({id, signal->task});
        if (found != processes_.end() && !found->second.ignores_signals)
            end(found->first, {.signal = signal->signal, .at = wall()});
    } else if (const auto* kill = std::get_if<KillTask>(&work)) {
        story.push_back(fmt::format("kill {}/{}", who, kill->task));
        if (processes_.count({id, kill->task}) != 0)
            end({id, kill->task}, {.signal = 9, .at = wall()});
    } else if (const auto* check = std::get_if<RunCheck>(&work)) {
        last_check = *check;
        feed({wall(), CheckDone{id, check->check, port_open,
                                port_open ? "connected" : check_says, check_warns, check_code}});
    } else if (const auto* state = std::get_if<SaveState>(&work)) {
        state_files_[id] = state->state;
        for (const EndRun& end : state->then)
            std::visit([&](const auto& what) { carry_out(what); }, end);
    } else if (const auto* order = std::get_if<SaveOrder>(&work)) {
        order_files_[id] = order->order;
    } else if (const auto* set_up = std::get_if<SetUpTask>(&work)) {
        constexpr const char* kKinds[] = {"first", "again", "adopted"};
        story.push_back(fmt::format("set up {}/{} run {} {}", who, set_up->task, set_up->run,
                                    kKinds[static_cast<int>(set_up->kind)]));
        feed({wall(), TaskSetUpDone{id, set_up->task, set_up->run, set_up_env, set_up_failure}});
    } else if (const auto* end = std::get_if<EndSetUp>(&work)) {
        story.push_back(fmt::format("end set-up {}/{}", who, end->task));
    } else if (std::holds_alternative<TearDown>(work)) {
        ++torn_down;
        networks_.erase(id);
        if (!hold_tear_down) feed({wall(), TornDown{id, tear_down_error}});
    } else if (const auto* remove = std::get_if<RemoveDir>(&work)) {
        removed_for = remove->why;
        story.push_back("remove " + who);
        if (!remove_error) order_files_.erase(id);
        if (!remove_error) state_files_.erase(id);
        feed({wall(), DirRemoved{id, remove_error}});
    }
}

const AllocStatus& FakeWorld::status(const AllocId& alloc) const {
    const AllocStatus* status = runner.status(alloc);
    REQUIRE(status != nullptr);
    return *status;
}

FakeWorld::Process* FakeWorld::process(const AllocId& alloc, const std::string& task) {
    const auto found = processes_.find({alloc, task});
    return found == processes_.end() ? nullptr : &found->second;
}

std::string FakeWorld::events(const AllocId& alloc, const std::string& task) const {
    std::string out;
    for (const TaskEvent& event : status(alloc).tasks.at(task).events)
        out += (out.empty() ? "" : ", ") + std::string(to_string(event.type));
    return out;
}

AllocId alloc_id(std::uint8_t number) {
    AllocId id;
    id.bytes[0] = number;
    return id;
}

Order order_of(std::uint8_t number, JobType type) {
    Order order;
    order.alloc = alloc_id(number);
    order.name = "web.front[0]";
    order.job = {.id = "web", .name = "web", .type = type};
    order.group.name = "front";
    Task task;
    task.name = "main";
    task.driver = "raw_exec";
    task.config = {{"command", Value{std::string("/bin/server")}}};
    task.restart = {.attempts = 2, .interval = 30min, .delay = 15s};
    order.group.tasks = {task};
    return order;
}

Order stopped(Order order) {
    order.desired = Desired::stop;
    return order;
}

Order with_task(Order order, const std::string& name) {
    Task task = order.group.tasks.front();
    task.name = name;
    order.group.tasks.push_back(task);
    return order;
}

Order with_hook(Order order, const std::string& name, Lifecycle::Hook hook, bool sidecar) {
    Task task = order.group.tasks.front();
    task.name = name;
    task.leader = false;
    task.lifecycle = Lifecycle{.hook = hook, .sidecar = sidecar};
    order.group.tasks.push_back(task);
    return order;
}

}  // namespace gaggle::allocrunner
