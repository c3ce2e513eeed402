#include "placement/scheduler/reconcile.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "placement/jobspec/dispatch.h"
#include "placement/scheduler/changes.h"
#include "placement/scheduler/reschedule.h"

namespace gaggle {

namespace {

/// What an allocation means for its slot today. In order of who represents a slot that has several.
enum class State { live, migrate, done, failed_later, failed_final, failed_now, lost, gone };

struct Occupant {
    const ExistingAlloc* alloc = nullptr;
    State state = State::gone;
    RescheduleAt due;  ///< of failed_now and failed_later
};

bool runs_to_completion(JobType type) {
    return type == JobType::batch || type == JobType::sysbatch;
}

Occupant failed(const PlanInput& input, const TaskGroup& group, const ExistingAlloc& alloc) {
    if (alloc.for_good) return {&alloc, State::failed_final, {}};
    const LogTime failed_at = alloc.failed_at.value_or(input.now);
    const auto due = reschedule_at(group.reschedule, alloc.reschedules, failed_at);
    if (!due) return {&alloc, State::failed_final, {}};
    return {&alloc, due->when <= input.now ? State::failed_now : State::failed_later, *due};
}

Occupant judge(const PlanInput& input, const TaskGroup& group, const ExistingAlloc& alloc) {
    using Client = ExistingAlloc::Client;
    const bool is_batch = runs_to_completion(input.job.type);
    const bool outdated = alloc.job_version < input.version;
    if (alloc.replaced) return {&alloc, State::gone, {}};
    if (is_batch && alloc.terminal() && outdated) return {&alloc, State::gone, {}};  // it runs anew
    if (alloc.client == Client::complete) return {&alloc, is_batch ? State::done : State::gone, {}};
    if (alloc.desired == ExistingAlloc::Desired::stop) return {&alloc, State::gone, {}};
    if (alloc.client == Client::failed) return failed(input, group, alloc);
    if (alloc.lost || alloc.client == Client::lost) {
        const bool replace = !group.disconnect || group.disconnect->replace;
        return {&alloc, replace ? State::lost : State::failed_final, {}};
    }
    return {&alloc, alloc.migrate ? State::migrate : State::live, {}};
}

bool occupies(State state) {
    return state == State::live || state == State::migrate || state == State::done ||
           state == State::failed_later || state == State::failed_final;
}
bool runs(State state) { return state == State::live || state == State::migrate; }

/// Whether `a` rather than `b` stands for the slot that both are in: the one that runs, then the
/// newer.
bool represents(const Occupant& a, const Occupant& b) {
    if (a.state != b.state) return a.state < b.state;
    if (a.alloc->job_version != b.alloc->job_version)
        return a.alloc->job_version > b.alloc->job_version;
    return a.alloc->id < b.alloc->id;
}

/// What a change of the job means for an allocation that is to stay.
std::optional<std::string> why_replace(const PlanInput& input, const TaskGroup& group,
                                       const ExistingAlloc& alloc) {
    if (alloc.job_version == input.version) return std::nullopt;
    const auto version = input.versions.find(alloc.job_version);
    const Job* old_job = version == input.versions.end() ? nullptr : version->second;
    const TaskGroup* old_group = old_job == nullptr ? nullptr : find_group(*old_job, group.name);
    if (old_group == nullptr)
        return "version " + std::to_string(alloc.job_version) + " is no longer known";
    return tasks_updated(*old_job, *old_group, input.job, group);
}

std::vector<PeerNumber> failure_peers(const ExistingAlloc& alloc) {
    std::vector<PeerNumber> peers;
    for (const RescheduleAttempt& attempt : alloc.reschedules) peers.push_back(attempt.peer);
    peers.push_back(alloc.peer);
    return peers;
}

void stop(GroupChanges& out, const ExistingAlloc& alloc, std::string reason) {
    const bool done = alloc.terminal() || alloc.desired == ExistingAlloc::Desired::stop;
    if (!done) out.stops.push_back({alloc.id, std::move(reason)});
}

/// One group's slots on the way from what is to what should be.
class Reconciler {
  public:
    Reconciler(const PlanInput& input, const TaskGroup& group,
               const std::vector<const ExistingAlloc*>& allocs)
        : input_(input),
          group_(group),
          count_(static_cast<std::size_t>(std::max<std::int64_t>(0, group.count))) {
        for (const ExistingAlloc* alloc : allocs) {
            seat(judge(input, group, *alloc));
            const bool leaving = alloc->desired == ExistingAlloc::Desired::stop;
            if (leaving && !alloc->terminal() && !alloc->lost) leaving_[alloc->index] = alloc;
        }
        for (const auto& [index, occupant] : slots_) {
            (occupies(occupant.state) ? held_ : broken_).push_back(occupant);
        }
    }

