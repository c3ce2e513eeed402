// A commit group in virtual time, with a network and disks that misbehave, from one seed.
//
// Messages are lost, doubled, delayed and so reordered; links are cut one way or both; writes
// take their time, and a crash may forget them; peers come, go and change their voice. Every
// message goes through the real codec. After each step the Oracle looks.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/rng.h"
#include "tests/placement/raft/oracle.h"

namespace gaggle::raft::test {

struct Faults {
    double loss = 0.02;
    double duplicate = 0.02;
    Duration delay_max = 10ms;
    Duration write_max = 8ms;
    bool crashes = true;
    bool cuts = true;
    bool membership = true;
    bool snapshots = true;
    double races = 0.005;  ///< per deed: the leader is cut off, and everybody told at once
};

class World {
  public:
    World(std::uint64_t seed, std::size_t founders, Faults faults) : rng_(seed), faults_(faults) {
        std::vector<PeerNumber> peers;
        for (std::uint32_t at = 1; at <= founders; ++at) peers.push_back({at});
        next_peer_ = static_cast<std::uint32_t>(founders) + 1;
        for (std::uint64_t at = 1; at <= founders; ++at) add({at}, founding(peers));
        later(1ms, [this] { act(); });
    }

    /// Runs for `span`, or until the Oracle has seen something.
    void run(Duration span) {
        const TimePoint end = now_ + span;
        while (!events_.empty() && events_.top().at <= end && oracle_.violation().empty()) {
            const Event event = events_.top();
            events_.pop();
            now_ = event.at;
            event.what();
            if (++steps_ % 64 == 0) oracle_.check_log_matching(machines_);
        }
        now_ = end;
    }

    /// No more faults: everybody is up, and the network only delays.
    void heal() {
        faults_ = {.loss = 0,
                   .duplicate = 0,
                   .crashes = false,
                   .cuts = false,
                   .membership = false,
                   .races = 0};
        cut_.clear();
        for (auto& [id, machine] : machines_)
            if (!machine.replica) start(machine);
    }

    /// Why the group is not one, healthy and equal everywhere; empty when it is.
    std::string why_not_converged() {
        const Machine* leader = find_leader();
        if (leader == nullptr) return "no leader";
        const Status status = leader->replica->status();
        if (!status.settled) return "the leader's configuration is not settled";
        for (const auto& [id, peer] : status.configuration.peers) {
            const Machine& machine = machines_.at(id);
            if (machine.applied != status.commit || machine.state != leader->state)
                return fmt::format("replica {} has applied {} of {}", id.value,
                                   machine.applied.value, status.commit.value);
        }
        return {};
    }

    const Oracle& oracle() const { return oracle_; }
    std::uint64_t trace() const { return trace_; }
    std::uint64_t steps() const { return steps_; }

  private:
    struct Event {
        TimePoint at;
        std::uint64_t sequence = 0;
        std::function<void()> what;
        bool operator<(const Event& other) const {
            return std::tie(other.at, other.sequence) < std::tie(at, sequence);
        }
    };

    void later(Duration span, std::function<void()> what) {
        events_.push({now_ + span, ++sequence_, std::move(what)});
    }

    Duration up_to(Duration most) {
        return Duration{static_cast<std::int64_t>(rng_.below(most.count() + 1))};
    }

    void add(ReplicaId id, Restored disk) {
        Machine machine{.id = id};
        machine.config = {.self = id, .region = kRegion, .epoch = kEpoch};
        machine.config.tail_bytes_max = 200;
        machine.config.append_bytes_max = 300;
        machine.config.inflight_messages_max = 3;
        machine.config.snapshot_retry = 300ms;
        machine.disk = std::move(disk);
        start(machines_[id] = std::move(machine));
    }

    void start(Machine& machine) {
        ++life_[machine.id];
        machine.start(rng_.fork());
        step(machine.id, Tick{});
    }

    void step(ReplicaId id, const Input& input) {
        Machine& machine = machines_.at(id);
        if (!machine.replica) return;
        const Effects effects = machine.replica->step(now_, input);
        trace_ = checksum64(trace_, as_bytes(describe(machine, effects)));
        machine.absorb(effects);
        oracle_.check(machines_, machine, effects);
        follow_up(machine, effects);
    }

