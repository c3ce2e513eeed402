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
        if (wanted_.follow) heartbeat_due_ = exchange.now() + kJobLogsHeartbeat;
    }
    if (wanted_.follow && answer.index < index_) {  // a copy that lags: what is new is not in it
        list_due_ = exchange.now() + kJobLogsRetryPause;
        return;
    }
    index_ = answer.index;
    job_over_ = answer.jobs.empty() || answer.jobs.front().purged ||
                answer.jobs.front().status == ledger::JobStatus::dead;
    take_in(exchange, answer);
    if (wanted_.follow) list_due_ = exchange.now() + kJobLogsListPause;
    pump(exchange);
    end_if_over(exchange);
}

/// The tasks of the list: new ones begin, and what is not in it any more has ended.
void JobLogs::take_in(Exchange& exchange, const node::Answer& answer) {
    const AllocRenderer renderer(answer);
    std::set<Key> listed;
    left_out_ = false;
    for (const ledger::AllocRecord& alloc : answer.allocs) {
        const Job* job = renderer.job_of(alloc);
        const TaskGroup* group = job == nullptr ? nullptr : find_group(*job, alloc.slot.group);
        if (group == nullptr) continue;
        for (const Task& task : group->tasks) {
            if (!wanted_.task.empty() && task.name != wanted_.task) continue;
            listed.emplace(alloc.id, task.name);
            add(exchange, alloc, task.name);
        }
    }
    for (auto& [key, source] : sources_) source.ended |= !listed.contains(key);
    std::erase_if(done_, [&](const Key& key) { return !listed.contains(key); });
}

void JobLogs::add(Exchange& exchange, const ledger::AllocRecord& alloc, const std::string& task) {
    const Key key{alloc.id, task};
    if (done_.contains(key)) return;
    auto found = sources_.find(key);
    if (found == sources_.end() && sources_.size() >= kJobLogsSourcesMax) {
        left_out_ = true;
        return;
    }
    if (found == sources_.end()) {
        found = sources_.emplace(key, Source{}).first;
        found->second.next = wanted_.from;
        found->second.next.task = task;
        found->second.due = exchange.now();
    }
    found->second.home = alloc.peer;
    found->second.ended = terminal(alloc.client);
    found->second.lost = alloc.client == ledger::ClientStatus::lost;
}

bool JobLogs::may_read(const Exchange& exchange, const Source& source) const {
    const auto there = reads_at_.find(source.home);
    return !source.done && !source.reading && source.due <= exchange.now() &&
           (there == reads_at_.end() || there->second < kJobLogsReadsPerPeer);
}

/// Each in its turn, from the one behind the last that was read.
void JobLogs::pump(Exchange& exchange) {
    std::erase_if(sources_, [&](const auto& one) {
        const bool over = one.second.done && !one.second.reading;
        if (over) done_.insert(one.first);
        return over;
    });
    auto at = sources_.upper_bound(last_read_);
    for (std::size_t looked = 0; looked < sources_.size(); ++looked, ++at) {
        if (pieces_ >= kJobLogsPiecesMax || reads_ >= kJobLogsReadsMax) return;
        if (at == sources_.end()) at = sources_.begin();
        if (!may_read(exchange, at->second)) continue;
        last_read_ = at->first;
        read(exchange, at->first, at->second);
    }
}

void JobLogs::read(Exchange& exchange, const Key& key, Source& source) {
    source.reading = true;
    source.read_ended = source.ended;
    source.asked = exchange.now();
    ++reads_;
    ++reads_at_[source.home];
    exchange.ask(node::AskPeer{.alloc = key.first, .peer = source.peer, .what = source.next},
                 [key, home = source.home](Exchange& later, NodeReply reply) {
                     auto& self = static_cast<JobLogs&>(*later.flow);
                     Source& read = self.sources_.at(key);
                     read.reading = false;
                     --self.reads_;
                     if (--self.reads_at_.at(home) == 0) self.reads_at_.erase(home);
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
    source.silent_since.reset();
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
    if (!source.silent_since) source.silent_since = source.asked;
    const bool waited = exchange.now() - *source.silent_since >= kJobLogsPatience;
    if (is_early || (may_come_back && wanted_.follow && !source.lost && !waited)) return;
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
    if (!all || !exchange.streaming() || exchange.done()) return;
    if (!left_out_) return exchange.end_stream();
    if (listing_) return;
    index_ = 0;  // there is room now for those that were left out
    list(exchange);
}

void JobLogs::written(Exchange& exchange) {
    --pieces_;
    pump(exchange);
}

void JobLogs::tick(Exchange& exchange) {
    if (list_due_ && *list_due_ <= exchange.now() && !listing_) list(exchange);
    if (heartbeat_due_ && *heartbeat_due_ <= exchange.now()) {
        exchange.piece("{}", false);
        heartbeat_due_ = exchange.now() + kJobLogsHeartbeat;
    }
    pump(exchange);
}

std::optional<TimePoint> JobLogs::next_wakeup() const {
    std::optional<TimePoint> soonest = list_due_;
    if (heartbeat_due_ && (!soonest || *heartbeat_due_ < *soonest)) soonest = heartbeat_due_;
    if (pieces_ >= kJobLogsPiecesMax || reads_ >= kJobLogsReadsMax) return soonest;
    for (const auto& [key, source] : sources_) {
        const auto there = reads_at_.find(source.home);
        const bool waits = there != reads_at_.end() && there->second >= kJobLogsReadsPerPeer;
        if (!source.done && !source.reading && !waits && (!soonest || source.due < *soonest))
            soonest = source.due;
    }
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
