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
        deliver_(std::move(input));
    });
}

void Machine::on(const PrepareDir& work) {
    orders_[work.order.alloc] = work.order;
    answer({{}, DirReady{.alloc = work.order.alloc, .note = "", .error = {}}});
}

void Machine::on(const StartTask& work) {
    const Key key{work.alloc, work.task};
    const Process process{.run = work.run, .pid = ++last_pid_, .started = events_.wall()};
    processes_[key] = process;
    exits_.erase(key);
    answer({{}, TaskStarted{work.alloc, work.task, work.run, process.pid}});
    // A task may say how long it lives and how it ends: argv "live <milliseconds> <exit code>".
    const auto& argv = work.spec.argv;
    if (argv.size() < 3 || argv[0] != "live") return;
    events_.in(std::chrono::milliseconds(std::stoll(argv[1])),
               [this, key, run = work.run, code = std::stoll(argv[2]), boot = boot_] {
                   if (boot == boot_) end(key, run, code, 0);
               });
}

void Machine::on(const SignalTask& work) {
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
void Machine::on(const SaveState& work) { states_[work.alloc] = work.state; }
void Machine::on(const SaveOrder& work) { orders_[work.order.alloc] = work.order; }

void Machine::on(const RemoveDir& work) {
    orders_.erase(work.alloc);
    states_.erase(work.alloc);
    std::erase_if(exits_, [&](const auto& item) { return item.first.first == work.alloc; });
}

Recovered Machine::found() const {
    Recovered out;
    for (const auto& [alloc, order] : orders_) {
        FoundAlloc found{.alloc = alloc, .order = order, .state = {}, .tasks = {}};
        if (const auto state = states_.find(alloc); state != states_.end())
            found.state = state->second;
        for (const Task& task : order.group.tasks) {
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
}

std::map<AllocId, std::size_t> Machine::running() const {
    std::map<AllocId, std::size_t> out;
    for (const auto& [key, process] : processes_) ++out[key.first];
    return out;
}

}  // namespace gaggle::sim
