#include "gctl/agent/api_logs.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_alloc.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

void LogFollow::read(Exchange& exchange) {
    reading_ = true;
    read_due_.reset();
    exchange.ask(next_, [](Exchange& later, NodeReply reply) {
        LogFollow& self = *later.logs;
        self.reading_ = false;
        if (!reply.ok()) return self.missed(later, reply.error());
        if (const auto* chunk = std::get_if<node::LogChunk>(&*reply))
            self.got(later, *chunk);
        else
            self.missed(later, {Errc::io, "the node answered a log read with something else"});
    });
}

void LogFollow::begin(Exchange& exchange) {
    if (exchange.streaming()) return;
    exchange.begin_stream(style_.plain ? "text/plain; charset=utf-8" : "application/json");
    if (!style_.plain) heartbeat_due_ = exchange.now() + kLogHeartbeat;
}

void LogFollow::got(Exchange& exchange, const node::LogChunk& chunk) {
    misses_ = 0;
    begin(exchange);
    next_.from = chunk.next;
    if (!chunk.data.empty()) {
        exchange.piece(style_.plain ? to_text(chunk.data) : frame(chunk), true);
        read_due_ = TimePoint::max();  // until it has left
        if (heartbeat_due_) heartbeat_due_ = exchange.now() + kLogHeartbeat;
    } else if (style_.follow) {
        if (heartbeat_due_ && !std::exchange(caught_up_, true)) beat(exchange);
        read_due_ = exchange.now() + kLogPollInterval;
    } else {
        exchange.end_stream();
    }
}

void LogFollow::missed(Exchange& exchange, const Error& error) {
    const bool may_come_back = error.code == Errc::unavailable || error.code == Errc::timeout;
    if (!exchange.streaming()) return exchange.fail(error);
    if (!style_.follow || !may_come_back || ++misses_ > kLogRetriesMax) {
        log::debug("a log stream breaks off: {}", error.detail);
        return exchange.break_stream();
    }
    read_due_ = exchange.now() + kLogRetryPause;
}

void LogFollow::beat(Exchange& exchange) {
    exchange.piece("{}", false);
    heartbeat_due_ = exchange.now() + kLogHeartbeat;
}

void LogFollow::written(Exchange& exchange) {
    if (!reading_) read(exchange);
}

void LogFollow::tick(Exchange& exchange) {
    if (heartbeat_due_ && *heartbeat_due_ <= exchange.now()) beat(exchange);
    if (!reading_ && read_due_ && *read_due_ <= exchange.now()) read(exchange);
}

std::optional<TimePoint> LogFollow::next_wakeup() const {
    if (!heartbeat_due_) return read_due_;
    return read_due_ ? std::min(*read_due_, *heartbeat_due_) : *heartbeat_due_;
}

/// Nomad's StreamFrame: `Offset` is the place in the file behind the data.
std::string LogFollow::frame(const node::LogChunk& chunk) const {
    Object object{{"File", val(chunk.file_name)},
                  {"Offset", val(chunk.from.offset + chunk.data.size())},
                  {"Data", val(to_base64(chunk.data))}};
    if (chunk.skipped) object["FileEvent"] = val("file deleted");
    return value_to_json(val(std::move(object)));
}

namespace {

struct LogRequest {
    node::ReadLogs read;
    LogFollow::Style style;
};

/// The request's parameters, refused in Nomad's words when they are wrong.
std::optional<LogRequest> log_request(Exchange& exchange) {
    LogRequest out;
    const auto refuse = [&](const std::string& why) {
        exchange.refuse(400, why);
        return std::nullopt;
    };
    out.read.task = exchange.parameter("task");
    if (out.read.task.empty()) return refuse("must provide task name");
    const std::string type = exchange.parameter("type");
    if (type != "stdout" && type != "stderr")
        return refuse("must provide log type (stdout/stderr)");
    out.read.error_stream = type == "stderr";
    const std::string origin = exchange.parameter("origin");
    if (!origin.empty() && origin != "start" && origin != "end")
        return refuse("origin must be start or end");
    out.read.from_end = origin == "end";
    if (const std::string offset = exchange.parameter("offset"); !offset.empty()) {
        const char* end = offset.data() + offset.size();
        const auto got = std::from_chars(offset.data(), end, out.read.offset);
        if (got.ec != std::errc() || got.ptr != end)
            return refuse("error parsing offset: \"" + offset + "\" is no whole number");
    }
    const std::optional<bool> follow = flag(exchange, "follow");
    if (!follow) return std::nullopt;
    const std::optional<bool> plain = flag(exchange, "plain");
    if (!plain) return std::nullopt;
    out.style = {.follow = *follow, .plain = *plain};
    return out;
}

void begin_reading(Exchange& exchange, LogRequest request) {
    exchange.logs = std::make_unique<LogFollow>(std::move(request.read), request.style);
    exchange.logs->read(exchange);
}

void begin_with_record(Exchange& exchange, LogRequest request, const node::Answer& answer) {
    if (!answer.found || answer.allocs.empty())
        return exchange.refuse(404, "alloc not found", headers_of(answer));
    const ledger::AllocRecord& alloc = answer.allocs.front();
    const Job* job = AllocRenderer(answer).job_of(alloc);
    const TaskGroup* group = job == nullptr ? nullptr : find_group(*job, alloc.slot.group);
    const std::string& task = request.read.task;
    const bool known =
        group == nullptr || std::any_of(group->tasks.begin(), group->tasks.end(),
                                        [&](const Task& one) { return one.name == task; });
    if (!known)
        return exchange.refuse(404, "unknown task name \"" + task + "\"", headers_of(answer));
    request.read.alloc = alloc.id;
    begin_reading(exchange, std::move(request));
}

}  // namespace

/// The ledger knows the tasks and what a shortened id means; without it, a peer may still know the
/// allocation itself.
void stream_logs(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<LogRequest> request = log_request(exchange);
    if (!request) return;
    const node::Query where{
        .kind = node::QueryKind::allocation, .id = exchange.id(), .stale = true};
    exchange.ask(where, [request](Exchange& later, NodeReply reply) {
        const auto* answer = reply.ok() ? std::get_if<node::Answer>(&*reply) : nullptr;
        if (answer != nullptr) return begin_with_record(later, *request, *answer);
        const std::optional<AllocId> id = parse_id<AllocId>(later.id());
        if (!id)
            return later.fail(reply.ok() ? Error{Errc::not_found, "alloc not found"}
                                         : reply.error());
        LogRequest local = *request;
        local.read.alloc = *id;
        begin_reading(later, std::move(local));
    });
}

}  // namespace gaggle
