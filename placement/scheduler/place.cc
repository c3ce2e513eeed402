#include "placement/scheduler/place.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "placement/scheduler/constraint.h"

namespace gaggle {

namespace {

/// The value of a distinct_property constraint: how many allocations may share a value of it.
std::int64_t most_per_value(const Constraint& constraint) {
    std::int64_t most = 1;
    const auto& text = constraint.right;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), most);
    return error == std::errc{} && most > 0 ? most : 1;
}

Amounts larger(const Amounts& a, const Amounts& b) {
    return {std::max(a.cpu, b.cpu), std::max(a.memory, b.memory), std::max(a.disk, b.disk),
            std::max(a.cores, b.cores)};
}

}  // namespace

std::vector<Site> sites_of(const PlanInput& input) {
    std::map<PeerNumber, const SlotRefusal*> refused;
    for (const SlotRefusal& refusal : input.refusals)
        refused[refusal.peer] = &refusal;  // the last is the newest
    std::vector<Site> sites;
    sites.reserve(input.view.peers().size());
    for (const PeerView& peer : input.view.peers()) {
        Site site{&peer, input.view.books_of(peer)};
        if (const auto at = refused.find(peer.number); at != refused.end()) {
            const Amounts free = at->second->free;
            Amounts used = site.books.offer.total;
            used -= free;
            site.books.used = larger(site.books.used, used);
        }
        sites.push_back(std::move(site));
    }
    return sites;
}

GroupPlacer::GroupPlacer(const PlanInput& input, const Wanted& wanted, std::vector<Site>& sites,
                         const std::vector<const ExistingAlloc*>& staying)
    : input_(input), wanted_(wanted), spread_(wanted) {
    base_.nodes_available = available_by_datacenter(wanted.job, input.view);
    for (Site& site : sites) {
        ++base_.nodes_evaluated;
        if (const auto reason = filter_reason(wanted, *site.peer))
            count_filtered(base_, *site.peer, *reason);
        else
            options_.push_back({.site = &site});
    }
    if (options_.size() > kPoolMax) input.rng.shuffle(std::span(options_));
    for (std::size_t i = 0; i < options_.size(); ++i)
        option_of_[options_[i].site->peer->number] = i;

    for (const SlotRefusal& refusal : input.refusals)
        refusals_[{refusal.slot, refusal.peer}] = &refusal;
    const auto note_distinct = [&](const std::vector<Constraint>& constraints, bool group_only) {
        for (const Constraint& constraint : constraints) {
            if (is_distinct_hosts(constraint))
                (group_only ? distinct_hosts_group_ : distinct_hosts_job_) = true;
            if (is_distinct_property(constraint))
                distinct_properties_.push_back(
                    {&constraint, group_only, most_per_value(constraint), {}});
        }
    };
    note_distinct(wanted.job.constraints, false);
    note_distinct(wanted.group.constraints, true);

    for (Option& option : options_) {
        const double affinity = affinity_score(wanted.affinities, *option.site->peer);
        if (affinity != 0) option.scores.set(Scores::affinity, affinity);
    }
    for (const ExistingAlloc* alloc : staying) count_staying(*alloc);
    for (Option& option : options_) refresh(option);
}

void GroupPlacer::count_staying(const ExistingAlloc& alloc) {
    const PeerView* peer = input_.view.find(alloc.peer);
    if (peer == nullptr) return;
    const bool of_group = alloc.group == wanted_.group.name;
    for (DistinctProperty& property : distinct_properties_) {
        const auto value = resolve_target(property.constraint->left, *peer);
        if (value && (of_group || !property.group_only)) ++property.counts[*value];
    }
    if (!of_group) return;
    spread_.count(*peer);
    if (const auto at = option_of_.find(alloc.peer); at != option_of_.end())
        ++options_[at->second].of_group;
}

/// One more of the group is placed there.
void GroupPlacer::count(Option& option) {
    ++option.of_group;
    ++option.site->of_job;
    for (DistinctProperty& property : distinct_properties_) {
        if (const auto value = resolve_target(property.constraint->left, *option.site->peer))
            ++property.counts[*value];
    }
    if (!spread_.empty()) spread_.count(*option.site->peer);
    take(option.site->books, wanted_.ask, option.site->peer->number.value);
    refresh(option);
}

