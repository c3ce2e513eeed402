#include "placement/scheduler/plan.h"

#include <algorithm>

#include "placement/scheduler/place.h"

namespace gaggle {

namespace {

using Allocs = std::vector<const ExistingAlloc*>;

/// One group of the job on its way through a plan.
struct GroupWork {
    const TaskGroup* group;
    Wanted wanted;
    GroupChanges changes;
};

bool is_system(JobType type) { return type == JobType::system || type == JobType::sysbatch; }

SystemPeers system_peers(const Wanted& wanted, const View& view) {
    SystemPeers peers;
    for (const PeerView& peer : view.peers()) {
        if (!filter_reason(wanted, peer))
            peers.place_on.push_back(peer.number);
        else if (mismatch_reason(wanted, peer))
            peers.not_on.insert(peer.number);
    }
    return peers;
}

/// What could run on, were it not on a peer that the changed job no longer admits, is replaced.
void replace_misplaced(const PlanInput& input, const Wanted& wanted, GroupChanges& changes) {
    std::erase_if(changes.in_place, [&](const ExistingAlloc* alloc) {
        const PeerView* peer = input.view.find(alloc->peer);
        if (peer == nullptr || alloc->index >= wanted.group.count) return false;
        const auto why = mismatch_reason(wanted, *peer);
        if (!why) return false;
        changes.why_destructive = *why;
        changes.missing.push_back(
            {.index = alloc->index, .reason = PlaceReason::update, .previous = alloc});
        return true;
    });
}

void earlier(std::optional<LogTime>& when, std::optional<LogTime> other) {
    if (other && (!when || *other < *when)) when = other;
}

std::int64_t size_of(const auto& items) { return static_cast<std::int64_t>(items.size()); }

class Planner {
  public:
    explicit Planner(const PlanInput& input) : input_(input), sites_(sites_of(input)) {}

    Plan run() {
        compare();
        const Allocs staying = staying_allocs();
        for (GroupWork& work : works_) place_group(work, staying);
        for (const auto& [group, count] : stopped_first_)
            plan_.warnings.push_back("group " + group + ": " + std::to_string(count) +
                                     " stopped before the successor starts, for its peer has no "
                                     "room for both");
        if (input_.job.all_at_once) all_or_nothing();
        return std::move(plan_);
    }

  private:
    /// What should change, group by group, before any place is chosen.
    void compare() {
        std::map<std::string, Allocs> by_group;
        for (const ExistingAlloc& alloc : input_.existing) by_group[alloc.group].push_back(&alloc);
        for (const TaskGroup& group : input_.job.groups) {
            Wanted wanted(input_.job, group);
            GroupChanges changes = changes_of(wanted, by_group[group.name]);
            summarize(group.name, changes);
            works_.push_back({&group, std::move(wanted), std::move(changes)});
            by_group.erase(group.name);
        }
        for (const auto& [name, allocs] : by_group)
            summarize(name, reconcile(input_, nullptr, allocs));
    }

    GroupChanges changes_of(const Wanted& wanted, const Allocs& allocs) const {
        if (is_system(input_.job.type))
            return reconcile_system(input_, &wanted.group, allocs,
                                    system_peers(wanted, input_.view));
        GroupChanges changes = reconcile(input_, &wanted.group, allocs);
        replace_misplaced(input_, wanted, changes);
        return changes;
    }

    void summarize(const std::string& name, const GroupChanges& changes) {
        GroupUpdates& updates = plan_.updates[name];
        updates.ignore = size_of(changes.keep);
        updates.in_place_update = size_of(changes.in_place);
        updates.stop = size_of(changes.stops);
        updates.place = changes.beyond;
        for (const Missing& missing : changes.missing) {
            if (missing.reason == PlaceReason::update)
                ++updates.destructive_update;
            else if (missing.reason == PlaceReason::migrate)
                ++updates.migrate;
            else
                ++updates.place;
            if (missing.reason == PlaceReason::lost) ++updates.stop;
        }
        plan_.stops.insert(plan_.stops.end(), changes.stops.begin(), changes.stops.end());
        for (const ExistingAlloc* alloc : changes.in_place) plan_.in_place.push_back(alloc->id);
        earlier(plan_.wake_up, changes.wake_up);
        plan_.waiting.insert(plan_.waiting.end(), changes.waiting.begin(), changes.waiting.end());
        if (updates.destructive_update > 0)
            plan_.warnings.push_back("group " + name + ": " +
                                     std::to_string(updates.destructive_update) +
                                     " replaced at once (" + changes.why_destructive +
                                     "); rolling updates and canaries come in a later version");
    }