    static std::string describe(const Machine& machine, const Effects& effects) {
        std::string out = std::to_string(machine.id.value);
        for (const Message& message : effects.now) out += to_string(message);
        for (const Entry& entry : effects.committed) out += std::to_string(entry.checksum);
        if (effects.persist) out += "p" + std::to_string(effects.persist->token);
        return out;
    }

    void follow_up(Machine& machine, const Effects& effects) {
        const ReplicaId id = machine.id;
        const std::uint64_t life = life_[id];
        const auto alive = [this, id, life] {
            return machines_.at(id).replica && life_[id] == life;
        };
        for (const Message& message : effects.now) post(message);
        if (effects.persist) {
            const Duration slow = rng_.chance(0.01) ? 600ms : Duration::zero();
            later(up_to(faults_.write_max) + up_to(slow), [this, id, alive] {
                if (alive()) step(id, machines_.at(id).finish_write());
            });
        }
        if (!effects.committed.empty())
            later(up_to(2ms), [this, id, alive, index = effects.committed.back().index] {
                if (alive()) step(id, Applied{index});
            });
        if (effects.restore)
            later(up_to(5ms), [this, id, alive, index = effects.restore->meta.index] {
                if (alive()) step(id, SnapshotInstalled{index});
            });
        if (const auto due = machine.replica->next_wakeup(); due && *due < tick_at(id, life))
            schedule_tick(id, life, *due);
    }

    TimePoint tick_at(ReplicaId id, std::uint64_t life) {
        const auto found = ticks_.find({id, life});
        return found == ticks_.end() ? TimePoint::max() : found->second;
    }

    void schedule_tick(ReplicaId id, std::uint64_t life, TimePoint due) {
        ticks_[{id, life}] = due;
        later(std::max(due - now_, Duration::zero()), [this, id, life, due] {
            if (tick_at(id, life) != due) return;
            ticks_.erase({id, life});
            if (life_[id] == life) step(id, Tick{});
        });
    }

    void post(const Message& message) {
        if (cut_.contains({message.from, message.to}) || rng_.chance(faults_.loss)) return;
        const int copies = rng_.chance(faults_.duplicate) ? 2 : 1;
        const Bytes bytes = encode_message(message);
        for (int copy = 0; copy < copies; ++copy) {
            const Duration late = rng_.chance(0.02) ? up_to(300ms) : Duration::zero();
            later(up_to(faults_.delay_max) + late, [this, bytes] { arrive(bytes); });
        }
    }

    void arrive(const Bytes& bytes) {
        const auto message = decode_message(bytes);
        INVARIANT(message.ok());
        // A peer that is named a learner starts an empty replica when the leader first speaks to
        // it.
        if (!machines_.contains(message->to)) add(message->to, {});
        step(message->to, Received{*message});
    }

    Machine* find_leader() {
        Machine* best = nullptr;
        Term newest;
        for (auto& [id, machine] : machines_) {
            if (!machine.replica) continue;
            const Status status = machine.replica->status();
            if (status.role != Role::leader || status.term < newest) continue;
            best = &machine;
            newest = status.term;
        }
        return best;
    }

    /// One that believes to lead, present or past; anybody if there is none.
    ReplicaId some_leader() {
        std::vector<ReplicaId> leaders;
        for (const auto& [id, machine] : machines_)
            if (machine.replica && machine.replica->status().role == Role::leader)
                leaders.push_back(id);
        return leaders.empty() ? anybody() : rng_.pick(std::span(leaders));
    }

    ReplicaId anybody() {
        auto at = machines_.begin();
        std::advance(at, rng_.below(machines_.size()));
        return at->first;
    }

    /// One deed of the adversary, or of a client, every few milliseconds.
    void act() {
        later(up_to(20ms), [this] { act(); });
        Machine* leader = find_leader();
        const ReplicaId target = rng_.chance(0.9) ? some_leader() : anybody();
        const std::uint64_t dice = rng_.below(1000);
        const auto between = [dice](std::uint64_t low, std::uint64_t high) {
            return dice >= low && dice < high;
        };
        if (between(0, 500)) propose(target);
        if (between(500, 600)) read(target);
        if (between(600, 640) && faults_.snapshots) take_snapshot(anybody());
        if (between(640, 646) && faults_.crashes) crash(rng_.chance(0.3) ? target : anybody());
        if (between(646, 652) && faults_.cuts) cut(rng_.chance(0.5) ? target : anybody());
        if (between(652, 658)) cut_.clear();
        if (between(670, 700) && faults_.membership && leader != nullptr) change(*leader);
        if (between(700, 704) && leader != nullptr) step(leader->id, TransferTo{anybody()});
        if (between(704, 708)) step(anybody(), AgentGone{target});
        if (between(708, 709) && faults_.crashes) power_cut();
        if (leader != nullptr && rng_.chance(faults_.races)) race(leader->id);
    }

