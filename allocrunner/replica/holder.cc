#include "allocrunner/replica/holder.h"

#include <algorithm>

namespace gaggle::replica {

void Holder::take(Context& context, const PeerId& from, const Announce& announce,
                  const Room& room) {
    const Header& header = announce.version.header;
    if (complete_ && header.version <= complete_->header.version) {
        const Header& ours = complete_->header;
        const bool same = header.version == ours.version && header.root == ours.root;
        if (same && header.taken_at > ours.taken_at) {
            complete_ = announce.version;
            context.out.work.push_back(RefreshCopy{announce.version});
        }
        return say_complete(context, from);
    }
    if (fetch_ && (!pull_ || pull_->from() != from)) return;
    if (pull_) {
        const Header& pulled = pull_->version().header;
        if (header.version < pulled.version || pull_->is_committing()) return;
        if (header.version == pulled.version && header.root == pulled.root)
            return pull_->refresh(announce.version);
    } else if (!room.pull || context.now < rest_until_) {
        return;
    }
    if (header.bytes > room.bytes)
        return refuse(context, from, header.version,
                      "it has " + size_for_people(header.bytes) + ", and this peer has " +
                          size_for_people(room.bytes) + " left for copies");
    pull_.emplace(context, from, announce.version, announce.tree);
}

void Holder::settle(Context& context) {
    if (!pull_ || pull_->progress() == Progress::going) return;
    const Progress progress = pull_->progress();
    if (progress == Progress::done) return finished(context);
    const PeerId from = pull_->from();
    if (progress == Progress::failed) {
        const std::string reason = pull_->reason();
        complain(context, reason);
        if (fetch_) {
            fetch_->failed.insert(from);
            fetch_->reason = reason;
        } else {
            rest_until_ = context.now + context.config.rest;
            if (pull_->is_local()) refuse(context, from, pull_->version().header.version, reason);
        }
    }
    if (fetch_ && progress == Progress::gone)
        fetch_->gone.insert_or_assign(from, pull_->version().header.version);
    pull_.reset();
    if (fetch_) ask_all(context);
}

void Holder::finished(Context& context) {
    const PeerId from = pull_->from();
    complete_ = pull_->version();
    pull_.reset();
    trouble_.clear();
    const Header& header = complete_->header;
    context.tell(CopyComplete{lineage_, header.version, header.taken_at, header.source});
    if (from == header.source) say_complete(context, from);
    if (!fetch_) return;
    if (fetch_->rounds == 0)  // what was being committed when the fetch began; ask for newer ones
        ask_all(context);
    else
        end_fetch(context, "");
}

void Holder::say_complete(Context& context, const PeerId& to) {
    const Header& header = complete_->header;
    context.send(to, Complete{lineage_, header.version, header.root, header.taken_at});
}

void Holder::refuse(Context& context, const PeerId& to, const Version& version,
                    std::string reason) {
    complain(context, reason);
    context.send(to, Refused{lineage_, version, std::move(reason)});
}

void Holder::complain(Context& context, std::string reason) {
    if (reason == trouble_) return;
    trouble_ = std::move(reason);
    context.tell(Trouble{lineage_, trouble_});
}

void Holder::found_damage(Context& context) {
    complain(context, "the copy of " + to_string(lineage_) +
                          " held here has damaged blocks; check this disk");
}

void Holder::fetch(Context& context, const std::set<PeerId>& from) {
    fetch_.emplace();
    for (const PeerId& peer : from)
        if (peer != context.self && fetch_->peers.size() < context.config.fetch_peers_max)
            fetch_->peers.insert(peer);
    if (pull_ && !pull_->is_committing()) pull_.reset();
    if (!pull_) ask_all(context);
}

void Holder::ask_all(Context& context) {
    fetch_->answers.clear();
    for (const PeerId& peer : fetch_->failed) fetch_->peers.erase(peer);
    fetch_->failed.clear();
    if (fetch_->peers.empty() || fetch_->rounds++ >= context.config.ask_rounds_max)
        return choose(context);
    for (const PeerId& peer : fetch_->peers) context.send(peer, AskCopy{lineage_});
    fetch_->round_ends = context.now + context.config.ask_wait;
}

void Holder::take(Context& context, const PeerId& from, const HaveCopy& have) {
    if (!fetch_ || !fetch_->round_ends || !fetch_->peers.contains(from)) return;
    fetch_->answers.insert_or_assign(from, have.version);
    if (fetch_->answers.size() == fetch_->peers.size()) choose(context);
}

void Holder::choose(Context& context) {
    fetch_->round_ends.reset();
    const SignedHeader* best = complete_ ? &*complete_ : nullptr;
    const PeerId* giver = nullptr;
    for (const auto& [peer, version] : fetch_->answers) {
        const auto gone = fetch_->gone.find(peer);
        const bool was_gone =
            gone != fetch_->gone.end() && version && version->header.version == gone->second;
        if (!version || was_gone) continue;
        if (best == nullptr || version->header.version > best->header.version) {
            best = &*version;
            giver = &peer;
        }
    }
    if (giver != nullptr) {
        pull_.emplace(context, *giver, *best, Bytes{});
        return;
    }
    if (best != nullptr) return end_fetch(context, "");
    const bool all_said_no = fetch_->answers.size() == fetch_->peers.size();
    if (!all_said_no && fetch_->rounds < context.config.ask_rounds_max) return ask_all(context);
    end_fetch(context, fetch_->reason.empty()
                           ? "fetch " + to_string(lineage_) + ": none of the peers asked has a " +
                                 "copy in reach; start it empty or wait for a holder to return"
                           : "fetch " + to_string(lineage_) + ": " + fetch_->reason);
}

void Holder::end_fetch(Context& context, std::string error) {
    FetchDone done{.lineage = lineage_, .error = std::move(error)};
    if (complete_) {
        done.version = complete_->header.version;
        done.taken_at = complete_->header.taken_at;
    }
    fetch_.reset();
    context.tell(std::move(done));
}

void Holder::tick(Context& context) {
    if (pull_) {
        pull_->tick(context);
        settle(context);
    }
    if (fetch_ && fetch_->round_ends && *fetch_->round_ends <= context.now) choose(context);
}

std::optional<TimePoint> Holder::next_wakeup(const Config& config) const {
    std::optional<TimePoint> next;
    if (pull_) next = pull_->next_wakeup(config);
    if (fetch_) sooner(next, fetch_->round_ends);
    return next;
}

}  // namespace gaggle::replica
