#include "placement/raft/planner.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace gaggle::raft {

namespace {

using Seen = Prospect::Seen;
using Maybe = std::optional<Plan>;

std::string name(const Prospect& candidate) {
    return "peer " + std::to_string(candidate.peer.value) +
           (candidate.datacenter.empty() ? "" : " (" + candidate.datacenter + ")");
}

std::string names(const std::vector<const Prospect*>& candidates) {
    std::string out;
    for (const Prospect* each : candidates) out += (out.empty() ? "" : ", ") + name(*each);
    return out;
}

/// The input, sorted into who is what.
class Picture {
  public:
    explicit Picture(const PlannerInput& input) : in(input) {
        for (const Prospect& each : in.candidates) {
            const ReplicaId id = replica(each);
            if (in.configuration.is_voter(id))
                voters.push_back(&each);
            else if (in.configuration.contains(id))
                learners.push_back(&each);
            else
                spares.push_back(&each);
        }
        for (auto* group : {&voters, &learners, &spares})
            std::sort(group->begin(), group->end(), by_number);
    }

    ReplicaId replica(const Prospect& candidate) const {
        return in.configuration.replica_of(candidate.peer);
    }
    bool usable(const Prospect& candidate) const {
        const auto given_up = in.history.given_up.find(candidate.peer);
        const bool rests =
            given_up != in.history.given_up.end() && in.now - given_up->second < in.policy.back_off;
        return candidate.seen == Seen::alive && candidate.may_vote && !candidate.withdrawn &&
               !rests;
    }
    /// May take a vote now.
    bool ready(const Prospect& candidate) const {
        return usable(candidate) && candidate.stable && candidate.caught_up;
    }
    bool silent(const Prospect& candidate) const {
        return candidate.peer != in.self && candidate.silent >= in.policy.replace_after;
    }
    bool leaves(const Prospect& candidate) const {
        return candidate.withdrawn || candidate.seen == Seen::left;
    }

    /// The learners that are ready, best first, given who votes besides: datacenters with few
    /// voters, then the longest healthy, then the lowest number.
    std::vector<const Prospect*> best(std::vector<const Prospect*> among,
                                      const std::vector<const Prospect*>& besides) const {
        std::map<std::string, std::size_t> covered;
        for (const Prospect* voter : besides) ++covered[voter->datacenter];
        std::vector<const Prospect*> out;
        while (!among.empty()) {
            const auto next =
                std::min_element(among.begin(), among.end(), [&](const auto* a, const auto* b) {
                    const auto rank = [&](const Prospect& c) {
                        return std::tuple(covered[c.datacenter], -c.healthy_for.value_or(0s),
                                          c.peer);
                    };
                    return rank(*a) < rank(*b);
                });
            out.push_back(*next);
            ++covered[(*next)->datacenter];
            among.erase(next);
        }
        return out;
    }

    std::vector<const Prospect*> ready_learners() const {
        std::vector<const Prospect*> out;
        for (const Prospect* each : learners)
            if (ready(*each)) out.push_back(each);
        return out;
    }

    static bool by_number(const Prospect* a, const Prospect* b) { return a->peer < b->peer; }

