// A commit group under the hand of a golden script: nothing moves unless a line says so.
//
//     group 3                 three founders, replicas 1, 2, 3; `batch=1`: one entry in a message
//     lead 1                  campaign and settle; only says who leads
//     campaign 1              wait until replica 1 loses patience (only its clock is read)
//     deliver 1->2            what is on its way from 1 to 2; without an argument: everything
//     deliver 1->2 newest     only the last of it, so that it overtakes the others
//     drop 1->2   double 1->2
//     persist 2               the write of replica 2 is done; `crash 2 done` is one that nobody
//     heard of settle                  deliver and persist until nothing is left; messages are not
//     printed cut 1                   from now on nothing reaches replica 1 or leaves it; `heal`
//     ends that wait 500ms              time passes, nobody ticks; `tick 1`, or `tick` for all
//     propose 1 x   read 1   change 1 add=4|drop=4|voters=1,2   transfer 1 to=2
//     snapshot 1   gone 2 who=1   crash 1   restart 1   log 1   status 1
//
// Commands are applied, and snapshots loaded, as soon as they are handed out.
#pragma once

#include <fmt/core.h>

#include <list>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tests/golden.h"
#include "tests/placement/raft/oracle.h"

namespace gaggle::raft::test {

class Script {
  public:
    std::string run(const golden::Directive& line) {
        std::ostringstream out;
        if (!simple(line, out) && !network(line, out)) {
            Machine& machine = at(line.words.empty() ? "" : line.words[0]);
            on_machine(line, machine, out);
        }
        if (!oracle_.violation().empty()) out << "VIOLATION: " << oracle_.violation() << "\n";
        return out.str().empty() ? "nothing happens\n" : out.str();
    }

  private:
    using Line = golden::Directive;

    static std::uint64_t number(const std::string& text) { return std::stoull(text); }

    static std::set<ReplicaId> ids(const std::string& text) {
        std::set<ReplicaId> out;
        std::istringstream in(text);
        for (std::string each; std::getline(in, each, ',');) out.insert({number(each)});
        return out;
    }

    Machine& at(const std::string& word) {
        const auto found = machines_.find({number(word)});
        if (found == machines_.end()) throw std::runtime_error("there is no replica " + word);
        return found->second;
    }

    void add(ReplicaId id, Restored disk) {
        Machine machine{.id = id};
        machine.config = {.self = id, .region = kRegion, .epoch = kEpoch};
        machine.config.tail_bytes_max = 40;
        machine.config.inflight_messages_max = 2;
        machine.config.append_entries_max = batch_;
        machine.disk = std::move(disk);
        machines_[id] = std::move(machine);
        machines_[id].start(Rng(id.value));
    }

    bool simple(const Line& line, std::ostream& out) {
        if (line.name == "group") {
            machines_.clear();
            queue_.clear();
            cut_.clear();
            oracle_ = {};
            batch_ = line.number("batch", 100);
            std::vector<PeerNumber> peers;
            for (std::uint32_t each = 1; each <= number(line.words[0]); ++each)
                peers.push_back({each});
            for (std::uint64_t each = 1; each <= peers.size(); ++each) add({each}, founding(peers));
            std::ostringstream unheard;
            for (auto& [id, machine] : machines_) step(machine, Tick{}, unheard);
            out << "a group of " << peers.size() << "\n";
        } else if (line.name == "wait") {
            now_ += std::chrono::milliseconds(number(line.words[0]));
            out << "it is " << now_.time_since_epoch().count() / 1000 << "ms\n";
        } else if (line.name == "tick" && line.words.empty()) {
            for (auto& [id, machine] : machines_)
                if (machine.replica) step(machine, Tick{}, out);
        } else if (line.name == "heal") {
            cut_.clear();
            out << "all are connected\n";
        } else if (line.name == "settle") {
            settle(out);
        } else {
            return false;
        }
        return true;
    }

