#include "gctl/cli/monitor.h"

#include <algorithm>

#include "gctl/cli/api.h"
#include "gctl/cli/failure.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

constexpr Duration kInterval = 200ms;
constexpr Duration kSettleMax = 5min;
constexpr std::size_t kReasonsMax = 5;  // of failed allocations; more are seldom others
constexpr int kRounds = kSettleMax / kInterval;

bool over(const std::string& status) {
    return status == "complete" || status == "failed" || status == "canceled";
}

}  // namespace

std::string Monitor::shown(const std::string& id) const { return verbose_ ? id : short_id(id); }

void Monitor::say(const std::string& text) {
    context_.console.line("    " + context_.console.paint(Tone::faint, when(context_.world.now())) +
                          ": " + text);
}

void Monitor::headline(const std::string& text) {
    context_.console.line(context_.console.paint(Tone::strong, "==> ") +
                          context_.console.paint(Tone::faint, when(context_.world.now())) + ": " +
                          text);
}

Result<int> Monitor::watch(const std::string& eval_id) {
    const EvalView eval = TRY(decided(eval_id));
    if (eval.status != "complete") return 1;
    const bool delayed = TRY(tell_delay(eval));
    const int code = TRY(settled(eval));
    return code == 0 && (delayed || !eval.failed.empty()) ? 2 : code;
}

Result<int> Monitor::watch_decision(const std::string& eval_id) {
    const EvalView eval = TRY(decided(eval_id));
    if (eval.status != "complete") return 1;
    return eval.failed.empty() ? 0 : 2;
}

Result<EvalView> Monitor::decided(const std::string& eval_id) {
    headline("Monitoring evaluation \"" + shown(eval_id) + "\"");
    for (int round = 0; round < kRounds; ++round) {
        if (round > 0) context_.world.pause(kInterval);
        const Value answer =
            TRY(api_.get("watch evaluation " + shown(eval_id), "/v1/evaluation/" + eval_id));
        const EvalView eval = eval_of(Json(answer));
        if (!job_told_)
            say("Evaluation triggered by " + (eval.triggered_by == "node-update"
                                                  ? "node \"" + shown(eval.node_id) + "\""
                                                  : "job \"" + eval.job_id + "\""));
        job_told_ = true;
        TRY(tell_allocs(eval_id));
        if (!status_.empty() && status_ != eval.status)
            say("Evaluation status changed: \"" + status_ + "\" -> \"" + eval.status + "\"");
        status_ = eval.status;
        if (!over(eval.status)) continue;
        headline("Evaluation \"" + shown(eval_id) + "\" finished with status \"" +
                 status_text(context_.console, eval.status) + "\"" +
                 (eval.failed.empty() ? "" : " but failed to place all allocations:"));
        if (!eval.description.empty() && eval.status != "complete") say(eval.description);
        tell_failures(eval);
        return eval;
    }
    return Error{Errc::timeout, "watch evaluation " + shown(eval_id) + ": it is still \"" +
                                    status_ + "\" after " + for_people(kSettleMax) +
                                    "; look again with `gctl eval status " + shown(eval_id) + "`"};
}

void Monitor::tell_failures(const EvalView& eval) {
    for (const auto& [group, metrics] : eval.failed) {
        context_.console.line("    Task Group \"" + group + "\" (failed to place " +
                              counted(metrics.coalesced + 1, "allocation") + "):");
        context_.console.print(failure_reasons(metrics, "      "));
    }
    if (!eval.blocked_eval.empty())
        say("Evaluation \"" + shown(eval.blocked_eval) +
            "\" waiting for additional capacity to place remainder");
}

Result<std::vector<AllocStub>> Monitor::tell_allocs(const std::string& eval_id) {
    const Value answer = TRY(api_.get("watch evaluation " + shown(eval_id),
                                      "/v1/evaluation/" + eval_id + "/allocations"));
    std::vector<AllocStub> allocs = allocs_of(Json(answer));
    std::sort(allocs.begin(), allocs.end(), [](const AllocStub& a, const AllocStub& b) {
        return std::tie(a.create_index, a.name, a.id) < std::tie(b.create_index, b.name, b.id);
    });
    for (const AllocStub& alloc : allocs) tell_alloc(alloc);
    return allocs;
}

void Monitor::tell_alloc(const AllocStub& alloc) {
    const std::string name = "Allocation \"" + shown(alloc.id) + "\"";
    const auto known = clients_.find(alloc.id);
    if (known == clients_.end()) {
        say(name + " created: node \"" +
            (alloc.node_name.empty() ? shown(alloc.node_id) : alloc.node_name) + "\", group \"" +
            alloc.group + "\"");
        clients_[alloc.id] = alloc.client;
        if (alloc.client == "pending") return;
        clients_[alloc.id] = "pending";  // so that what it is now is told, too
    }
    std::string& told = clients_[alloc.id];
    if (told == alloc.client) return;
    const std::string& why = alloc.client == "lost" ? alloc.desired_description : alloc.description;
    say(name + " status changed: \"" + told + "\" -> \"" +
        status_text(context_.console, alloc.client) + "\"" + (why.empty() ? "" : " (" + why + ")"));
    told = alloc.client;
    if (alloc.client == "failed") tell_why(alloc);
}

void Monitor::tell_why(const AllocStub& alloc) {
    const std::string id = shown(alloc.id);
    if (hint_.empty()) hint_ = "See `gctl alloc status " + id + "`";
    if (reasons_told_++ >= kReasonsMax) return;
    const auto answer = api_.get("show allocation " + id, "/v1/allocation/" + alloc.id);
    if (!answer.ok()) return;  // the status was told, and the hint says where to ask again
    for (const Failure& failure : failures_of(alloc_of(Json(*answer)))) {
        say("Allocation \"" + id + "\": task \"" + failure.task + "\": " + failure.type + ": " +
            failure.message);
        if (failure.ran() && reasons_told_ == 1)
            hint_ = "See `gctl alloc status " + id + "` and `gctl alloc logs -stderr " + id + " " +
                    failure.task + "`";
    }
}