/// After a change of the peer's books or of the allocations there.
void GroupPlacer::refresh(Option& option) {
    const Books& books = option.site->books;
    Amounts used = books.used;
    used += wanted_.ask.amounts;
    option.scores.set(Scores::binpack, binpack_score(books.offer.total, used));
    if (option.of_group > 0)
        option.scores.set(Scores::anti_affinity,
                          anti_affinity_score(option.of_group, wanted_.group.count));
    option.exhausted = misfit(books, wanted_.ask);
}

std::optional<std::string> GroupPlacer::distinct_reason(const Option& option) const {
    if (distinct_hosts_job_ && option.site->of_job > 0) return "distinct_hosts";
    if (distinct_hosts_group_ && option.of_group > 0) return "distinct_hosts";
    for (const DistinctProperty& property : distinct_properties_) {
        const std::string& target = property.constraint->left;
        const auto value = resolve_target(target, *option.site->peer);
        if (!value) return "distinct_property: " + target + " is missing";
        const auto used = property.counts.find(*value);
        if (used != property.counts.end() && used->second >= property.most)
            return "distinct_property: " + target + "=" + *value + " used by " +
                   std::to_string(used->second) + " allocs";
    }
    return std::nullopt;
}

bool GroupPlacer::usable(const Option& option, const Missing& missing,
                         PlacementMetrics* metrics) const {
    const PeerView& peer = *option.site->peer;
    if (const auto reason = distinct_reason(option)) {
        if (metrics != nullptr) count_filtered(*metrics, peer, *reason);
        return false;
    }
    const auto refusal =
        refusals_.empty() ? refusals_.end() : refusals_.find({slot_of(missing), peer.number});
    const bool refused = refusal != refusals_.end();
    if (!refused && !option.exhausted) return true;
    if (metrics != nullptr)
        count_exhausted(*metrics, peer, refused ? refusal->second->reason : *option.exhausted);
    return false;
}

Scores GroupPlacer::scores_of(const Option& option, const Missing& missing) {
    Scores scores = option.scores;
    const PeerNumber number = option.site->peer->number;
    if (std::find(missing.failed_on.begin(), missing.failed_on.end(), number) !=
        missing.failed_on.end())
        scores.set(Scores::reschedule_penalty, -1);
    if (!spread_.empty()) {
        const double boost = spread_.boost(*option.site->peer);
        if (boost != 0) scores.set(Scores::spread, boost);
    }
    if (input_.holders.empty()) return scores;
    const auto holders = input_.holders.find(slot_of(missing));
    if (holders == input_.holders.end()) return scores;
    const auto holder = holders->second.find(number);
    if (holder != holders->second.end())
        scores.set(Scores::copy, std::clamp(holder->second, 0.0, 1.0));
    return scores;
}

std::vector<Ranked> GroupPlacer::rank(const Missing& missing, std::size_t pool,
                                      PlacementMetrics& metrics) {
    std::vector<Ranked> ranked;
    ranked.reserve(std::min(pool, options_.size()));
    for (std::size_t i = 0; i < std::min(pool, options_.size()); ++i) {
        if (!usable(options_[i], missing, &metrics)) continue;
        ranked.push_back({scores_of(options_[i], missing).normalized(), input_.rng.next(), i});
    }
    return ranked;
}

/// A sticky slot's previous peer and then the holders of its data, the freshest first; those that
/// are usable.
std::vector<std::size_t> GroupPlacer::preferred(const Missing& missing) const {
    if (!wanted_.group.disk.sticky) return {};
    std::vector<PeerNumber> wish;
    const GroupSlot slot = slot_of(missing);
    const auto before = input_.previous.find(slot);
    if (missing.previous != nullptr)
        wish.push_back(missing.previous->peer);
    else if (before != input_.previous.end())
        wish.push_back(before->second);

    if (const auto held = input_.holders.find(slot); held != input_.holders.end()) {
        std::vector<std::pair<double, PeerNumber>> holders;
        for (const auto& [peer, freshness] : held->second) holders.emplace_back(-freshness, peer);
        std::sort(holders.begin(), holders.end());
        for (const auto& [freshness, peer] : holders) wish.push_back(peer);
    }
    std::vector<std::size_t> found;
    for (const PeerNumber peer : wish) {
        const auto at = option_of_.find(peer);
        if (at == option_of_.end() || !usable(options_[at->second], missing, nullptr)) continue;
        if (std::find(found.begin(), found.end(), at->second) == found.end())
            found.push_back(at->second);
    }
    return found;
}

