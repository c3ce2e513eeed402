#include "allocrunner/replica/replica.h"

#include <algorithm>

namespace gaggle::replica {

Replica::Replica(PeerId self, Keys keys, Config config)
    : self_(self), keys_(std::move(keys)), config_(config) {}

Effects Replica::step(TimePoint now, const Input& input) {
    INVARIANT(now >= last_);
    last_ = now;
    Effects out;
    Context context{now, config_, keys_, self_, last_work_, out};
    std::visit([&](const auto& what) { on(context, what); }, input);
    return out;
}

std::optional<TimePoint> Replica::next_wakeup() const {
    std::optional<TimePoint> next = server_.next_wakeup(config_);
    for (const auto& [lineage, source] : sources_) sooner(next, source.next_wakeup(config_));
    for (const auto& [lineage, holder] : holders_) sooner(next, holder.next_wakeup(config_));
    return next;
}

void Replica::on(Context& context, const Tick&) {
    for (auto& [lineage, source] : sources_) source.tick(context);
    for (auto& [lineage, holder] : holders_) holder.tick(context);
    std::erase_if(holders_, [&](const auto& item) { return item.second.is_idle(context.now); });
    server_.tick(context);
}

// --- what the node asks for

void Replica::on(Context& context, const Watch& watch) {
    const auto found = sources_.find(watch.lineage);
    const bool is_same = found != sources_.end() &&
                         found->second.generation() == watch.generation &&
                         found->second.alloc() == watch.alloc;
    if (is_same) {
        found->second.set_holders(context, watch);
        return found->second.tick(context);
    }
    if (found != sources_.end()) on(context, Unwatch{watch.lineage});
    if (sources_.size() >= config_.lineages_max)
        return context.tell(Trouble{
            watch.lineage, "no copies are made: this peer already is the source of " +
                               std::to_string(sources_.size()) + " lineages, which is its limit"});
    on(context, Drop{watch.lineage});
    sources_.emplace(watch.lineage, Source(context, watch)).first->second.tick(context);
}

void Replica::on(Context& context, const Unwatch& unwatch) {
    if (sources_.erase(unwatch.lineage) > 0)
        context.out.work.push_back(ForgetScan{unwatch.lineage});
}

void Replica::on(Context& context, const Drop& drop) {
    const auto held = holders_.find(drop.lineage);
    if (held != holders_.end() && held->second.is_fetching())
        context.tell(FetchDone{.lineage = drop.lineage,
                               .error = "fetch " + to_string(drop.lineage) +
                                        ": the copy here was given up meanwhile"});
    holders_.erase(drop.lineage);
    context.out.work.push_back(DropCopy{drop.lineage});
}

void Replica::on(Context& context, const Fetch& fetch) {
    Holder* here = is_source(fetch.lineage) ? nullptr : holder_or_new(fetch.lineage);
    if (here == nullptr)
        return context.tell(FetchDone{
            .lineage = fetch.lineage,
            .error = is_source(fetch.lineage)
                         ? "fetch " + to_string(fetch.lineage) + ": its allocation runs here"
                         : "fetch " + to_string(fetch.lineage) + ": this peer already holds " +
                               std::to_string(holders_.size()) + " lineages, which is its limit"});
    here->fetch(context, fetch.from);
}

void Replica::on(Context& context, const Ask& ask) {
    for (const PeerId& peer : ask.peers)
        if (peer != self_) context.send(peer, AskCopy{ask.lineage});
}

void Replica::on(Context&, const Recovered& recovered) {
    // Not checked again: each was when it arrived, and its source may be long forgotten here.
    for (const SignedHeader& copy : recovered.copies) {
        Holder* here = holder_or_new(copy.header.lineage);
        if (here != nullptr) here->recover(copy);
    }
}

// --- results of work

void Replica::on(Context& context, const Scanned& scanned) {
    for (auto& [lineage, source] : sources_) {
        if (!source.waits_for(scanned.work)) continue;
        source.on(context, scanned);
        return source.tick(context);
    }
}

void Replica::on(Context& context, const TreeRead& read) { server_.on(context, read); }

void Replica::on(Context& context, const BlocksRead& read) {
    const auto lineage = server_.on(context, read);
    if (!lineage) return;
    const auto source = sources_.find(*lineage);
    if (source != sources_.end()) {
        source->second.changed(context);
        source->second.tick(context);
    } else if (Holder* here = holder(*lineage)) {
        here->found_damage(context);
    }
}

void Replica::on(Context& context, const TreeStaged& staged) {
    for (auto& [lineage, holder] : holders_)
        if (holder.waits_for(staged.work)) return holder.on(context, staged);
}

void Replica::on(Context& context, const BlocksStaged& staged) {
    for (auto& [lineage, holder] : holders_)
        if (holder.waits_for(staged.work)) return holder.on(context, staged);
}

void Replica::on(Context& context, const TreeCommitted& committed) {
    for (auto& [lineage, holder] : holders_)
        if (holder.waits_for(committed.work)) return holder.on(context, committed);
}

// --- messages

void Replica::on(Context& context, const Received& received) {
    const auto body = decode_message(received.bytes);
    if (!body) {
        ++malformed_;
        return;
    }
    std::visit([&](const auto& what) { take(context, received.from, what); }, *body);
    const auto source = sources_.find(lineage_of(*body));
    if (source != sources_.end()) source->second.tick(context);
}

void Replica::take(Context& context, const PeerId& from, const Announce& announce) {
    const Header& header = announce.version.header;
    if (header.source != from || !is_genuine(keys_, announce.version)) {
        ++malformed_;
        return;
    }
    if (is_source(header.lineage))
        return context.send(from, Refused{header.lineage, header.version,
                                          "an allocation of this slot runs here itself"});
    Holder* here = holder_or_new(header.lineage);
    if (here == nullptr)
        return context.send(from, Refused{header.lineage, header.version,
                                          "it already holds copies of " +
                                              std::to_string(holders_.size()) + " lineages"});
    const std::uint64_t own = here->complete() ? here->complete()->header.bytes : 0;
    const std::uint64_t others = bytes_held() - own;
    const Room room{.pull = pulls() < config_.pulls_max,
                    .bytes = config_.bytes_max - std::min(config_.bytes_max, others)};
    here->take(context, from, announce, room);
    if (here->is_idle(context.now) && here->trouble().empty()) holders_.erase(header.lineage);
}

void Replica::take(Context& context, const PeerId& from, const WantTree& want) {
    const auto version = served(want.lineage, want.version);
    if (!version) return context.send(from, Gone{want.lineage, want.version});
    if (version->side == Side::source) sources_.at(want.lineage).heard_want(context, from);
    server_.take(context, from, want, *version);
}

void Replica::take(Context& context, const PeerId& from, const WantBlocks& want) {
    const auto version = served(want.lineage, want.version);
    if (!version) return context.send(from, Gone{want.lineage, want.version});
    if (version->side == Side::source) sources_.at(want.lineage).heard_want(context, from);
    server_.take(context, from, want, *version);
}

void Replica::take(Context& context, const PeerId& from, const TreeSlice& slice) {
    if (Holder* here = holder(slice.lineage)) here->take_for_pull(context, from, slice);
}

void Replica::take(Context& context, const PeerId& from, const Blocks& blocks) {
    if (Holder* here = holder(blocks.lineage)) here->take_for_pull(context, from, blocks);
}

void Replica::take(Context& context, const PeerId& from, const Gone& gone) {
    if (Holder* here = holder(gone.lineage)) here->take_for_pull(context, from, gone);
}

void Replica::take(Context& context, const PeerId& from, const Complete& complete) {
    const auto source = sources_.find(complete.lineage);
    if (source != sources_.end()) source->second.take(context, from, complete);
}

void Replica::take(Context& context, const PeerId& from, const Refused& refused) {
    const auto source = sources_.find(refused.lineage);
    if (source != sources_.end()) source->second.take(context, from, refused);
}

void Replica::take(Context& context, const PeerId& from, const AskCopy& ask) {
    HaveCopy have{.lineage = ask.lineage};
    if (const SignedHeader* newest = newest_here(ask.lineage)) have.version = *newest;
    context.send(from, std::move(have));
}

void Replica::take(Context& context, const PeerId& from, const HaveCopy& have) {
    CopyHeard heard{.lineage = have.lineage, .from = from};
    if (have.version) {
        if (have.version->header.lineage != have.lineage || !is_genuine(keys_, *have.version)) {
            ++malformed_;
            return;
        }
        heard.version = have.version->header.version;
        heard.taken_at = have.version->header.taken_at;
    }
    context.tell(std::move(heard));
    if (Holder* here = holder(have.lineage)) here->take(context, from, have);
}

// --- what is here

const SignedHeader* Replica::newest_here(const Lineage& lineage) const {
    const auto source = sources_.find(lineage);
    if (source != sources_.end())
        return source->second.current() ? &*source->second.current() : nullptr;
    const auto here = holders_.find(lineage);
    if (here == holders_.end() || !here->second.complete()) return nullptr;
    return &*here->second.complete();
}

std::optional<Served> Replica::served(const Lineage& lineage, const Version& version) const {
    const SignedHeader* newest = newest_here(lineage);
    if (newest == nullptr || newest->header.version != version) return std::nullopt;
    return Served{.side = is_source(lineage) ? Side::source : Side::copy,
                  .root = newest->header.root,
                  .tree_bytes = newest->header.tree_bytes};
}

Holder* Replica::holder(const Lineage& lineage) {
    const auto found = holders_.find(lineage);
    return found == holders_.end() ? nullptr : &found->second;
}

Holder* Replica::holder_or_new(const Lineage& lineage) {
    Holder* known = holder(lineage);
    if (known != nullptr || holders_.size() >= config_.lineages_max) return known;
    return &holders_.emplace(lineage, Holder(lineage)).first->second;
}

std::size_t Replica::pulls() const {
    return static_cast<std::size_t>(std::count_if(
        holders_.begin(), holders_.end(), [](const auto& item) { return item.second.pull(); }));
}

std::uint64_t Replica::bytes_held() const {
    std::uint64_t bytes = 0;
    for (const auto& [lineage, holder] : holders_)
        if (holder.complete()) bytes += holder.complete()->header.bytes;
    return bytes;
}

std::optional<Header> Replica::newest(const Lineage& lineage) const {
    const auto found = holders_.find(lineage);
    if (found == holders_.end() || !found->second.complete()) return std::nullopt;
    return found->second.complete()->header;
}

namespace {

CopyInfo info(const Lineage& lineage, const Holder& holder) {
    CopyInfo out{
        .lineage = lineage, .role = CopyInfo::Role::held_here, .trouble = holder.trouble()};
    if (holder.complete()) {
        const Header& header = holder.complete()->header;
        out.peer = header.source;
        out.version = header.version;
        out.taken_at = header.taken_at;
        out.bytes = header.bytes;
    }
    if (holder.pull()) {
        const Header& header = holder.pull()->version().header;
        out.peer = header.source;
        out.pulling = header.version;
        out.blocks_done = holder.pull()->blocks_done();
        out.blocks_total = holder.pull()->blocks_total();
    }
    return out;
}

CopyInfo info(const Lineage& lineage, const Source& source, const PeerId& peer,
              const Source::Peer& holder) {
    const std::string& why = holder.refused.empty() ? source.trouble() : holder.refused;
    CopyInfo out{
        .lineage = lineage, .role = CopyInfo::Role::held_there, .peer = peer, .trouble = why};
    out.version = holder.version;
    out.taken_at = holder.taken_at;
    out.heard = holder.heard;
    if (holder.confirmed && source.current()) out.bytes = source.current()->header.bytes;
    return out;
}

}  // namespace

std::vector<CopyInfo> Replica::copies(const Lineage& lineage) const {
    std::vector<CopyInfo> out;
    if (const auto here = holders_.find(lineage); here != holders_.end())
        out.push_back(info(lineage, here->second));
    if (const auto source = sources_.find(lineage); source != sources_.end())
        for (const auto& [peer, holder] : source->second.holders())
            out.push_back(info(lineage, source->second, peer, holder));
    return out;
}

std::vector<CopyInfo> Replica::copies() const {
    std::set<Lineage> lineages;
    for (const auto& [lineage, holder] : holders_) lineages.insert(lineage);
    for (const auto& [lineage, source] : sources_) lineages.insert(lineage);
    std::vector<CopyInfo> out;
    for (const Lineage& lineage : lineages) {
        auto some = copies(lineage);
        out.insert(out.end(), some.begin(), some.end());
    }
    return out;
}

}  // namespace gaggle::replica