    void propose(ReplicaId id) {
        const std::string text = std::to_string(++proposal_) + std::string(rng_.below(120), '.');
        step(id, Propose{.id = proposal_, .payload = to_bytes(text)});
    }

    void read(ReplicaId id) {
        oracle_.read_asked(++proposal_);
        step(id, ReadIndex{proposal_});
    }

    void take_snapshot(ReplicaId id) {
        const Machine& machine = machines_.at(id);
        if (!machine.replica || machine.to_load ||
            machine.replica->status().applied < machine.applied)
            return;
        step(id, SnapshotTaken{.index = machine.applied, .state = machine.snapshot()});
    }

    void crash(ReplicaId id) {
        Machine& machine = machines_.at(id);
        if (!machine.replica) return;
        machine.crash(rng_.chance(0.5));
        later(up_to(1500ms), [this, id] {
            Machine& back = machines_.at(id);
            if (!back.replica) start(back);
        });
    }

    /// Everybody at once: what was acknowledged must be on the disks.
    void power_cut() {
        for (const auto& [id, machine] : machines_) crash(id);
    }

    /// Cuts it off for a while and tells everybody at about the same time: they race for its
    /// place, while it goes on to take proposals that will be lost.
    void race(ReplicaId id) {
        for (const auto& [other, machine] : machines_) {
            if (other == id) continue;
            cut_.insert({id, other});
            cut_.insert({other, id});
            later(up_to(30ms), [this, id, other] { step(other, AgentGone{id}); });
        }
        // The two that are quickest do not hear each other either, so that neither yields.
        std::vector<ReplicaId> others;
        for (const auto& [other, machine] : machines_)
            if (other != id) others.push_back(other);
        if (others.size() > 1) cut_.insert({{others[0], others[1]}, {others[1], others[0]}});
        later(100ms + up_to(2s), [this] { cut_.clear(); });
    }

    void cut(ReplicaId id) {
        const bool one_way = rng_.chance(0.3);
        for (const auto& [other, machine] : machines_) {
            if (other == id || rng_.chance(0.3)) continue;
            cut_.insert({id, other});
            if (!one_way) cut_.insert({other, id});
        }
    }

    void change(const Machine& leader) {
        const Configuration now = leader.replica->status().configuration;
        Change change = AddLearner{{next_peer_}};
        const std::uint64_t dice = rng_.below(10);
        if (dice < 3 && !now.learners.empty() && machines_.size() > 6) {
            change = DropLearner{*now.learners.begin()};
        } else if (dice < 8 || machines_.size() > 14) {
            SetVoters set;
            const std::size_t wanted =
                1 + rng_.below(5);  // even numbers too: 2 -> 1 is the hard one
            std::vector<ReplicaId> ids;
            for (const auto& [id, peer] : now.peers) ids.push_back(id);
            rng_.shuffle(std::span(ids));
            for (const ReplicaId id : ids)
                if (set.voters.size() < wanted) set.voters.insert(id);
            change = set;
        } else {
            ++next_peer_;
        }
        step(leader.id, ChangeConfiguration{.id = ++proposal_, .change = change});
    }

    Rng rng_;
    Faults faults_;
    TimePoint now_;
    std::uint64_t sequence_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t proposal_ = 0;
    std::uint64_t trace_ = 0;
    std::uint32_t next_peer_ = 0;
    std::priority_queue<Event> events_;
    Oracle::Machines machines_;
    std::map<ReplicaId, std::uint64_t> life_;
    std::map<std::pair<ReplicaId, std::uint64_t>, TimePoint> ticks_;
    std::set<std::pair<ReplicaId, ReplicaId>> cut_;
    Oracle oracle_;
};

}  // namespace gaggle::raft::test
