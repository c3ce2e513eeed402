// A machine's tasks and allocation directories, without processes or files.
//
// It carries out a runner's work after a little while, keeps what the real one would keep on disk
// (orders, states, exits) and what the kernel keeps while it is up (processes). An agent that dies
// takes neither with it; a reboot takes the processes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "allocrunner/effects.h"
#include "allocrunner/input.h"
#include "allocrunner/replica/copier.h"
#include "base/rng.h"
#include "gctl/node/io.h"
#include "tests/sim/events.h"
#include "tests/sim/memory_tree.h"

namespace gaggle::sim {

class Machine {
  public:
    using Deliver = std::function<void(node::Input)>;

    Machine(Events& events, Rng rng) : events_(events), rng_(rng) {}

    /// Where answers go; nothing while no agent runs.
    void attach(Deliver deliver) { deliver_ = std::move(deliver); }
    void detach() {
        deliver_ = nullptr;
        ++agent_;
    }

    void carry_out(const allocrunner::Work& work);
    void carry_out(const replica::Work& work);
    /// What an agent finds when it starts.
    allocrunner::Recovered found() const;
    replica::Recovered found_copies() { return {copier_->recover().copies}; }
    /// The agent's part of copying dies with it; the files stay.
    void restart_copier() {
        copier_ = std::make_unique<replica::Copier>(files_, replica::Places{});
        copier_free_ = {};
    }
    /// All processes are gone, and what was not synced.
    void reboot();
    /// The first task that found torn or future data in its directory, or that one agent sent the
    /// same marked signal twice; in words.
    const std::optional<std::string>& torn() const { return torn_; }
    /// The first task that was started while it ran, in words.
    const std::optional<std::string>& doubled() const { return doubled_; }
    /// Another number for each agent that was started here.
    std::uint64_t agent() const { return agent_; }
    /// Another number for each time that the machine was booted.
    std::uint64_t boot() const { return boot_; }
    /// As its agent wrote it down; nothing when it did not, or took it away. Valid until the next
    /// event.
    const allocrunner::Order* order(const AllocId& alloc) const {
        const auto found = orders_.find(alloc);
        return found == orders_.end() ? nullptr : &found->second.what;
    }
    /// Of the allocation's task "task"; 0 while it has no process.
    std::uint64_t run_of(const AllocId& alloc) const {
        const auto found = processes_.find({alloc, "task"});
        return found == processes_.end() ? 0 : found->second.run;
    }
    /// How often tasks got a signal of kMarkedSignal or more, which ends none; by its number.
    static constexpr std::int64_t kMarkedSignal = 1'000;
    std::uint64_t marks(std::int64_t signal) const {
        const auto found = marks_.find(signal);
        return found == marks_.end() ? 0 : found->second.second;
    }
    /// Allocations with a task that runs, and what they asked for.
    std::map<AllocId, Amounts> running() const;
    std::uint64_t started() const { return started_; }  ///< tasks so far
    /// Allocations for which mounts and networks were made that were not torn down.
    const std::set<AllocId>& set_up() const { return set_up_; }

  private:
    using Key = std::pair<AllocId, std::string>;
    struct Process {
        std::uint64_t run = 0;
        std::int64_t pid = 0;
        WallTime started;
    };
    struct Exit {
        std::uint64_t run = 0;
        allocrunner::TaskExit exit;
        WallTime started;
        std::int64_t pid = 0;
    };

    template <class What>
    struct Saved {
        std::uint64_t version = 0;
        What what;
    };

    void on(const allocrunner::ProbePorts& work);
    void on(const allocrunner::PrepareDir& work);
    void on(const allocrunner::SetUpTask& work);
    void on(const allocrunner::EndSetUp&) {}
    void on(const allocrunner::StartTask& work);
    void on(const allocrunner::AbortStart&) {}  // nothing is fetched here
    void on(const allocrunner::SignalTask& work);
    void on(const allocrunner::KillTask& work);
    void on(const allocrunner::RunCheck& work);
    void on(const allocrunner::SaveState& work);
    void on(const allocrunner::SaveOrder& work);
    /// A moment from now, unless the agent dies before.
    void later(std::function<void()> what);
    void on(const allocrunner::TearDown& work);
    void on(const allocrunner::RemoveDir& work);
    /// Whether the machine refuses this time to undo what was made for the allocation, and why.
    std::optional<std::string> fails(const AllocId& alloc);
    void end(const Key& key, std::uint64_t run, std::int64_t code, std::int64_t signal);
    void answer(allocrunner::Input input);
    std::optional<std::string> prepare(const allocrunner::PrepareDir& work);
    void check_data(const allocrunner::Order& order);
    void write_data(const Key& key, std::uint64_t run);
    Duration while_() { return Duration(rng_.between(200, 5'000)); }

    Events& events_;
    Rng rng_;
    Deliver deliver_;
    std::uint64_t agent_ = 0;  ///< answers to an agent that has died are lost
    std::uint64_t boot_ = 0;
    std::int64_t last_pid_ = 100;
    std::map<Key, Process> processes_;
    std::map<Key, Exit> exits_;
    std::map<AllocId, Saved<allocrunner::Order>> orders_;
    std::map<AllocId, Saved<Bytes>> states_;
    std::uint64_t saves_ = 0;
    std::set<AllocId> set_up_;
    std::map<AllocId, int> failures_;  ///< in a row
    MemoryTree files_;
    std::unique_ptr<replica::Copier> copier_ =
        std::make_unique<replica::Copier>(files_, replica::Places{});
    TimePoint copier_free_{};  ///< its work is done in order
    std::optional<std::string> torn_;
    std::optional<std::string> doubled_;
    std::uint64_t started_ = 0;
    /// By signal: the agent that sent it last, and how often in all.
    std::map<std::int64_t, std::pair<std::uint64_t, std::uint64_t>> marks_;
};

}  // namespace gaggle::sim