    const PlannerInput& in;
    std::vector<const Prospect*> voters;
    std::vector<const Prospect*> learners;
    std::vector<const Prospect*> spares;
};

SetVoters swapped(const Picture& picture, const Prospect* out,
                  const std::vector<const Prospect*>& come) {
    SetVoters step{picture.in.configuration.voters};
    if (out != nullptr) step.voters.erase(picture.replica(*out));
    for (const Prospect* each : come) step.voters.insert(picture.replica(*each));
    return step;
}

/// Adds the best spare as a learner, if any may become one.
Maybe add_learner(const Picture& picture, const std::string& why) {
    std::vector<const Prospect*> may;
    for (const Prospect* each : picture.spares)
        if (picture.usable(*each) &&
            each->healthy_for.value_or(0s) >= picture.in.policy.standby_after)
            may.push_back(each);
    if (may.empty()) return std::nullopt;
    const Prospect& first = *picture.best(may, picture.voters).front();
    return Plan{AddLearner{first.peer}, name(first) + " becomes a standby: " + why};
}

Maybe hand_over_when_leaving(const Picture& picture, std::string&) {
    const auto self =
        std::find_if(picture.voters.begin(), picture.voters.end(),
                     [&](const Prospect* each) { return each->peer == picture.in.self; });
    if (self == picture.voters.end() || !picture.leaves(**self)) return std::nullopt;
    for (const Prospect* each : picture.voters)
        if (*self != each && each->caught_up && !picture.leaves(*each))
            return Plan{TransferTo{picture.replica(*each)},
                        name(*each) + " takes over: the leader, " + name(**self) + ", leaves"};
    return std::nullopt;
}

/// Why a replacement must wait; empty when it may be done.
std::string brake(const Picture& picture) {
    const PlannerInput& in = picture.in;
    std::size_t recent = 0;
    TimePoint last = in.history.leading_since;
    for (const TimePoint at : in.history.replacements) {
        recent += in.now - at < in.policy.window;
        last = std::max(last, at);
    }
    if (in.now - last < in.policy.pause)
        return "the last change or election was less than " + for_people(in.policy.pause) + " ago";
    if (recent >= in.policy.replacements_max)
        return std::to_string(recent) + " voters were replaced within " +
               for_people(in.policy.window);
    std::size_t doubtful = 0;
    for (const Prospect& each : in.candidates)
        doubtful += each.seen == Seen::suspect || each.seen == Seen::dead;
    if (2 * doubtful > in.candidates.size())
        return "more than half of the region looks dead from here, so it may be this side that is "
               "cut off";
    return {};
}

Maybe replace(const Picture& picture, std::string& note) {
    for (const Prospect* voter : picture.voters) {
        const bool leaves = picture.leaves(*voter);
        if (voter->peer == picture.in.self || (!leaves && !picture.silent(*voter))) continue;
        const std::string grounds =
            leaves ? name(*voter) + " leaves or is unfit"
                   : name(*voter) + " has not answered for " + for_people(voter->silent);
        std::vector<const Prospect*> others = picture.voters;
        std::erase(others, voter);
        const auto ready = picture.best(picture.ready_learners(), others);
        if (ready.empty()) {
            note += "; " + grounds + " and keeps its vote until a standby is ready to take it";
            continue;
        }
        if (const std::string wait = brake(picture); !wait.empty()) {
            note += "; " + grounds + ", its replacement waits: " + wait;
            continue;
        }
        return Plan{swapped(picture, voter, {ready.front()}),
                    name(*ready.front()) + " takes the vote of " + name(*voter) + ": " + grounds,
                    Plan::Kind::replacement, voter->peer};
    }
    return std::nullopt;
}

/// How many voters the region could have by its stable peers. Never fewer than there are.
std::size_t wanted_voters(const Picture& picture) {
    const Policy& policy = picture.in.policy;
    std::size_t stable = 0;
    std::size_t seasoned = 0;
    std::set<std::string> datacenters;
    for (const Prospect& each : picture.in.candidates) {
        if (!picture.usable(each) || !each.stable) continue;
        ++stable;
        if (each.healthy_for.value_or(0s) < policy.five_after) continue;
        ++seasoned;
        datacenters.insert(each.datacenter);
    }
    std::size_t wanted = stable >= 3 ? 3 : 1;
    if (seasoned >= policy.five_from_peers ||
        (seasoned >= policy.five_from_spread && datacenters.size() >= 3))
        wanted = 5;
    return std::max(wanted, picture.voters.size());
}

Maybe grow(const Picture& picture, std::string& note) {
    const std::size_t wanted = wanted_voters(picture);
    if (picture.voters.size() >= wanted) return std::nullopt;
    const std::size_t missing = wanted - picture.voters.size();
    auto ready = picture.best(picture.ready_learners(), picture.voters);
    const std::string goal =
        std::to_string(wanted) + " voters are wanted by the number of stable peers";
    if (ready.size() >= missing) {
        ready.resize(missing);
        return Plan{swapped(picture, nullptr, ready), names(ready) + " get a vote: " + goal};
    }
    note += "; " + goal + ", which waits until " + std::to_string(missing) +
            " standbys are stable and have caught up";
    std::size_t hopeful = 0;
    for (const Prospect* each : picture.learners) hopeful += picture.usable(*each);
    return hopeful < missing ? add_learner(picture, goal) : std::nullopt;
}

Maybe keep_standbys(const Picture& picture, std::string&) {
    const PlannerInput& in = picture.in;
    std::size_t usable = 0;
    for (const Prospect& each : in.candidates) usable += picture.usable(each);
    std::size_t standbys = 0;
    for (const Prospect* each : picture.learners) standbys += picture.usable(*each);
    const bool all = usable <= in.policy.standby_all;
    if (!all && standbys >= in.policy.standbys) return std::nullopt;
    return add_learner(picture,
                       all ? "in a small region every peer keeps a full copy"
                           : std::to_string(in.policy.standbys) + " standbys are kept warm");
}

Maybe drop_learner(const Picture& picture, std::string&) {
    const PlannerInput& in = picture.in;
    for (const Prospect* each : picture.learners) {
        const auto added = in.history.added.find(each->peer);
        const bool stuck = !each->caught_up && added != in.history.added.end() &&
                           in.now - added->second >= in.policy.catch_up;
        std::string why;
        if (picture.leaves(*each))
            why = "it leaves or is unfit";
        else if (!each->may_vote)
            why = "its certificate does not let it vote";
        else if (picture.silent(*each))
            why = "it has not answered for " + for_people(each->silent);
        else if (stuck)
            why = "it has not caught up within " + for_people(in.policy.catch_up);
        if (why.empty()) continue;
        Plan drop{DropLearner{picture.replica(*each)},
                  name(*each) + " is a standby no more: " + why};
        if (stuck) drop.rests = each->peer;
        return drop;
    }
    return std::nullopt;
}

std::size_t most_in_one(const std::vector<const Prospect*>& voters) {
    std::map<std::string, std::size_t> counts;
    std::size_t most = 0;
    for (const Prospect* each : voters) most = std::max(most, ++counts[each->datacenter]);
    return most;
}

/// No datacenter should hold a majority if another one can take a vote from it.
Maybe spread(const Picture& picture, std::string&) {
    const std::size_t now = most_in_one(picture.voters);
    if (picture.voters.size() < 3 || 2 * now <= picture.voters.size()) return std::nullopt;
    const auto& last = picture.in.history.last_spread;
    if (last && picture.in.now - *last < picture.in.policy.spread_pause) return std::nullopt;
    for (const Prospect* out : picture.voters) {
        if (out->peer == picture.in.self) continue;
        std::vector<const Prospect*> others = picture.voters;
        std::erase(others, out);
        for (const Prospect* come : picture.best(picture.ready_learners(), others)) {
            std::vector<const Prospect*> next = others;
            next.push_back(come);
            if (most_in_one(next) >= now || !brake(picture).empty()) continue;
            return Plan{swapped(picture, out, {come}),
                        name(*come) + " takes the vote of " + name(*out) +
                            ": one datacenter held a majority of the voters",
                        Plan::Kind::spread};
        }
    }
    return std::nullopt;
}

}  // namespace

