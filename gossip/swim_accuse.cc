// Suspicion and death of others, and what counts as evidence.
#include <algorithm>

#include "base/log.h"
#include "gossip/swim.h"

namespace gaggle::gossip {

namespace {

constexpr std::size_t kRefusalsWanted = 2;
constexpr double kSecondOpinions = 8;  ///< how many test a port that another saw refuse, on average

}  // namespace

/// In our own name. The subject hears of it from us directly, besides the rumour (Lifeguard's
/// buddy).
void Swim::accuse(Entry& entry, Charge kind, bool refused) {
    const auto mine = entry.accusations.find(self_.peer);
    const bool said = mine != entry.accusations.end();
    const bool refused_before = said && mine->second.refused;
    if (kind == Charge::suspect && said && (refused_before || !refused)) return;
    Accusation accusation{.subject = entry.view.id,
                          .incarnation = entry.view.incarnation,
                          .start = entry.view.start,
                          .accuser = self_.peer,
                          .charge = kind,
                          .refused = refused || refused_before};
    accusation.signature = self_.sign(signed_part(accusation));
    charge(entry, accusation, Voice::ours);
    send(entry.view.id, Push{});
}

/// Takes in an accusation of the entry's current incarnation that is ours or verified; what we said
/// in a former life is others' voice. Requires that the entry is alive or suspect.
void Swim::charge(Entry& entry, const Accusation& accusation, Voice voice) {
    const Member before = entry.view;
    const bool news = members_.accuse(entry, accusation, voice);
    const bool verdict = voice == Voice::ours && accusation.charge == Charge::dead;
    if (!news && !verdict) return;
    const auto wanted = static_cast<std::size_t>(config_.confirmations) + 1;
    const bool tells = entry.accusations.size() <= wanted || accusation.refused;
    if (tells || accusation.charge == Charge::dead) spread(entry.view.id, Topic::accusations);
    if (before.state == MemberState::alive) {
        members_.change(entry, MemberState::suspect, now_);
        entry.suspected_at = now_;
        note_cut(entry.view.id);
    }
    weigh_refusal(entry, accusation);
    if (accusation.charge == Charge::dead) weigh_death(entry, voice);
    report(entry, before);
}

/// Two observers, or all there are, saw the port refuse: the agent is gone (not its machine).
void Swim::weigh_refusal(Entry& entry, const Accusation& accusation) {
    const std::size_t alive = members_.count(MemberState::alive);
    if (refused_observers(entry) >= std::min(kRefusalsWanted, alive + 1)) {
        entry.view.agent_gone = true;
    } else if (accusation.refused && accusation.accuser != self_.peer) {
        const double others = static_cast<double>(std::max<std::size_t>(1, alive));
        if (rng_.chance(std::min(1.0, kSecondOpinions / others))) test_connect(entry);
    }
}

/// Another's word of a death is final for one whom we have suspected for a while. Anybody else gets
/// time to refute first, and hears of the charge from us.
void Swim::weigh_death(Entry& entry, Voice voice) {
    const bool fresh = !entry.grace_until && entry.suspected_at == now_;
    entry.grace_until = entry.suspected_at + config_.death_grace;
    if (voice == Voice::ours || death_of(entry) <= now_) {
        members_.change(entry, MemberState::dead, now_);
        log::debug("gossip: {} is dead", short_text(entry.view.id));
    } else if (fresh) {
        send(entry.view.id, Push{});
    }
}

void Swim::bury_overdue() {
    std::vector<PeerId> overdue;
    for (const auto& peer : members_.in(MemberState::suspect))
        if (death_of(*members_.entry(peer)) <= now_) overdue.push_back(peer);
    for (const auto& peer : overdue) accuse(*members_.entry(peer), Charge::dead, false);
}

TimePoint Swim::death_of(const Entry& entry) const {
    const std::size_t alive = members_.count(MemberState::alive);
    const std::size_t all = alive + members_.count(MemberState::suspect) + 1;
    const auto bounds = scaled_bounds(config_.suspicion, all);
    const int wanted = std::min(config_.confirmations, static_cast<int>(alive));
    const int confirmations = static_cast<int>(entry.accusations.size()) - 1;
    TimePoint death = entry.suspected_at + suspicion_time(confirmations, wanted, bounds);
    if (entry.grace_until) death = std::min(death, *entry.grace_until);
    return std::max(death, hold_until_);
}

/// Many suspects at once: more likely a cut (perhaps of ours) than as many deaths.
void Swim::note_cut(const PeerId& peer) {
    recent_suspects_[peer] = now_;
    std::erase_if(recent_suspects_,
                  [&](const auto& item) { return item.second + config_.cut_window < now_; });
    const std::size_t suspects = recent_suspects_.size();
    const std::size_t all =
        members_.count(MemberState::alive) + members_.count(MemberState::suspect);
    const bool many = suspects * 100 > config_.cut_percent * all;
    if (!many || suspects < config_.cut_members_min || now_ < hold_until_) return;
    hold_until_ = now_ + config_.cut_hold;
    out_.events.emplace_back(
        PartitionSuspected{.suspects = suspects, .members = all, .until = hold_until_});
}

void Swim::report(const Entry& entry, const std::optional<Member>& before) {
    const Member& member = entry.view;
    const bool same = before && before->state == member.state && before->start == member.start &&
                      before->boot == member.boot && before->restarting == member.restarting &&
                      before->agent_gone == member.agent_gone;
    if (same) return;
    MemberChanged changed{.peer = member.id, .to = member.state, .member = member};
    if (before) {
        changed.from = before->state;
        changed.agent_restarted = before->start != member.start;
        changed.machine_rebooted = before->boot != member.boot;
    }
    out_.events.emplace_back(std::move(changed));
}

}  // namespace gaggle::gossip