Result<int> Monitor::settled(const EvalView& eval) {
    std::vector<AllocStub> watched;
    for (int round = 0; round < kRounds; ++round) {
        if (round > 0) context_.world.pause(kInterval);
        job_ = {};
        watched = TRY(tell_allocs(eval.id));
        if (!TRY(still_moves(watched))) return tell_outcome(eval, watched);
    }
    std::string waiting;
    for (const AllocStub& alloc : watched)
        if (waiting.empty() || alloc.client == "pending") waiting = alloc.id;
    return Error{Errc::timeout, "watch evaluation " + shown(eval.id) + ": allocation " +
                                    shown(waiting) + " is not settled after " +
                                    for_people(kSettleMax) +
                                    "; look at it with `gctl alloc "
                                    "status " +
                                    shown(waiting) + "`"};
}

/// Adds those that took the place of lost ones. False: nothing more is going to happen by itself
/// but for what waits.
Result<bool> Monitor::still_moves(std::vector<AllocStub>& watched) {
    for (std::size_t at = 0; at < watched.size(); ++at) {
        const AllocStub alloc = watched[at];  // a copy, for more are added
        const bool ended = alloc.client == "failed" || alloc.client == "lost";
        if (!ended && alloc.desired == "run" && alloc.client == "pending") return true;
        if (ended && TRY(undecided(alloc.job_id))) return true;
        if (alloc.client != "lost") continue;
        const std::optional<AllocStub> next = TRY(successor(alloc));
        if (!next) continue;
        tell_alloc(*next);
        watched.push_back(*next);
    }
    return false;
}

Result<int> Monitor::tell_outcome(const EvalView& eval, const std::vector<AllocStub>& watched) {
    bool failed = false, missing = false;
    for (const AllocStub& alloc : watched) {
        const bool replaced = alloc.client == "lost" && TRY(successor(alloc));
        if (alloc.client == "failed" && alloc.desired == "run") {
            failed = true;
            EvalView waits = eval;
            waits.next_eval = alloc.follow_up_eval;
            TRY(tell_delay(waits));
        }
        if (alloc.client != "lost" || replaced) continue;
        missing = true;
        say("Allocation \"" + shown(alloc.id) + "\" is lost, and nothing has taken its place" +
            (alloc.desired_description.empty() ? "" : ": " + alloc.desired_description));
        TRY(tell_room(alloc));
    }
    if (failed && !hint_.empty()) say(hint_);
    if (failed) return 1;
    return missing ? 2 : 0;
}

Result<const std::vector<EvalView>*> Monitor::evals(const std::string& job) {
    if (!job_.evals)
        job_.evals = evals_of(Json(TRY(api_.get("watch job \"" + job + "\"",
                                                "/v1/job/" + url_encoded(job) + "/evaluations"))));
    return &*job_.evals;
}

Result<const std::vector<AllocStub>*> Monitor::allocs(const std::string& job) {
    if (!job_.allocs)
        job_.allocs = allocs_of(Json(TRY(api_.get(
            "watch job \"" + job + "\"", "/v1/job/" + url_encoded(job) + "/allocations"))));
    return &*job_.allocs;
}

/// An evaluation of the job is still being worked on.
Result<bool> Monitor::undecided(const std::string& job) {
    const std::vector<EvalView>* known = TRY(evals(job));
    return std::any_of(known->begin(), known->end(), [](const EvalView& eval) {
        return eval.status == "pending" && !waits_for_time(eval);
    });
}

/// The newest allocation of the same name, when it is a newer one.
Result<std::optional<AllocStub>> Monitor::successor(const AllocStub& lost) {
    std::optional<AllocStub> newest;
    for (const AllocStub& alloc : *TRY(allocs(lost.job_id)))
        if (alloc.name == lost.name && alloc.create_index > lost.create_index &&
            (!newest || alloc.create_index > newest->create_index))
            newest = alloc;
    return newest;
}

/// Why there is no room for what would take the place of `lost`.
Result<void> Monitor::tell_room(const AllocStub& lost) {
    for (EvalView eval : *TRY(evals(lost.job_id))) {
        if (eval.status != "blocked" || !evals_told_.insert(eval.id).second) continue;
        eval.blocked_eval = eval.id;
        tell_failures(eval);
    }
    return {};
}

/// True: something of the job waits for the delay of its reschedule policy, and that was told.
Result<bool> Monitor::tell_delay(const EvalView& eval) {
    if (eval.next_eval.empty()) return false;
    const std::string purpose = "show evaluation " + shown(eval.next_eval);
    const Value answer = TRY(api_.get(purpose, "/v1/evaluation/" + eval.next_eval));
    const EvalView next = eval_of(Json(answer));
    if (next.status != "pending" || !waits_for_time(next)) return false;
    if (!evals_told_.insert(next.id).second) return true;
    const Value allocs =
        TRY(api_.get(purpose, "/v1/job/" + url_encoded(eval.job_id) + "/allocations"));
    for (const AllocStub& alloc : allocs_of(Json(allocs)))
        if (alloc.follow_up_eval == next.id)
            say("Allocation \"" + shown(alloc.id) + "\" of group \"" + alloc.group +
                "\" failed; by its reschedule policy it is replaced no earlier than " +
                when_or_na(next.wait_until));
    say("Evaluation \"" + shown(next.id) + "\" will try again at " + when_or_na(next.wait_until));
    return true;
}

}  // namespace gaggle::cli
