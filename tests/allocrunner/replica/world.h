// Peers with replicas, trees in memory and a network that loses, delays and reorders, in virtual
// time.
//
// Each peer's work is carried out in order, some time after it was asked for. The world remembers
// every manifest that any source ever scanned, so that a test can say: what a holder has is exactly
// one of those.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "allocrunner/replica/copier.h"
#include "allocrunner/replica/replica.h"
#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica::test {

class World {
  public:
    struct Machine {
        std::unique_ptr<sim::MemoryTree> files;
        std::unique_ptr<Copier> copier;
        std::unique_ptr<Replica> replica;  ///< nothing while crashed
        std::uint64_t life = 0;            ///< results of an earlier one are void
        TimePoint work_done{};             ///< when its last work ends
        std::vector<Event> events;
        std::uint64_t blocks_received = 0;
        std::uint64_t bytes_sent = 0;
    };

    World(std::uint8_t peers, std::uint64_t seed, Config config = {})
        : config_(config), rng_(seed) {
        for (std::uint8_t number = 1; number <= peers; ++number) {
            machines_[peer(number)].files = std::make_unique<sim::MemoryTree>();
            start(peer(number));
        }
    }

    Machine& at(const PeerId& id) { return machines_.at(id); }
    sim::MemoryTree& files(const PeerId& id) { return *at(id).files; }
    Replica& replica(const PeerId& id) { return *at(id).replica; }
    TimePoint now() const { return now_; }
    WallTime wall() const { return {(now_.time_since_epoch().count() + 1'000'000) * 1000}; }
    Rng& rng() { return rng_; }
    std::string alloc_path(const AllocId& alloc = kAlloc) const {
        return "alloc/" + to_string(alloc);
    }

    double loss = 0;
    Duration delay_max = 5ms;
    std::set<std::pair<PeerId, PeerId>> cut;  ///< from, to
    std::function<bool(const PeerId& from, const PeerId& to, const Body&)> drop;
    std::map<Hash, Tree> scanned;  ///< by root, of all sources ever

    void cut_off(const PeerId& id) {
        for (const auto& [other, machine] : machines_) {
            cut.emplace(id, other);
            cut.emplace(other, id);
        }
    }
    void heal() { cut.clear(); }

    void give(const PeerId& id, const Input& input) {
        Machine& machine = at(id);
        if (!machine.replica) return;
        machine.files->set_wall(wall());
        absorb(id, machine.replica->step(now_, input));
    }

    void crash(const PeerId& id) {
        Machine& machine = at(id);
        machine.replica.reset();
        machine.copier.reset();
        ++machine.life;
        machine.files->crash(rng_);
    }

    void start(const PeerId& id) {
        Machine& machine = at(id);
        machine.copier = std::make_unique<Copier>(*machine.files, Places{});
        machine.replica = std::make_unique<Replica>(id, keys_of(id), config_);
        must(make_dirs(*machine.files, "alloc"));
        const auto found = machine.copier->recover();
        REQUIRE(found.problems.empty());
        give(id, Recovered{found.copies});
    }

    /// Everything that happens until then. Ends early when `until` says so.
    bool run(Duration span, const std::function<bool()>& until = nullptr) {
        const TimePoint end = now_ + span;
        for (;;) {
            if (until && until()) return true;
            TimePoint next = end;
            if (!queue_.empty()) next = std::min(next, queue_.begin()->first.first);
            for (auto& [id, machine] : machines_)
                if (machine.replica)
                    next = std::min(next, machine.replica->next_wakeup().value_or(end));
            if (next >= end) break;
            now_ = std::max(now_, next);
            if (!queue_.empty() && queue_.begin()->first.first <= now_) {
                auto node = queue_.extract(queue_.begin());
                node.mapped()();
                continue;
            }
            for (auto& [id, machine] : machines_)
                if (machine.replica && machine.replica->next_wakeup().value_or(end) <= now_)
                    give(id, Tick{});
        }
        now_ = end;
        return until && until();
    }

    /// Newest complete version at `id` is, byte for byte, something that a source once scanned.
    std::optional<Header> check_copy(const PeerId& id, const Lineage& lineage = kLineage) {
        Machine& machine = at(id);
        const auto header = machine.replica->newest(lineage);
        if (!header) return header;
        REQUIRE(scanned.contains(header->root));
        const Tree tree = scan_of(*machine.files, "copies/" + folder_of(lineage) + "/tree").tree;
        REQUIRE(tree == scanned.at(header->root));
        return header;
    }

    template <class What>
    std::vector<What> events(const PeerId& id) {
        std::vector<What> out;
        for (const Event& event : at(id).events)
            if (const auto* what = std::get_if<What>(&event)) out.push_back(*what);
        return out;
    }

  private:
    void absorb(const PeerId& id, const Effects& effects) {
        Machine& machine = at(id);
        for (const Send& send : effects.sends) deliver(id, send);
        for (const Work& work : effects.work) {
            machine.work_done =
                std::max(machine.work_done, now_) + Duration(rng_.between(50, 3000));
            const std::uint64_t life = machine.life;
            later(machine.work_done, [this, id, work, life] { do_work(id, work, life); });
        }
        machine.events.insert(machine.events.end(), effects.events.begin(), effects.events.end());
    }

    void do_work(const PeerId& id, const Work& work, std::uint64_t life) {
        Machine& machine = at(id);
        if (machine.life != life || !machine.replica) return;
        machine.files->set_wall(wall());
        std::string problem;
        const auto result = machine.copier->carry_out(work, wall(), problem);
        REQUIRE(problem == "");
        if (!result) return;
        if (const auto* scan = std::get_if<Scanned>(&*result); scan && scan->error.empty())
            scanned.emplace(scan->root, must(decode_tree(scan->tree, scan->root)));
        give(id, *result);
    }

    void deliver(const PeerId& from, const Send& send) {
        at(from).bytes_sent += send.bytes.size();
        const Body body = must(decode_message(send.bytes));
        if (drop && drop(from, send.to, body)) return;
        if (cut.contains({from, send.to}) || rng_.chance(loss) || !machines_.contains(send.to))
            return;
        const auto arrive = [this, from, send] {
            if (const auto body = decode_message(send.bytes))
                if (const auto* blocks = std::get_if<Blocks>(&*body))
                    at(send.to).blocks_received += blocks->blocks.size();
            give(send.to, Received{from, send.bytes});
        };
        later(now_ + Duration(rng_.between(100, delay_max.count())), arrive);
        if (rng_.chance(loss / 4))
            later(now_ + Duration(rng_.between(100, delay_max.count())), arrive);
    }

    void later(TimePoint when, std::function<void()> what) {
        queue_.emplace(std::pair{when, ++sequence_}, std::move(what));
    }

    Config config_;
    Rng rng_;
    TimePoint now_{};
    std::uint64_t sequence_ = 0;
    std::map<PeerId, Machine> machines_;
    std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> queue_;
};

}  // namespace gaggle::replica::test
