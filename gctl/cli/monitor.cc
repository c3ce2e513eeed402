#include "gctl/cli/monitor.h"

#include <algorithm>

#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

constexpr Duration kInterval = 200ms;
constexpr Duration kSettleMax = 5min;
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
    const int waiting = eval.failed.empty() ? 0 : 2;
    const int code = TRY(settled(eval));
    return code == 0 ? waiting : code;
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
    if (!eval.next_eval.empty()) say("Evaluation \"" + shown(eval.next_eval) + "\" will try again");
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
    say(name + " status changed: \"" + told + "\" -> \"" +
        status_text(context_.console, alloc.client) + "\"" +
        (alloc.description.empty() ? "" : " (" + alloc.description + ")"));
    told = alloc.client;
}

Result<int> Monitor::settled(const EvalView& eval) {
    std::string waiting;
    for (int round = 0; round < kRounds; ++round) {
        if (round > 0) context_.world.pause(kInterval);
        waiting.clear();
        bool failed = false;
        for (const AllocStub& alloc : TRY(tell_allocs(eval.id))) {
            if (alloc.desired != "run") continue;
            if (alloc.client == "pending") waiting = alloc.id;
            if (alloc.client == "failed" || alloc.client == "lost") failed = true;
        }
        if (waiting.empty()) return failed ? 1 : 0;
    }
    return Error{Errc::timeout, "watch evaluation " + shown(eval.id) + ": allocation " +
                                    shown(waiting) + " still starts after " +
                                    for_people(kSettleMax) +
                                    "; look at it with `gctl alloc "
                                    "status " +
                                    shown(waiting) + "`"};
}

}  // namespace gaggle::cli
