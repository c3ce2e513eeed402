#include "tests/sim/machine.h"

namespace gaggle::sim {

using namespace allocrunner;

void Machine::carry_out(const Work& work) {
    std::visit([&](const auto& what) { on(what); }, work);
}

void Machine::answer(Input input) {
    events_.in(while_(), [this, input = std::move(input), agent = agent_]() mutable {
        if (agent != agent_ || !deliver_) return;
        input.wall = events_.wall();
        deliver_(node::Input(std::move(input)));
    });
}

/// On the disk at once, in order; the result a little later.
void Machine::carry_out(const replica::Work& work) {
    files_.set_wall(events_.wall());
    std::string problem;
    auto result = copier_->carry_out(work, events_.wall(), problem);
    if (!result) return;
    copier_free_ = std::max(copier_free_, events_.now()) + while_();
    events_.at(copier_free_, [this, result = std::move(*result), agent = agent_] {
        if (agent == agent_ && deliver_) deliver_(node::Input(result));
    });
}

void Machine::on(const ProbePorts& work) {
    answer({{}, PortsProbed{.alloc = work.alloc, .ports = work.ports, .taken = {}}});
}

void Machine::on(const PrepareDir& work) {
    orders_[work.order.alloc] = {++saves_, work.order};
    set_up_.insert(work.order.alloc);
    answer({{}, DirReady{.alloc = work.order.alloc, .note = "", .error = prepare(work)}});
}

std::optional<std::string> Machine::prepare(const PrepareDir& work) {
    const Order& order = work.order;
    files_.set_wall(events_.wall());
    const std::string top = "alloc/" + to_string(order.alloc);
    const auto data_of = [](const AllocId& alloc) {
        return "alloc/" + to_string(alloc) + "/alloc/data";
    };
    for (const std::string& folder : {std::string("alloc"), top, top + "/alloc"})
        if (const auto made = files_.make_dir(folder); !made.ok()) return made.error().detail;
    // After a boot what it has is newer than what it came from.
    const Restore::Kind kind = work.again ? Restore::Kind::none : order.restore.kind;
    if (kind == Restore::Kind::from_copy) {
        const replica::Lineage lineage{order.job.name_space, order.job.id, order.group.name,
                                       order.index};
        const auto restored = copier_->restore(lineage, order.alloc, events_.wall());
        if (!restored.ok()) return restored.error().detail;
    } else if (kind == Restore::Kind::from_alloc &&
               files_.stat(data_of(order.restore.previous)).ok() &&
               !files_.stat(data_of(order.alloc)).ok()) {
        const auto moved = files_.rename(data_of(order.restore.previous), data_of(order.alloc));
        if (!moved.ok()) return moved.error().detail;
    }
    if (const auto made = files_.make_dir(data_of(order.alloc)); !made.ok())
        return made.error().detail;
    (void)files_.sync_all().ok();
    check_data(order);
    return std::nullopt;
}

/// The two files were always written together: a copy that has only one of them new is torn.
void Machine::check_data(const Order& order) {
    const std::string data = "alloc/" + to_string(order.alloc) + "/alloc/data/";
    const auto one = files_.read(data + "one", 0, 64);
    const auto two = files_.read(data + "two", 0, 64);
    if (one.ok() != two.ok() || (one.ok() && *one != *two))
        torn_ =
            "allocation " + to_string(order.alloc) + " of " + order.name + " starts with torn data";
}

void Machine::write_data(const Key& key, std::uint64_t run) {
    const auto found = processes_.find(key);
    if (found == processes_.end() || found->second.run != run) return;
    files_.set_wall(events_.wall());
    const std::string data = "alloc/" + to_string(key.first) + "/alloc/data/";
    const Bytes value = to_bytes(std::to_string(events_.now().time_since_epoch().count()));
    for (const char* name : {"one", "two"}) {
        if (!files_.make_file(data + name, value.size()).ok()) return;
        (void)files_.write(data + name, 0, value).ok();
    }
    (void)files_.sync_all().ok();
    for (const char* name : {"one", "two"}) (void)files_.sync(data + name).ok();
    events_.in(Duration(rng_.between(500'000, 4'000'000)), [this, key, run, boot = boot_] {
        if (boot == boot_) write_data(key, run);
    });
}

void Machine::on(const SetUpTask& work) {
    answer({{}, TaskSetUpDone{work.alloc, work.task, work.run, {}, {}}});
}

void Machine::on(const StartTask& work) {
    const Key key{work.alloc, work.task};
    const Process process{.run = work.run, .pid = ++last_pid_, .started = events_.wall()};
    if (processes_.contains(key) && !doubled_)
        doubled_ = "task " + work.task + " of allocation " + to_string(work.alloc) +
                   " was started while it ran";
    processes_[key] = process;
    exits_.erase(key);
    ++started_;
    answer({{}, TaskStarted{work.alloc, work.task, work.run, process.pid}});
    if (const auto order = orders_.find(work.alloc);
        order != orders_.end() && order->second.what.group.disk.sticky)
        write_data(key, work.run);
    // A task may say how long it lives and how it ends: argv "live <milliseconds> <exit code>".
    const auto& argv = work.spec.argv;
    if (argv.size() < 3 || argv[0] != "live") return;
    events_.in(std::chrono::milliseconds(std::stoll(argv[1])),
               [this, key, run = work.run, code = std::stoll(argv[2]), boot = boot_] {
                   if (boot == boot_) end(key, run, code, 0);
               });
}

void Machine::on(const SignalTask& work) {
    if (work.signal >= kMarkedSignal) {
        auto& [agent, count] = marks_[work.signal];
        if (count++ > 0 && agent == agent_)
            torn_ = "a command was obeyed twice: signal " + std::to_string(work.signal) +
                    " for allocation " + to_string(work.alloc);
        agent = agent_;
        return;
    }
    events_.in(while_(),
               [this, key = Key{work.alloc, work.task}, signal = work.signal, boot = boot_] {
                   const auto found = processes_.find(key);
                   if (boot == boot_ && found != processes_.end())
                       end(key, found->second.run, 0, signal);
               });
}

void Machine::on(const KillTask& work) {
    const Key key{work.alloc, work.task};
    const auto found = processes_.find(key);
    if (found != processes_.end()) end(key, found->second.run, 0, 9);
}

void Machine::end(const Key& key, std::uint64_t run, std::int64_t code, std::int64_t signal) {
    const auto found = processes_.find(key);
    if (found == processes_.end() || found->second.run != run) return;
    const TaskExit exit{.code = code, .signal = signal, .at = events_.wall()};
    exits_[key] = {run, exit, found->second.started, found->second.pid};
    processes_.erase(found);
    answer({{}, TaskExited{key.first, key.second, run, exit}});
}

void Machine::on(const RunCheck& work) {
    answer({{}, CheckDone{work.alloc, work.check, true, "ok"}});
}

void Machine::later(std::function<void()> what) {
    events_.in(while_(), [this, what = std::move(what), agent = agent_] {
        if (agent == agent_) what();
    });
}

/// What is not durable when the agent dies is lost, and with it what waited for that.
void Machine::on(const SaveState& work) {
    const std::uint64_t version = ++saves_;
    later([this, work, version] {
        if (orders_.contains(work.alloc) && states_[work.alloc].version < version)
            states_[work.alloc] = {version, work.state};
        for (const EndRun& end : work.then)
            std::visit([&](const auto& what) { on(what); }, end);
    });
}

void Machine::on(const SaveOrder& work) {
    const std::uint64_t version = ++saves_;
    later([this, work, version] {
        const auto found = orders_.find(work.order.alloc);
        if (found != orders_.end() && found->second.version < version)
            found->second = {version, work.order};
    });
}

/// Twice in a row at most, so that a peer that asks again comes to an end in a little time.
std::optional<std::string> Machine::fails(const AllocId& alloc) {
    constexpr int kFailuresMax = 2;
    int& before = failures_[alloc];
    if (before >= kFailuresMax || !rng_.chance(0.2)) {
        failures_.erase(alloc);
        return std::nullopt;
    }
    ++before;
    return "unmount something of " + to_string(alloc) + ": busy";
}

void Machine::on(const TearDown& work) {
    const auto error = fails(work.alloc);
    if (!error) set_up_.erase(work.alloc);
    answer({{}, TornDown{work.alloc, error}});
}

void Machine::on(const RemoveDir& work) {
    const auto error = fails(work.alloc);
    answer({{}, DirRemoved{work.alloc, error}});
    if (error) return;
    set_up_.erase(work.alloc);
    (void)files_.remove("alloc/" + to_string(work.alloc)).ok();
    orders_.erase(work.alloc);
    states_.erase(work.alloc);
    std::erase_if(exits_, [&](const auto& item) { return item.first.first == work.alloc; });
}

Recovered Machine::found() const {
    Recovered out;
    for (const auto& [alloc, order] : orders_) {
        FoundAlloc found{.alloc = alloc, .order = order.what, .state = {}, .tasks = {}};
        if (const auto state = states_.find(alloc); state != states_.end())
            found.state = state->second.what;
        for (const Task& task : order.what.group.tasks) {
            const Key key{alloc, task.name};
            if (const auto process = processes_.find(key); process != processes_.end())
                found.tasks.push_back({task.name,
                                       process->second.run,
                                       process->second.pid,
                                       process->second.started,
                                       {}});
            else if (const auto exit = exits_.find(key); exit != exits_.end())
                found.tasks.push_back({task.name, exit->second.run, exit->second.pid,
                                       exit->second.started, exit->second.exit});
        }
        out.allocs.push_back(std::move(found));
    }
    return out;
}

void Machine::reboot() {
    ++boot_;
    processes_.clear();
    set_up_.clear();
    files_.crash(rng_);
    restart_copier();
}

std::map<AllocId, Amounts> Machine::running() const {
    std::map<AllocId, Amounts> out;
    for (const auto& [key, process] : processes_)
        if (const auto order = orders_.find(key.first); order != orders_.end())
            out[key.first] = ask_of(order->second.what.group).amounts;
    return out;
}

}  // namespace gaggle::sim
