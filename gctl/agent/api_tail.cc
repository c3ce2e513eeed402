#include "gctl/agent/api_tail.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

void begin_tail(Exchange& exchange, Tail::Source from, Tail::Style style) {
    auto tail = std::make_unique<Tail>(std::move(from), style);
    Tail& begun = *tail;
    exchange.flow = std::move(tail);
    begun.read(exchange);
}

void Tail::read(Exchange& exchange) {
    reading_ = true;
    asked_ = exchange.now();
    read_ending_ = source_.ending;
    read_due_.reset();
    node::AskPeer ask{.alloc = source_.alloc, .peer = peer_, .what = {}};
    std::visit([&](const auto& what) { ask.what = what; }, source_.what);
    exchange.ask(std::move(ask), [](Exchange& later, NodeReply reply) {
        Tail& self = static_cast<Tail&>(*later.flow);
        self.reading_ = false;
        if (!reply.ok()) return self.missed(later, reply.error());
        auto* said = std::get_if<node::PeerSaid>(&*reply);
        if (said != nullptr) self.peer_ = said->peer;
        auto* log = said == nullptr ? nullptr : std::get_if<node::LogChunk>(&said->what);
        auto* file = said == nullptr ? nullptr : std::get_if<node::FileChunk>(&said->what);
        auto* read_logs = std::get_if<node::ReadLogs>(&self.source_.what);
        auto* read_file = std::get_if<node::ReadFile>(&self.source_.what);
        if (log != nullptr && read_logs != nullptr)
            self.got(later, self.take(*read_logs, *log));
        else if (file != nullptr && read_file != nullptr)
            self.got(later, self.take(*read_file, *file));
        else
            self.missed(later, {Errc::io, "the node answered a read with something else"});
    });
}

Tail::Part Tail::take(node::ReadLogs& from, node::LogChunk& chunk) {
    from.from = chunk.next;
    return {.file = std::move(chunk.file_name),
            .end = chunk.from.offset + chunk.data.size(),
            .data = std::move(chunk.data),
            .event = chunk.skipped ? "file deleted" : ""};
}

Tail::Part Tail::take(node::ReadFile& from, node::FileChunk& chunk) {
    const bool truncated = !from.from_end && chunk.size < from.offset;
    // A file that grows as fast as it is read would have no end otherwise.
    const std::uint64_t there = chunk.size - std::min(chunk.from, chunk.size);
    if (!style_.follow && sent_ == 0) style_.limit = std::min(style_.limit.value_or(there), there);
    from.from_end = false;
    from.offset = truncated ? 0 : chunk.from + chunk.data.size();
    return {.file = from.path,
            .end = from.offset,
            .data = std::move(chunk.data),
            .event = truncated && style_.follow ? "file truncated" : ""};
}

void Tail::begin(Exchange& exchange) {
    if (exchange.streaming()) return;
    exchange.begin_stream(style_.plain ? "text/plain; charset=utf-8" : "application/json");
    if (!style_.plain) heartbeat_due_ = exchange.now() + kTailHeartbeat;
}

void Tail::got(Exchange& exchange, Part part) {
    silent_since_.reset();
    begin(exchange);
    if (style_.limit)
        part.data.resize(std::min<std::uint64_t>(part.data.size(), *style_.limit - sent_));
    sent_ += part.data.size();
    const bool says = !part.data.empty() || (!part.event.empty() && !style_.plain);
    if (says) {
        exchange.piece(style_.plain ? to_text(part.data) : frame(part), true);
        read_due_ = TimePoint::max();  // until it has left
        if (heartbeat_due_) heartbeat_due_ = exchange.now() + kTailHeartbeat;
    }
    const bool enough = style_.limit && sent_ >= *style_.limit;
    const bool over = !style_.follow || read_ending_ != Ending::none;
    if (enough || (!says && over)) return exchange.end_stream();
    if (says) return;
    if (may_end(exchange)) watch(exchange);
    if (heartbeat_due_ && !std::exchange(caught_up_, true)) beat(exchange);
    read_due_ = exchange.now() + kTailPollInterval;
}

