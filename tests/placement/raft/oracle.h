// Watches a test group from above, disks included, and remembers the first thing that must not
// be.
//
// Checked: one leader per term; log matching (entries carry chained checksums, so equal index and
// term must mean equal checksum); what is committed anywhere never changes; a new leader has
// everything that is committed; nothing is reported committed that is not on the disks of a
// majority of voters; a snapshot's state is the state that its index had; a read never misses
// what was reported before it.
#pragma once

#include <fmt/core.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "placement/raft/quorum.h"
#include "tests/placement/raft/machine.h"

namespace gaggle::raft::test {

class Oracle {
  public:
    using Machines = std::map<ReplicaId, Machine>;

    /// Empty while all is well.
    const std::string& violation() const { return violation_; }
    LogIndex committed() const { return LogIndex{committed_.size()}; }
    const Entry& entry(LogIndex index) const { return committed_[index.value - 1]; }
    std::size_t leaders() const { return leaders_.size(); }

    void read_asked(std::uint64_t id) { reads_[id] = committed(); }

    /// After each step of `machine`.
    void check(const Machines& machines, const Machine& machine, const Effects& effects) {
        if (effects.halted) fail("replica {} stopped: {}", machine.id.value, *effects.halted);
        if (effects.role && effects.role->role == Role::leader)
            check_leader(machine, effects.role->term);
        for (const Entry& entry : effects.committed) check_committed(machines, machine, entry);
        if (effects.restore) check_restored(*effects.restore);
        for (const ReadReady& ready : effects.read_ready)
            if (ready.index < reads_[ready.id])
                fail("read {} answered at {}, after {} was reported", ready.id, ready.index.value,
                     reads_[ready.id].value);
    }

    void check_log_matching(const Machines& machines) {
        std::map<std::pair<LogIndex, Term>, std::pair<std::uint64_t, ReplicaId>> seen;
        for (const auto& [id, machine] : machines) {
            if (!machine.replica) continue;
            const Log& log = machine.replica->log();
            for (LogIndex index = log.first(); index <= log.last(); ++index.value) {
                const Entry& entry = log.at(index);
                const auto [found, fresh] =
                    seen.try_emplace({index, entry.term}, entry.checksum, id);
                if (found->second.first != entry.checksum)
                    fail("logs of {} and {} differ at or before {} in term {}", id.value,
                         found->second.second.value, index.value, entry.term.value);
            }
        }
    }

  private:
    template <class... Args>
    void fail(fmt::format_string<Args...> format, Args&&... args) {
        if (violation_.empty()) violation_ = fmt::format(format, std::forward<Args>(args)...);
    }

    void check_leader(const Machine& machine, Term term) {
        const auto [found, fresh] = leaders_.try_emplace(term, machine.id);
        if (found->second != machine.id)
            fail("term {} has two leaders, {} and {}", term.value, found->second.value,
                 machine.id.value);
        const Log& log = machine.replica->log();
        if (log.last() < committed())
            return fail("leader {} of term {} lacks committed entry {}", machine.id.value,
                        term.value, committed().value);
        for (LogIndex index = log.first(); index <= committed(); ++index.value)
            if (log.at(index).checksum != entry(index).checksum)
                return fail("leader {} of term {} has another entry {} than was committed",
                            machine.id.value, term.value, index.value);
    }

    void check_committed(const Machines& machines, const Machine& machine, const Entry& entry) {
        if (entry.index <= committed()) {
            if (!(this->entry(entry.index) == entry))
                fail("replica {} commits another entry {} than others did", machine.id.value,
                     entry.index.value);
            return;
        }
        if (entry.index.value != committed().value + 1)
            return fail("replica {} commits entry {} before {}", machine.id.value,
                        entry.index.value, committed().value + 1);
        std::set<ReplicaId> durable;
        for (const auto& [id, each] : machines)
            if (holds(each.disk, entry)) durable.insert(id);
        // A follower may hear of a commit before it hears of the configuration that allowed it.
        bool enough = false;
        for (const auto& [id, each] : machines) {
            if (!each.replica || each.replica->log().last() < entry.index) continue;
            for (const auto& [index, configuration] : each.replica->log().configurations())
                enough = enough || majority(configuration, durable);
        }
        if (!enough)
            fail("entry {} is reported committed by {} but is on {} disks only ({})",
                 entry.index.value, machine.id.value, durable.size(),
                 to_string(machine.replica->log().configuration()));
        committed_.push_back(entry);
    }

    void check_restored(const Snapshot& snapshot) {
        if (snapshot.meta.index > committed())
            return fail("a snapshot is ahead of everything committed");
        std::vector<std::string> state;
        for (LogIndex index{1}; index <= snapshot.meta.index; ++index.value)
            if (entry(index).kind == EntryKind::command)
                state.push_back(to_text(entry(index).payload));
        if (snapshot.state != encode(state))
            fail("the snapshot at {} holds another state than its index had",
                 snapshot.meta.index.value);
    }

    std::string violation_;
    std::map<Term, ReplicaId> leaders_;
    std::vector<Entry> committed_;
    std::map<std::uint64_t, LogIndex> reads_;
};

}  // namespace gaggle::raft::test