    /// Those that run on, of all groups: they count for anti-affinity, spread and distinct_*.
    Allocs staying_allocs() {
        Allocs staying;
        for (const GroupWork& work : works_) {
            for (const Allocs* allocs : {&work.changes.keep, &work.changes.in_place})
                std::copy_if(allocs->begin(), allocs->end(), std::back_inserter(staying),
                             [](const ExistingAlloc* alloc) { return !alloc->terminal(); });
        }
        std::map<PeerNumber, std::int64_t> by_peer;
        for (const ExistingAlloc* alloc : staying) ++by_peer[alloc->peer];
        for (Site& site : sites_) {
            const auto at = by_peer.find(site.peer->number);
            if (at != by_peer.end()) site.of_job = at->second;
        }
        return staying;
    }

    void place_group(GroupWork& work, const Allocs& staying) {
        std::int64_t& queued = plan_.queued[work.group->name];
        std::vector<Missing>& missing = work.changes.missing;
        if (missing.empty()) return;
        std::stable_sort(missing.begin(), missing.end(), [](const Missing& a, const Missing& b) {
            const bool a_fresh = a.previous == nullptr, b_fresh = b.previous == nullptr;
            return a_fresh != b_fresh ? b_fresh : a.index < b.index;  // replacements go first
        });
        GroupPlacer placer(input_, work.wanted, sites_, staying);
        const std::size_t first_claim = plan_.claims.size();
        bool full = false;
        for (const Missing& one : missing) {
            const bool claimed = !(full && one.previous == nullptr) && place(placer, work, one);
            if (claimed) continue;
            ++queued;
            if (full) ++plan_.failed[work.group->name].coalesced_failures;
            // A vacant slot that is like all others found no place, so the others need not ask.
            full = full || (one.previous == nullptr && one.leaving == nullptr && slots_are_alike());
        }
        std::sort(plan_.claims.begin() + static_cast<std::ptrdiff_t>(first_claim),
                  plan_.claims.end(), [](const PlannedClaim& a, const PlannedClaim& b) {
                      return a.slot.index < b.slot.index;
                  });
        if (work.changes.beyond > 0 && queued == 0) earlier(plan_.wake_up, input_.now);
        queued += work.changes.beyond;
    }

    bool slots_are_alike() const {
        return !is_system(input_.job.type) && input_.refusals.empty() && input_.holders.empty();
    }

    /// False when it found no place; the reasons are noted then.
    bool place(GroupPlacer& placer, const GroupWork& work, const Missing& missing) {
        Placed placed = is_system(input_.job.type)
                            ? placer.place_on(missing, PeerNumber{missing.index})
                            : placer.place(missing);
        if (placed.outcome == Placed::Outcome::claimed) {
            add_claim(work, missing, std::move(placed));
            return true;
        }
        if (placed.outcome == Placed::Outcome::make_room && missing.previous != nullptr)
            make_room(work, *missing.previous);
        // The first failure's reasons stand for the group; further ones are counted.
        const auto [at, first] =
            plan_.failed.try_emplace(work.group->name, std::move(placed.metrics));
        if (!first) ++at->second.coalesced_failures;
        return false;
    }

    void add_claim(const GroupWork& work, const Missing& missing, Placed placed) {
        PlannedClaim claim{.slot = {work.group->name, missing.index}, .reason = missing.reason};
        if (missing.previous != nullptr && missing.previous->index == missing.index)
            claim.replaces = missing.previous->id;
        claim.candidates = std::move(placed.candidates);
        claim.reschedule_delay = missing.reschedule_delay;
        claim.metrics = std::move(placed.metrics);
        plan_.claims.push_back(std::move(claim));
    }

    void make_room(const GroupWork& work, const ExistingAlloc& old) {
        const bool stopped =
            std::any_of(plan_.stops.begin(), plan_.stops.end(),
                        [&](const PlannedStop& one) { return one.alloc == old.id; });
        if (stopped) return;  // it moves to another slot anyway
        plan_.stops.push_back({old.id, "makes room for its successor on the same peer"});
        ++stopped_first_[work.group->name];
    }

    void all_or_nothing() {
        if (plan_.failed.empty()) return;
        for (const PlannedClaim& claim : plan_.claims) ++plan_.queued[claim.slot.group];
        plan_.warnings.push_back("all_at_once: " + std::to_string(plan_.claims.size()) +
                                 " allocations have a place and wait for the others");
        plan_.claims.clear();
    }

    const PlanInput& input_;
    std::vector<Site> sites_;
    std::vector<GroupWork> works_;
    std::map<std::string, int> stopped_first_;  ///< by group: to make room
    Plan plan_;
};

}  // namespace

const char* to_string(PlaceReason reason) {
    switch (reason) {
        case PlaceReason::fresh: return "new";
        case PlaceReason::lost: return "lost";
        case PlaceReason::failed: return "failed";
        case PlaceReason::update: return "update";
        case PlaceReason::migrate: return "migrate";
    }
    return "";
}

Plan plan(const PlanInput& input) { return Planner(input).run(); }

}  // namespace gaggle