    GroupChanges run() {
        scale_down();
        admit_broken();
        for (const Occupant& occupant : held_) keep_or_update(occupant);
        for (const Occupant& occupant : broken_) replace(occupant);
        fill();
        std::sort(out_.missing.begin(), out_.missing.end(),
                  [](const Missing& a, const Missing& b) { return a.index < b.index; });
        wake();
        return std::move(out_);
    }

  private:
    void seat(Occupant occupant) {
        if (occupant.state == State::gone) return;
        const auto [at, vacant] = slots_.try_emplace(occupant.alloc->index, occupant);
        if (vacant) return;
        if (represents(occupant, at->second)) std::swap(occupant, at->second);
        stop(out_, *occupant.alloc, "another allocation has its slot");
    }

    /// From the highest index, as many as are too many.
    void scale_down() {
        const std::string reason =
            "not needed: the count is " + std::to_string(group_.count) + " now";
        while (held_.size() > count_) {
            stop(out_, *held_.back().alloc, reason);
            held_.pop_back();
        }
        for (const Occupant& occupant : held_) reserve(occupant.alloc->index);
        room_ = count_ - held_.size();
    }

    /// Broken ones are replaced as far as there is room, the lowest index first.
    void admit_broken() {
        while (broken_.size() > room_) {
            stop(out_, *broken_.back().alloc, "lost, and not needed any more");
            broken_.pop_back();
        }
        for (const Occupant& occupant : broken_) reserve(occupant.alloc->index);
        room_ -= broken_.size();
    }

    void keep_or_update(const Occupant& occupant) {
        const ExistingAlloc& alloc = *occupant.alloc;
        if (occupant.state == State::migrate) return take_over(alloc, PlaceReason::migrate, {});
        if (occupant.state == State::done) return out_.keep.push_back(&alloc);
        if (const auto why = why_replace(input_, group_, alloc)) {
            out_.why_destructive = *why;
            return take_over(alloc, PlaceReason::update, {});
        }
        if (occupant.state == State::failed_later) wait(occupant);
        const bool in_place = runs(occupant.state) && alloc.job_version != input_.version;
        (in_place ? out_.in_place : out_.keep).push_back(&alloc);
    }

    void wait(const Occupant& occupant) {
        due_.push_back(occupant.due.when);
        out_.waiting.push_back(occupant.alloc->id);
    }

    void replace(const Occupant& occupant) {
        if (occupant.state == State::lost) return take_over(*occupant.alloc, PlaceReason::lost, {});
        take_over(*occupant.alloc, PlaceReason::failed, occupant.due.delay);
    }

    /// In the same slot, unless the group's count no longer reaches that far.
    void take_over(const ExistingAlloc& alloc, PlaceReason reason, std::optional<Duration> delay) {
        const bool same_slot = alloc.index < count_;
        const std::uint32_t index = same_slot ? alloc.index : take_vacant();
        if (!same_slot) stop(out_, alloc, "moves to slot " + std::to_string(index));
        out_.missing.push_back(
            {index, reason, &alloc, nullptr, delay,
             reason == PlaceReason::failed ? failure_peers(alloc) : std::vector<PeerNumber>{}});
    }

    void fill() {
        const std::size_t now = std::min(room_, kMissingMax);
        for (std::size_t i = 0; i < now; ++i) {
            const std::uint32_t index = take_vacant();
            const auto leaving = leaving_.find(index);
            out_.missing.push_back(
                {.index = index, .leaving = leaving == leaving_.end() ? nullptr : leaving->second});
        }
        out_.beyond = static_cast<std::int64_t>(room_ - now);
    }