/// Whose room the new allocation could have: the one that it replaces, or the one that is leaving.
const ExistingAlloc* GroupPlacer::in_the_way(const Missing& missing) {
    if (missing.leaving != nullptr) return missing.leaving;
    const bool moves =
        missing.reason == PlaceReason::update || missing.reason == PlaceReason::migrate;
    const bool runs = moves && !missing.previous->terminal();
    return runs ? missing.previous : nullptr;
}

/// Whether its peer would have room for the new one if `old` were gone.
bool GroupPlacer::room_without(const ExistingAlloc& old) const {
    const auto at = option_of_.find(old.peer);
    const auto version = input_.versions.find(old.job_version);
    if (at == option_of_.end() || version == input_.versions.end()) return false;
    const TaskGroup* old_group = find_group(*version->second, wanted_.group.name);
    if (old_group == nullptr) return false;
    const Ask old_ask = ask_of(*old_group);
    std::vector<AssignedPort> ports;
    for (const Port& port : old_ask.ports) {
        if (port.fixed > 0)
            ports.push_back({port.label, static_cast<std::uint16_t>(port.fixed), port.to});
    }
    Books books = options_[at->second].site->books;
    give_back(books, old_ask, ports);
    return fits(books, wanted_.ask);
}

void GroupPlacer::explain(const std::vector<std::size_t>& chosen, const std::vector<Ranked>& ranked,
                          const Missing& missing, Placed& out) {
    std::vector<std::size_t> shown = chosen;
    for (const Ranked& one : ranked) {
        if (shown.size() >= kScoresKept) break;
        if (std::find(shown.begin(), shown.end(), one.option) == shown.end())
            shown.push_back(one.option);
    }
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const PeerView& peer = *options_[shown[i]].site->peer;
        const Scores scores = scores_of(options_[shown[i]], missing);
        if (i < chosen.size())
            out.candidates.push_back({peer.number, peer.id, scores.normalized()});
        out.metrics.scores.push_back({peer.id, scores.named(), scores.normalized()});
    }
    std::stable_sort(
        out.metrics.scores.begin(), out.metrics.scores.end(),
        [](const PeerScore& a, const PeerScore& b) { return a.normalized > b.normalized; });
}

Placed GroupPlacer::place(const Missing& missing) {
    Placed out{.metrics = base_};
    std::vector<Ranked> ranked = rank(missing, kPoolMax, out.metrics);
    std::vector<std::size_t> chosen = preferred(missing);
    if (ranked.empty() && chosen.empty() && options_.size() > kPoolMax) {
        out.metrics = base_;
        ranked = rank(missing, options_.size(), out.metrics);
    }
    const ExistingAlloc* old = in_the_way(missing);
    const bool prefers_old = wanted_.group.disk.sticky && old != nullptr &&
                             (chosen.empty() || peer_of(chosen.front()) != old->peer);
    const bool found = !ranked.empty() || !chosen.empty();
    if (old != nullptr && (prefers_old || !found) && room_without(*old)) {
        out.outcome = Placed::Outcome::make_room;
        return out;
    }
    for (const std::size_t option : draw_candidates(ranked, input_.rng)) {
        if (std::find(chosen.begin(), chosen.end(), option) == chosen.end())
            chosen.push_back(option);
    }
    if (chosen.empty()) return out;
    if (chosen.size() > kCandidatesPlanned) chosen.resize(kCandidatesPlanned);
    out.outcome = Placed::Outcome::claimed;
    explain(chosen, ranked, missing, out);
    count(options_[chosen.front()]);
    return out;
}

Placed GroupPlacer::place_on(const Missing& missing, PeerNumber peer) {
    Placed out{.metrics = base_};
    const auto at = option_of_.find(peer);
    if (at == option_of_.end()) return out;
    if (!usable(options_[at->second], missing, &out.metrics)) {
        const ExistingAlloc* old = in_the_way(missing);
        if (old != nullptr && room_without(*old)) out.outcome = Placed::Outcome::make_room;
        return out;
    }
    out.outcome = Placed::Outcome::claimed;
    explain({at->second}, {}, missing, out);
    count(options_[at->second]);
    return out;
}

}  // namespace gaggle