    bool network(const Line& line, std::ostream& out) {
        if (line.name != "deliver" && line.name != "drop" && line.name != "double") return false;
        std::vector<std::list<Message>::iterator> chosen;
        for (auto each = queue_.begin(); each != queue_.end(); ++each)
            if (line.words.empty() || line.words[0] == arrow(*each)) chosen.push_back(each);
        if (line.says("newest") && chosen.size() > 1) chosen = {chosen.back()};
        for (const auto each : chosen) {
            const Message message = *each;
            if (line.name == "double") {
                queue_.push_back(message);
                continue;
            }
            queue_.erase(each);
            if (line.name == "drop")
                out << "lost: " << to_string(message) << "\n";
            else
                arrive(message, out);
        }
        if (chosen.empty()) throw std::runtime_error("nothing is on its way");
        return true;
    }

    static std::string arrow(const Message& message) {
        return fmt::format("{}->{}", message.from.value, message.to.value);
    }

    void on_machine(const Line& line, Machine& machine, std::ostream& out) {
        const std::string& name = line.name;
        const std::uint64_t id = 100 + next_id_;
        if (name == "campaign") {
            const auto due = machine.replica->next_wakeup();
            if (!due) throw std::runtime_error("it never campaigns");
            now_ = std::max(now_, *due);
            step(machine, Tick{}, out);
        } else if (name == "lead") {
            std::ostringstream unheard;
            now_ = std::max(now_ + 1s, machine.replica->next_wakeup().value_or(now_));
            step(machine, Tick{}, unheard);
            settle(unheard);
            const Status status = machine.replica->status();
            out << machine.id.value << ": " << to_string(status.role) << " in term "
                << status.term.value << "\n";
        } else if (name == "tick") {
            step(machine, Tick{}, out);
        } else if (name == "persist") {
            if (!machine.writing) throw std::runtime_error("nothing is being written");
            step(machine, machine.finish_write(), out);
        } else if (name == "crash") {
            machine.crash(line.says("done"));
            out << machine.id.value << ": crashed\n";
        } else if (name == "restart") {
            machine.start(Rng(machine.id.value));
            step(machine, Tick{}, out);
        } else if (name == "cut") {
            cut_.insert(machine.id);
            out << machine.id.value << ": cut off\n";
        } else if (name == "propose") {
            ++next_id_;
            step(machine, Propose{id, to_bytes(line.words.at(1))}, out);
        } else if (name == "read") {
            ++next_id_;
            oracle_.read_asked(id);
            step(machine, ReadIndex{id}, out);
        } else if (name == "change") {
            ++next_id_;
            step(machine, ChangeConfiguration{id, change(line)}, out);
        } else if (name == "transfer") {
            step(machine, TransferTo{{number(line.get("to"))}}, out);
        } else if (name == "snapshot") {
            step(machine, SnapshotTaken{machine.applied, machine.snapshot()}, out);
        } else if (name == "gone") {
            step(machine, AgentGone{{number(line.get("who"))}}, out);
        } else if (name == "log") {
            show_log(machine, out);
        } else if (name == "status") {
            show_status(machine, out);
        } else {
            throw std::runtime_error("unknown directive");
        }
    }

    static Change change(const Line& line) {
        if (line.has("add")) return AddLearner{{static_cast<std::uint32_t>(line.number("add"))}};
        if (line.has("drop")) return DropLearner{{number(line.get("drop"))}};
        return SetVoters{ids(line.get("voters"))};
    }

    void arrive(const Message& message, std::ostream& out) {
        if (cut_.contains(message.from) || cut_.contains(message.to)) {
            if (!quiet_) out << "cut off: " << to_string(message) << "\n";
            return;
        }
        if (!machines_.contains(message.to)) add(message.to, {});
        Machine& machine = machines_.at(message.to);
        if (machine.replica)
            step(machine, Received{message}, out);
        else if (!quiet_)
            out << "nobody there: " << to_string(message) << "\n";
    }

    void settle(std::ostream& out) {
        quiet_ = true;
        for (int round = 0; round < 1000; ++round) {
            bool idle = queue_.empty();
            for (auto messages = std::exchange(queue_, {}); const Message& message : messages)
                arrive(message, out);
            for (auto& [id, machine] : machines_) {
                if (!machine.replica || !machine.writing) continue;
                idle = false;
                step(machine, machine.finish_write(), out);
            }
            if (idle) break;
        }
        quiet_ = false;
    }