    void reserve(std::uint32_t index) {
        if (index < count_) taken_.insert(index);
    }
    std::uint32_t take_vacant() {
        while (taken_.contains(vacant_)) ++vacant_;
        taken_.insert(vacant_);
        return vacant_;
    }

    void wake() {
        if (due_.empty()) return;
        std::sort(due_.begin(), due_.end());
        const auto late =
            std::upper_bound(due_.begin(), due_.end(), due_.front() + kRescheduleWindow);
        out_.wake_up = *std::prev(late);
    }

    const PlanInput& input_;
    const TaskGroup& group_;
    std::size_t count_;
    std::map<std::uint32_t, Occupant> slots_;
    std::map<std::uint32_t, const ExistingAlloc*> leaving_;
    std::vector<Occupant> held_, broken_;  // by index
    std::set<std::uint32_t> taken_;
    std::uint32_t vacant_ = 0;
    std::size_t room_ = 0;
    std::vector<LogTime> due_;
    GroupChanges out_;
};

void stop_all(GroupChanges& out, const std::vector<const ExistingAlloc*>& allocs,
              const std::string& reason) {
    for (const ExistingAlloc* alloc : allocs) stop(out, *alloc, reason);
}

bool wants_nothing(const PlanInput& input) {
    return input.stopped || waits_for_dispatch(input.job);
}

const char* reason_to_end(const PlanInput& input) {
    if (input.stopped) return "the job was stopped";
    return waits_for_dispatch(input.job) ? "the job runs only when it is dispatched now"
                                         : "the job has no such group any more";
}

}  // namespace

GroupChanges reconcile(const PlanInput& input, const TaskGroup* group,
                       const std::vector<const ExistingAlloc*>& allocs) {
    if (group != nullptr && !wants_nothing(input)) return Reconciler(input, *group, allocs).run();
    GroupChanges out;
    stop_all(out, allocs, reason_to_end(input));
    return out;
}

GroupChanges reconcile_system(const PlanInput& input, const TaskGroup* group,
                              const std::vector<const ExistingAlloc*>& allocs,
                              const SystemPeers& peers) {
    GroupChanges out;
    if (group == nullptr || wants_nothing(input)) {
        stop_all(out, allocs, reason_to_end(input));
        return out;
    }
    std::map<PeerNumber, Occupant> by_peer;
    for (const ExistingAlloc* alloc : allocs) {
        Occupant occupant = judge(input, *group, *alloc);
        if (occupant.state == State::gone) continue;
        const auto [at, first] = by_peer.try_emplace(alloc->peer, occupant);
        if (first) continue;
        if (represents(occupant, at->second)) std::swap(occupant, at->second);
        stop(out, *occupant.alloc, "another allocation has its slot");
    }
    for (const auto& [peer, occupant] : by_peer) {
        const ExistingAlloc& alloc = *occupant.alloc;
        const bool can_place =
            std::binary_search(peers.place_on.begin(), peers.place_on.end(), peer);
        if (peers.not_on.contains(peer)) {
            stop(out, alloc, "its peer no longer meets the job's constraints");
        } else if (occupant.state == State::lost) {
            stop(out, alloc, "its peer is lost");
        } else if (occupant.state == State::migrate && !can_place) {
            stop(out, alloc, "its peer is drained");
        } else if (occupant.state == State::migrate) {
            out.missing.push_back(
                {.index = peer.value, .reason = PlaceReason::migrate, .previous = &alloc});
        } else if (const auto why = why_replace(input, *group, alloc);
                   why && occupant.state != State::done && can_place) {
            out.why_destructive = *why;
            out.missing.push_back(
                {.index = peer.value, .reason = PlaceReason::update, .previous = &alloc});
        } else {
            const bool in_place =
                runs(occupant.state) && !why && alloc.job_version != input.version;
            (in_place ? out.in_place : out.keep).push_back(&alloc);
        }
    }
    for (const PeerNumber peer : peers.place_on) {
        const auto there = by_peer.find(peer);
        if (there == by_peer.end() || there->second.state == State::lost)
            out.missing.push_back({.index = peer.value});
    }
    std::sort(out.missing.begin(), out.missing.end(),
              [](const Missing& a, const Missing& b) { return a.index < b.index; });
    return out;
}

}  // namespace gaggle
