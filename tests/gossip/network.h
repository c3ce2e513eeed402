// A small network of Swims in virtual time: one seeded queue, loss, cuts, kills and restarts.
//
// After every step of any member it checks what must always hold: nobody but the subject raises its
// incarnation, and death at an incarnation is never undone by an announcement that is not above it.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>

#include "tests/gossip/fake.h"

namespace gaggle::gossip {

struct Seen {
    TimePoint at;
    std::string by;
    MemberChanged change;
};

class Network {
  public:
    explicit Network(std::uint64_t seed, double loss = 0) : rng_(seed), loss_(loss) {}

    void start(const std::string& name, std::int64_t start_number = 1,
               std::int64_t boot_number = 1) {
        const PeerId id = peer(name);
        names_[id] = name;
        nodes_[id] =
            std::make_unique<Swim>(self(name, start_number, boot_number), Config{}, rng_.fork());
        raised_[id] = std::max(raised_[id], nodes_[id]->own().incarnation.value);
    }
    void introduce(const std::string& to, const std::string& whom) {
        give(peer(to), Introduce{peer(whom), card(whom)});
    }
    /// `count` members n0, n1, ..., each introduced to n0, and 5 s to settle.
    void found(int count) {
        for (int i = 0; i < count; ++i) start(nth(i));
        for (int i = 1; i < count; ++i) introduce(nth(i), nth(0));
        run(5s);
    }
    static std::string nth(int number) { return "n" + std::to_string(number); }

    void kill(const std::string& name) { nodes_.erase(peer(name)); }
    /// The machine is there and its port refuses; else connects to a killed member just hang.
    void set_refusing(bool refusing) { refusing_ = refusing; }
    /// Frames pass only between members of one side; empty: everywhere.
    void cut(const std::set<std::string>& one_side) {
        side_.clear();
        for (const auto& name : one_side) side_.insert(peer(name));
    }
    void set_loss(double loss) { loss_ = loss; }

    void give(const PeerId& to, const Input& input) {
        const auto node = nodes_.find(to);
        if (node != nodes_.end()) take(to, node->second->step(now_, input));
    }

    void run(Duration span) {
        const TimePoint end = now_ + span;
        while (true) {
            TimePoint next = end;
            std::optional<PeerId> ticker;
            if (!queue_.empty()) next = std::min(next, queue_.top().at);
            for (const auto& [id, node] : nodes_) {
                const auto wakeup = node->next_wakeup();
                if (wakeup && *wakeup < next) {
                    next = *wakeup;
                    ticker = id;
                }
            }
            if (next >= end) break;
            now_ = std::max(now_, next);
            if (ticker) {
                give(*ticker, Tick{});
                continue;
            }
            const Flight flight = queue_.top();
            queue_.pop();
            give(flight.to, flight.input);
        }
        now_ = end;
    }

    Swim& at(const std::string& name) { return *nodes_.at(peer(name)); }
    TimePoint now() const { return now_; }
    const std::vector<Seen>& seen() const { return seen_; }
    std::size_t frames() const { return frames_; }
    std::size_t bytes() const { return bytes_; }
    const std::map<PeerId, std::unique_ptr<Swim>>& nodes() const { return nodes_; }

    /// How many running members believe this of `name`.
    std::size_t believers(const std::string& name, MemberState state) const {
        std::size_t count = 0;
        for (const auto& [id, node] : nodes_) {
            const Member* member = node->members().find(peer(name));
            if (member != nullptr && member->state == state) ++count;
        }
        return count;
    }
    /// Everybody runs and holds everybody else alive.
    bool whole() const {
        for (const auto& [id, node] : nodes_)
            for (const auto& [other, unused] : nodes_) {
                const Member* member = node->members().find(other);
                const bool fine = member != nullptr && member->state == MemberState::alive;
                if (id != other && !fine) return false;
            }
        return true;
    }
    /// The last time at which a running member first came to hold `name` in `state`, since `from`.
    Duration last_to_see(const std::string& name, MemberState state, TimePoint from) const {
        Duration last{0};
        for (const auto& seen : seen_)
            if (seen.at >= from && names_.at(seen.change.peer) == name && seen.change.to == state &&
                seen.change.from != state)
                last = std::max(last, seen.at - from);
        return last;
    }
    std::size_t deaths() const {
        return static_cast<std::size_t>(
            std::count_if(seen_.begin(), seen_.end(),
                          [](const Seen& seen) { return seen.change.to == MemberState::dead; }));
    }

  private:
    struct Flight {
        TimePoint at;
        std::uint64_t order;
        PeerId to;
        Input input;
        bool operator<(const Flight& other) const {
            return std::tie(at, order) > std::tie(other.at, other.order);
        }
    };

    void fly(const PeerId& to, Input input) {
        const Duration delay = Duration(rng_.between(100, 2'000));
        queue_.push({now_ + delay, ++flights_, to, std::move(input)});
    }

    void take(const PeerId& from, Effects effects) {
        check(from);
        for (const auto& event : effects.events)
            if (const auto* change = std::get_if<MemberChanged>(&event))
                seen_.push_back({now_, names_.at(from), *change});
        for (auto& send : effects.sends) {
            ++frames_;
            bytes_ += send.bytes.size();
            if (side_.contains(from) != side_.contains(send.to) && !side_.empty()) continue;
            if (!rng_.chance(loss_)) fly(send.to, Received{from, std::move(send.bytes)});
        }
        for (const auto& target : effects.connect_tests) {
            const bool down = !nodes_.contains(target);
            if (!down || refusing_) fly(from, ConnectResult{target, down});
        }
    }

    /// What must always hold, seen from the member that has just made a step.
    void check(const PeerId& stepped) {
        const Swim& node = *nodes_.at(stepped);
        raised_[stepped] = std::max(raised_[stepped], node.own().incarnation.value);
        for (const auto& [id, entry] : node.members().all()) {
            const Member& member = entry.view;
            if (member.incarnation.value > raised_[id])
                FAIL("incarnation of " << names_[id] << " raised by another");
            auto& dead = dead_at_[{stepped, id, node.own().start}];
            if (member.state == MemberState::dead)
                dead = std::max(dead, member.incarnation.value);
            else if (dead != 0 && member.incarnation.value <= dead)
                FAIL(names_[id] << " came back without a higher incarnation");
        }
    }

    Rng rng_;
    double loss_;
    bool refusing_ = false;
    TimePoint now_{};
    std::uint64_t flights_ = 0;
    std::size_t frames_ = 0;
    std::size_t bytes_ = 0;
    std::map<PeerId, std::string> names_;
    std::map<PeerId, std::unique_ptr<Swim>> nodes_;
    std::map<PeerId, std::uint64_t> raised_;
    std::map<std::tuple<PeerId, PeerId, StartId>, std::uint64_t> dead_at_;
    std::set<PeerId> side_;
    std::priority_queue<Flight> queue_;
    std::vector<Seen> seen_;
};

}  // namespace gaggle::gossip
