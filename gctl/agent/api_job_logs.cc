#include "gctl/agent/api_job_logs.h"

#include <algorithm>
#include <utility>

#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/json_value.h"
#include "gctl/agent/render_alloc.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

void JobLogs::list(Exchange& exchange) {
    listing_ = true;
    list_due_.reset();
    node::Query query{.kind = node::QueryKind::job_allocations,
                      .name_space = wanted_.name_space,
                      .id = wanted_.job,
                      .index = index_,
                      .wait = kJobLogsListWait,
                      .stale = true};
    exchange.ask(std::move(query), [](Exchange& later, NodeReply reply) {
        auto& self = static_cast<JobLogs&>(*later.flow);
        self.listing_ = false;
        const auto* answer = reply.ok() ? std::get_if<node::Answer>(&*reply) : nullptr;
        if (answer != nullptr) return self.listed(later, *answer);
        if (!later.streaming())
            return later.fail(reply.ok() ? Error{Errc::io, "no list of allocations"}
                                         : reply.error());
        self.list_due_ = later.now() + kJobLogsRetryPause;
    });
}

void JobLogs::listed(Exchange& exchange, const node::Answer& answer) {
    if (!exchange.streaming()) {
        if (!answer.found || (answer.jobs.empty() && answer.allocs.empty()))
            return exchange.refuse(404, "job not found", headers_of(answer));
        exchange.begin_stream("application/json");
    }
    index_ = answer.index;
    job_over_ = answer.jobs.empty() || answer.jobs.front().purged ||
                answer.jobs.front().status == ledger::JobStatus::dead;
    const AllocRenderer renderer(answer);
    for (const ledger::AllocRecord& alloc : answer.allocs) {
        const Job* job = renderer.job_of(alloc);
        const TaskGroup* group = job == nullptr ? nullptr : find_group(*job, alloc.slot.group);
        if (group == nullptr) continue;
        for (const Task& task : group->tasks) {
            if (!wanted_.task.empty() && task.name != wanted_.task) continue;
            const auto known = sources_.find({alloc.id, task.name});
            if (known != sources_.end()) known->second.ended = terminal(alloc.client);
            if (known != sources_.end() || sources_.size() >= kJobLogsSourcesMax) continue;
            Source& source = sources_[{alloc.id, task.name}];
            source.next = wanted_.from;
            source.next.task = task.name;
            source.ended = terminal(alloc.client);
            source.due = exchange.now();
        }
    }
    if (wanted_.follow) list(exchange);
    pump(exchange);
    end_if_over(exchange);
}

void JobLogs::pump(Exchange& exchange) {
    for (auto& [key, source] : sources_) {
        if (pieces_ >= kJobLogsPiecesMax || reads_ >= kJobLogsReadsMax) return;
        if (!source.done && !source.reading && source.due <= exchange.now())
            read(exchange, key, source);
    }
}

void JobLogs::read(Exchange& exchange, const Key& key, Source& source) {
    source.reading = true;
    source.read_ended = source.ended;
    ++reads_;
    exchange.ask(node::AskPeer{.alloc = key.first, .peer = source.peer, .what = source.next},
                 [key](Exchange& later, NodeReply reply) {
                     auto& self = static_cast<JobLogs&>(*later.flow);
                     Source& read = self.sources_.at(key);
                     read.reading = false;
                     --self.reads_;
                     const auto* said = reply.ok() ? std::get_if<node::PeerSaid>(&*reply) : nullptr;
                     if (said != nullptr) read.peer = said->peer;
                     const auto* chunk =
                         said == nullptr ? nullptr : std::get_if<node::LogChunk>(&said->what);
                     if (chunk != nullptr)
                         self.got(later, key, read, *chunk);
                     else
                         self.missed(
                             later, key, read,
                             reply.ok() ? Error{Errc::io, "the answer is no log"} : reply.error());
                     self.pump(later);
                     self.end_if_over(later);
                 });
}