Plan plan(const PlannerInput& input) {
    if (!input.settled) return {Nothing{}, "a change of the group, or an election, is under way"};
    const Picture picture(input);
    std::string note;
    for (const auto step :
         {hand_over_when_leaving, replace, grow, keep_standbys, drop_learner, spread})
        if (auto found = step(picture, note)) return *std::move(found);
    const std::size_t voters = picture.voters.size();
    const std::size_t standbys = picture.learners.size();
    std::string why = std::to_string(voters) + (voters == 1 ? " voter, " : " voters, ") +
                      std::to_string(standbys) + (standbys == 1 ? " standby" : " standbys") + note;
    if (voters == 1) why += "; the loss of the only voter needs `gctl region recover`";
    return {Nothing{}, why};
}

void remember(History& history, const PlannerInput& input, const Plan& plan) {
    std::erase_if(history.replacements,
                  [&](TimePoint at) { return input.now - at >= input.policy.window; });
    if (plan.kind == Plan::Kind::replacement) history.replacements.push_back(input.now);
    if (plan.kind == Plan::Kind::spread) history.last_spread = input.now;
    if (const auto* add = std::get_if<AddLearner>(&plan.step)) history.added[add->peer] = input.now;
    if (!plan.rests) return;
    history.given_up[*plan.rests] = input.now;
    history.added.erase(*plan.rests);
}

}  // namespace gaggle::raft