    void step(Machine& machine, const Input& input, std::ostream& out) {
        const Effects effects = machine.replica->step(now_, input);
        machine.absorb(effects);
        oracle_.check(machines_, machine, effects);
        oracle_.check_log_matching(machines_);
        print(machine.id, effects, out);
        queue_.insert(queue_.end(), effects.now.begin(), effects.now.end());
        if (effects.restore) step(machine, SnapshotInstalled{machine.applied}, out);
        if (!effects.committed.empty()) step(machine, Applied{machine.applied}, out);
    }

    void print(ReplicaId id, const Effects& effects, std::ostream& out) const {
        const std::string who = std::to_string(id.value) + ": ";
        if (effects.role)
            out << who << to_string(effects.role->role) << " in term " << effects.role->term.value
                << (effects.role->leader ? ", leader " + std::to_string(effects.role->leader->value)
                                         : ", no leader")
                << "\n";
        if (effects.persist && !quiet_) out << who << words(*effects.persist) << "\n";
        if (!quiet_)
            for (const Message& message : effects.now)
                out << who << "send " << to_string(message) << "\n";
        if (effects.restore) out << who << "restore " << effects.restore->meta.index.value << "\n";
        for (const Entry& entry : effects.committed)
            out << who << "commit " << words(entry) << "\n";
        for (const AcceptedAt& accepted : effects.accepted_at)
            out << who << "accepted " << accepted.id << " at " << accepted.index.value << "/"
                << accepted.term.value << "\n";
        for (const ReadReady& ready : effects.read_ready)
            out << who << "read " << ready.id << " from " << ready.index.value << "\n";
        for (const Dropped& dropped : effects.dropped)
            out << who << "dropped " << dropped.id << ": " << to_string(dropped.reason)
                << (dropped.why.empty() ? "" : " (" + dropped.why + ")")
                << (dropped.leader ? ", ask " + std::to_string(dropped.leader->value) : "") << "\n";
        for (const ConfigurationChanged& changed : effects.configuration)
            out << who << (changed.committed ? "committed configuration " : "configuration ")
                << changed.index.value << ": " << to_string(changed.configuration) << "\n";
        if (effects.halted) out << who << "HALTED: " << *effects.halted << "\n";
    }

    static std::string words(const Entry& entry) {
        const std::string place = fmt::format("{}/{}", entry.index.value, entry.term.value);
        if (entry.kind == EntryKind::empty) return place + " empty";
        if (entry.kind == EntryKind::configuration) return place + " configuration";
        return place + " \"" + to_text(entry.payload) + "\"";
    }

    static std::string words(const Persist& persist) {
        std::string out = "write " + std::to_string(persist.token) + ":";
        if (persist.hard)
            out += fmt::format(" term={} vote={}", persist.hard->term.value,
                               persist.hard->vote.value_or(ReplicaId{}).value);
        if (persist.snapshot)
            out += " snapshot=" + std::to_string(persist.snapshot->meta.index.value);
        if (persist.truncate_from)
            out += " cut-from=" + std::to_string(persist.truncate_from->value);
        for (const Entry& entry : persist.append) out += " +" + words(entry);
        if (persist.drop_until) out += " drop-until=" + std::to_string(persist.drop_until->value);
        return out;
    }

    static void show_log(const Machine& machine, std::ostream& out) {
        const Log& log = machine.replica->log();
        out << machine.id.value << ": log";
        for (LogIndex index = log.first(); index <= log.last(); ++index.value)
            out << " " << words(log.at(index));
        out << "\n";
    }

    static void show_status(const Machine& machine, std::ostream& out) {
        const Status status = machine.replica->status();
        out << machine.id.value << ": " << to_string(status.role) << " term=" << status.term.value
            << " last=" << status.last.value << " durable=" << status.durable.value
            << " commit=" << status.commit.value << " applied=" << status.applied.value
            << (status.settled ? " settled" : "");
        if (status.standby) out << " standby=" << status.standby->value;
        out << " | " << to_string(status.configuration) << "\n";
        for (const Standing& each : status.others)
            out << "   " << each.id.value << " match=" << each.match.value
                << (each.caught_up ? " caught up" : "") << "\n";
    }

    TimePoint now_{1s};
    std::uint64_t next_id_ = 1;
    bool quiet_ = false;
    std::size_t batch_ = 100;
    Oracle::Machines machines_;
    std::list<Message> queue_;
    std::set<ReplicaId> cut_;
    Oracle oracle_;
};

}  // namespace gaggle::raft::test