void Tail::missed(Exchange& exchange, const Error& error) {
    const bool may_come_back = error.code == Errc::unavailable || error.code == Errc::timeout;
    if (!exchange.streaming()) return exchange.fail(error);
    const auto* file = std::get_if<node::ReadFile>(&source_.what);
    if (file != nullptr && error.code == Errc::not_found && style_.follow) {
        if (!style_.plain)
            exchange.piece(
                frame({.file = file->path, .end = file->offset, .event = "file deleted"}), false);
        return exchange.end_stream();
    }
    peer_ = {};  // perhaps it is elsewhere by now
    if (!silent_since_) silent_since_ = asked_;
    const bool waited = exchange.now() - *silent_since_ >= kTailPatience ||
                        read_ending_ == Ending::lost;
    if (!style_.follow || !may_come_back || waited) {
        log::debug("a stream of a log or a file breaks off: {}", error.detail);
        return exchange.break_stream();
    }
    read_due_ = exchange.now() + kTailRetryPause;
    if (may_end(exchange)) watch(exchange);
}

/// Nobody asks yet whether it has, and a task it is.
bool Tail::may_end(const Exchange& exchange) const {
    return style_.follow && source_.ending == Ending::none && !watching_ &&
           (!watch_due_ || *watch_due_ <= exchange.now()) &&
           std::holds_alternative<node::ReadLogs>(source_.what);
}

void Tail::watch(Exchange& exchange) {
    watching_ = true;
    watch_due_.reset();
    node::Query query{.kind = node::QueryKind::allocation,
                      .id = to_string(source_.alloc),
                      .index = source_.index,
                      .wait = kTailWatchWait,
                      .stale = true};
    exchange.ask(std::move(query), [](Exchange& later, NodeReply reply) {
        Tail& self = static_cast<Tail&>(*later.flow);
        self.watching_ = false;
        if (const auto* answer = reply.ok() ? std::get_if<node::Answer>(&*reply) : nullptr)
            self.heard(later, *answer);
        else
            self.watch_due_ = later.now() + kTailWatchPause;
    });
}

/// A copy of the ledger that lags behind the last answer may not know the allocation yet.
void Tail::heard(Exchange& exchange, const node::Answer& answer) {
    if (answer.index < source_.index) {
        watch_due_ = exchange.now() + kTailWatchPause;
        return;
    }
    source_.index = answer.index;
    const bool found = answer.found && !answer.allocs.empty();
    const NamedAlloc alloc{.id = source_.alloc, .record = &answer};
    source_.ending =
        found ? alloc.ending(std::get<node::ReadLogs>(source_.what).task) : Ending::ended;
    if (source_.ending == Ending::none) watch(exchange);
}

void Tail::beat(Exchange& exchange) {
    exchange.piece("{}", false);
    heartbeat_due_ = exchange.now() + kTailHeartbeat;
}

void Tail::written(Exchange& exchange) {
    if (!reading_) read(exchange);
}

void Tail::tick(Exchange& exchange) {
    if (heartbeat_due_ && *heartbeat_due_ <= exchange.now()) beat(exchange);
    if (!reading_ && read_due_ && *read_due_ <= exchange.now()) read(exchange);
    if (watch_due_ && may_end(exchange)) watch(exchange);
}

std::optional<TimePoint> Tail::next_wakeup() const {
    std::optional<TimePoint> soonest = read_due_;
    for (const auto& due : {heartbeat_due_, watch_due_})
        if (due && (!soonest || *due < *soonest)) soonest = due;
    return soonest;
}

/// Nomad's StreamFrame: `Offset` is the place in the file behind the data.
std::string Tail::frame(const Part& part) {
    Object object{
        {"File", val(part.file)}, {"Offset", val(part.end)}, {"Data", val(to_base64(part.data))}};
    if (!part.event.empty()) object["FileEvent"] = val(part.event);
    return value_to_json(val(std::move(object)));
}

}  // namespace gaggle
