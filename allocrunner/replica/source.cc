#include "allocrunner/replica/source.h"

#include <algorithm>

namespace gaggle::replica {

namespace {

constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 60U;  ///< nobody counts so far honestly

}  // namespace

Source::Source(const Context& context, const Watch& watch)
    : lineage_(watch.lineage),
      generation_(watch.generation),
      alloc_(watch.alloc),
      announced_(context.now),
      changed_at_(context.now),
      next_scan_(context.now) {
    set_holders(context, watch);
}

void Source::set_holders(const Context& context, const Watch& watch) {
    period_ = std::max(watch.period, Duration(1ms));
    std::erase_if(holders_, [&](const auto& item) { return !watch.holders.contains(item.first); });
    for (const PeerId& peer : watch.holders) {
        if (peer == context.self || holders_.size() >= context.config.holders_max) continue;
        const auto [at, added] = holders_.try_emplace(peer);
        if (added && current_) at->second.next_announce = context.now;
    }
}

void Source::on(Context& context, const Scanned& scanned) {
    scanning_.reset();
    if (!scanned.error.empty()) {
        complain(context, scanned.error);
        changed_at_ = context.now - context.config.idle_after;  // no hurry: a person must act
        return plan_scan(context);
    }
    trouble_.clear();
    stale_ = false;
    const bool is_new = !current_ || current_->header.root != scanned.root;
    if (is_new) {
        ++n_;
        announced_ = changed_at_ = context.now;
        tree_ = scanned.tree;
    }
    adopt(context,
          {.lineage = lineage_,
           .version = {generation_, n_},
           .source = context.self,
           .root = scanned.root,
           .tree_bytes = scanned.tree_bytes,
           .bytes = scanned.bytes,
           .taken_at = scanned.taken_at,
           .steady = scanned.steady},
          is_new);
    plan_scan(context);
}

void Source::adopt(Context& context, Header header, bool is_new) {
    current_ = sign(context.keys, std::move(header));
    for (auto& [id, peer] : holders_) {
        if (is_new) peer.confirmed = false;
        peer.wait = context.config.announce_wait_min;
        announce(context, id, peer);
    }
}

void Source::announce(Context& context, const PeerId& to, Peer& peer) {
    const bool is_pulling = peer.asked && *peer.asked + context.config.pulling_for > context.now &&
                            *peer.asked >= announced_;
    Announce message{.version = *current_};
    if (!peer.confirmed && !is_pulling) message.tree = tree_;
    context.send(to, std::move(message));
    // A holder that joined later has not waited yet.
    peer.wait = std::max(peer.wait, context.config.announce_wait_min);
    peer.next_announce = context.now + peer.wait;
    peer.wait = std::min(peer.wait * 2, context.config.announce_wait_max);
}

void Source::plan_scan(const Context& context) {
    const Config& config = context.config;
    const bool idle = changed_at_ + config.idle_after <= context.now;
    const Duration pause = idle ? std::max(period_, config.idle_period) : period_;
    const Duration took = context.now - scan_began_;
    next_scan_ = context.now + std::max(pause, took * config.scan_share);
}

void Source::take(Context& context, const PeerId& from, const Complete& complete) {
    const auto at = holders_.find(from);
    if (at == holders_.end() || !current_) return;
    Peer& peer = at->second;
    const Version& theirs = complete.version;
    if (theirs.generation > generation_) {
        peer.refused = "it already has " + to_string(theirs) + " of a later writer";
        return complain(context, "peer " + short_text(from) + ": " + peer.refused);
    }
    if (theirs.n > kNumberMax) return;
    const bool changed = peer.version != theirs;
    peer.version = theirs;
    peer.taken_at = complete.taken_at;
    peer.heard = context.now;
    peer.refused.clear();
    if (changed) context.tell(HolderConfirmed{lineage_, from, theirs, complete.taken_at});

    const Header& ours = current_->header;
    const bool same_tree = complete.root == ours.root;
    if (theirs == ours.version && same_tree) {
        peer.confirmed = true;
        peer.next_announce.reset();
    } else if (theirs.generation == generation_ && theirs.n >= n_) {
        // An agent that was restarted counts from one again; go on above what was given out.
        n_ = same_tree ? theirs.n : theirs.n + 1;
        Header header = ours;
        header.version.n = n_;
        adopt(context, std::move(header), true);
    } else {
        peer.wait = context.config.announce_wait_min;
        announce(context, from, peer);
    }
}

void Source::take(Context& context, const PeerId& from, const Refused& refused) {
    const auto at = holders_.find(from);
    if (at == holders_.end() || at->second.refused == refused.reason) return;
    at->second.refused = refused.reason;
    complain(context, "peer " + short_text(from) + " keeps no newer copy: " + refused.reason);
}

void Source::heard_want(const Context& context, const PeerId& from) {
    const auto at = holders_.find(from);
    if (at != holders_.end()) at->second.asked = context.now;
}

void Source::changed(const Context& context) {
    stale_ = true;
    changed_at_ = context.now;
    next_scan_ = std::min(next_scan_, std::max(context.now, scan_began_ + period_));
}

std::optional<TimePoint> Source::pulling_until(const Config& config) const {
    if (!current_ || stale_) return std::nullopt;
    std::optional<TimePoint> last;
    for (const auto& [id, peer] : holders_) {
        if (peer.confirmed || !peer.asked || *peer.asked < announced_) continue;
        last = std::max(last.value_or(*peer.asked), *peer.asked);
    }
    if (!last) return std::nullopt;
    return std::min(*last + config.pulling_for, announced_ + config.patience);
}

void Source::tick(Context& context) {
    const TimePoint due = std::max(next_scan_, pulling_until(context.config).value_or(next_scan_));
    if (!scanning_ && due <= context.now && !holders_.empty()) {
        scan_began_ = context.now;
        scanning_ = context.begin(ScanTree{.lineage = lineage_, .alloc = alloc_});
    }
    for (auto& [id, peer] : holders_)
        if (current_ && peer.next_announce && *peer.next_announce <= context.now)
            announce(context, id, peer);
}

std::optional<TimePoint> Source::next_wakeup(const Config& config) const {
    std::optional<TimePoint> next;
    if (!scanning_ && !holders_.empty())
        next = std::max(next_scan_, pulling_until(config).value_or(next_scan_));
    if (!current_) return next;
    for (const auto& [id, peer] : holders_) sooner(next, peer.next_announce);
    return next;
}

void Source::complain(Context& context, std::string reason) {
    if (reason == trouble_) return;
    trouble_ = std::move(reason);
    context.tell(Trouble{lineage_, trouble_});
}

}  // namespace gaggle::replica
