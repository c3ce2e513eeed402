#include "tests/sim/commands.h"

namespace gaggle::sim {

namespace {

using Kind = node::CommandTask::Kind;
constexpr Duration kObeyedWithin = 10s;  // a start takes no longer
constexpr double kRestarts = 0.4;        // of all commands to services
constexpr double kStrikes = 0.1;         // of all commands
constexpr Duration kMiddle = 40ms;       // so long it may take until one is obeyed

}  // namespace

void Commands::ask_one() {
    Peer& near = *world_.peers[rng_.below(world_.peers.size())];
    if (world_.leader() == nullptr || !near.running()) return;
    struct Candidate {
        Peer* peer;
        AllocId alloc;
    };
    std::vector<Candidate> run;
    for (const auto& peer : world_.peers)
        for (const auto& [alloc, amounts] : peer->machine().running())
            run.push_back({peer.get(), alloc});
    if (run.empty()) return;
    const Candidate drawn = rng_.pick(std::span<Candidate>(run));
    const AllocId alloc = drawn.alloc;
    if (!busy_.insert(alloc).second) return;
    const Machine* machine = &drawn.peer->machine();
    const std::uint64_t request = ++requests_;
    Asked asked{.alloc = alloc,
                .what = draw(*machine, alloc, request),
                .machine = machine,
                .agent = machine->agent(),
                .boot = machine->boot(),
                .run = machine->run_of(alloc)};
    node::ApiRequest api{.id = request,
                         .what = node::AskPeer{.alloc = alloc, .peer = {}, .what = asked.what}};
    asked_.emplace(request, std::move(asked));
    near.feed(api);
    if (rng_.chance(kStrikes))
        world_.events.in(Duration(rng_.between(0, kMiddle.count())),
                         [this, peer = drawn.peer] { strike_(*peer); });
}

/// Batch tasks end by themselves, which would look like a restart.
node::CommandTask Commands::draw(const Machine& machine, const AllocId& alloc,
                                 std::uint64_t request) {
    const auto* order = machine.order(alloc);
    const bool service = order != nullptr && order->job.type == JobType::service;
    if (service && rng_.chance(kRestarts / 2)) return {.task = "", .kind = Kind::restart_all};
    if (service && rng_.chance(kRestarts)) return {.task = "task", .kind = Kind::restart};
    return {.task = "task",
            .kind = Kind::signal,
            .signal = Machine::kMarkedSignal + static_cast<std::int64_t>(request - kFirstRequest)};
}

bool Commands::replied(const node::ApiReply& reply) {
    const auto found = asked_.find(reply.id);
    if (found == asked_.end()) return reply.id >= kFirstRequest;
    const Asked asked = std::move(found->second);
    asked_.erase(found);
    const auto* said = reply.what.ok() ? std::get_if<node::PeerSaid>(&*reply.what) : nullptr;
    const bool is_signal = asked.what.kind == Kind::signal;
    if (said == nullptr) {
        if (is_signal) busy_.erase(asked.alloc);
        return true;
    }
    ++obeyed_;
    if (!is_signal) ++restarts_;
    world_.events.in(kObeyedWithin, [this, asked, is_signal] {
        if (is_signal)
            signalled(asked);
        else
            restarted(asked);
        busy_.erase(asked.alloc);
    });
    return true;
}

/// A task that was only being started has got it by now. (An agent that died forgot it.)
void Commands::signalled(const Asked& asked) {
    if (asked.machine->agent() == asked.agent && asked.machine->marks(asked.what.signal) == 0)
        fail("a command was answered and never obeyed: signal " +
             std::to_string(asked.what.signal));
}

void Commands::restarted(const Asked& asked) {
    const Machine& machine = *asked.machine;
    const auto* order = machine.order(asked.alloc);
    if (machine.boot() != asked.boot || order == nullptr) return;  // a boot starts it anew
    const std::uint64_t run = machine.run_of(asked.alloc);
    const std::string what = "the restart of allocation " + to_string(asked.alloc) +
                             " in its run " + std::to_string(asked.run);
    if (run > asked.run + 1) fail(what + " was obeyed twice: it is run " + std::to_string(run));
    const bool wanted = order->desired == allocrunner::Desired::run;
    if (wanted && machine.agent() == asked.agent && run == asked.run)
        fail(what + " was answered and never obeyed");
}

void Commands::fail(const std::string& what) {
    if (!failure_) failure_ = what;
}

}  // namespace gaggle::sim
