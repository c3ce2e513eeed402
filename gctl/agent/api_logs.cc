// Logs of tasks, whichever peer runs them.
#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/api_tail.h"

namespace gaggle {

namespace {

struct LogRequest {
    node::ReadLogs read;
    Tail::Style style;
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
    const std::optional<std::uint64_t> offset = number(exchange, "offset", 0);
    if (!offset) return std::nullopt;
    out.read.offset = *offset;
    const std::optional<bool> follow = flag(exchange, "follow");
    if (!follow) return std::nullopt;
    const std::optional<bool> plain = flag(exchange, "plain");
    if (!plain) return std::nullopt;
    out.style = {.follow = *follow, .plain = *plain, .limit = {}};
    return out;
}

}  // namespace

void stream_logs(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<LogRequest> request = log_request(exchange);
    if (!request) return;
    with_alloc(exchange, [request](Exchange& later, const NamedAlloc& alloc) {
        const std::string& task = request->read.task;
        if (!alloc.may_have_task(task))
            return later.refuse(404,
                                "unknown task name \"" + task + "\"; it has: " + alloc.tasks(),
                                headers_of(*alloc.record));
        begin_tail(later,
                   {.alloc = alloc.id,
                    .what = request->read,
                    .ending = alloc.ending(task),
                    .index = alloc.record == nullptr ? 0 : alloc.record->index},
                   request->style);
    });
}

}  // namespace gaggle