void JobLogs::got(Exchange& exchange, const Key& key, Source& source, const node::LogChunk& chunk) {
    source.misses = 0;
    source.next.from = chunk.next;
    source.due = exchange.now();
    if (!chunk.data.empty()) {
        Object frame{{"File", val(chunk.file_name)},
                     {"Offset", val(chunk.from.offset + chunk.data.size())},
                     {"Data", val(to_base64(chunk.data))}};
        if (chunk.skipped) frame["FileEvent"] = val("file deleted");
        return say(exchange, key, std::move(frame));
    }
    if (!std::exchange(source.caught_up, true)) say(exchange, key, {{"CaughtUp", val(true)}});
    source.done = !wanted_.follow || source.read_ended;
    const auto crowd = static_cast<std::int64_t>(sources_.size() / 20);
    source.due += kJobLogsPoll * std::max<std::int64_t>(1, crowd);
}

void JobLogs::missed(Exchange& exchange, const Key& key, Source& source, const Error& error) {
    const bool may_come_back = error.code == Errc::unavailable || error.code == Errc::timeout;
    source.peer = {};
    source.due = exchange.now() + kJobLogsRetryPause;
    // One that has no directory yet has not written anything yet.
    const bool is_early = error.code == Errc::not_found && !source.read_ended && wanted_.follow;
    if (is_early || (may_come_back && wanted_.follow && ++source.misses <= kJobLogsRetriesMax))
        return;
    source.done = true;
    say(exchange, key, {{"CaughtUp", val(true)}, {"Error", val(Exchange::text_of(error))}});
}

void JobLogs::say(Exchange& exchange, const Key& key, std::map<std::string, Value> what) {
    what["AllocID"] = val(key.first);
    what["Task"] = val(key.second);
    exchange.piece(value_to_json(val(std::move(what))), true);
    ++pieces_;
}

void JobLogs::end_if_over(Exchange& exchange) {
    if (wanted_.follow && !job_over_) return;
    const bool all = std::all_of(sources_.begin(), sources_.end(),
                                 [](const auto& one) { return one.second.done; });
    if (all && exchange.streaming() && !exchange.done()) exchange.end_stream();
}

void JobLogs::written(Exchange& exchange) {
    --pieces_;
    pump(exchange);
}

void JobLogs::tick(Exchange& exchange) {
    if (list_due_ && *list_due_ <= exchange.now() && !listing_) list(exchange);
    pump(exchange);
}

std::optional<TimePoint> JobLogs::next_wakeup() const {
    std::optional<TimePoint> soonest = list_due_;
    if (pieces_ >= kJobLogsPiecesMax || reads_ >= kJobLogsReadsMax) return soonest;
    for (const auto& [key, source] : sources_)
        if (!source.done && !source.reading && (!soonest || source.due < *soonest))
            soonest = source.due;
    return soonest;
}

void stream_job_logs(Exchange& exchange) {
    const auto query = query_for(exchange, node::QueryKind::job_allocations, exchange.id());
    if (!query) return;
    const std::string type = exchange.parameter("type");
    if (!type.empty() && type != "stdout" && type != "stderr")
        return exchange.refuse(400, "must provide log type (stdout/stderr)");
    const std::string origin = exchange.parameter("origin");
    if (!origin.empty() && origin != "start" && origin != "end")
        return exchange.refuse(400, "origin must be start or end");
    const std::optional<std::uint64_t> offset = number(exchange, "offset", 0);
    if (!offset) return;
    const std::optional<bool> follow = flag(exchange, "follow");
    if (!follow) return;
    auto logs = std::make_unique<JobLogs>(JobLogs::Wanted{.name_space = query->name_space,
                                                          .job = query->id,
                                                          .task = exchange.parameter("task"),
                                                          .from = {.task = "",
                                                                   .error_stream = type == "stderr",
                                                                   .from = {},
                                                                   .from_end = origin == "end",
                                                                   .offset = *offset},
                                                          .follow = *follow});
    JobLogs& begun = *logs;
    exchange.flow = std::move(logs);
    begun.list(exchange);
}

}  // namespace gaggle
