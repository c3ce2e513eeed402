#include <algorithm>
#include <set>

#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

Result<int> list_jobs(const Context& context, const Api& api) {
    const Value answer = TRY(api.get("list jobs", "/v1/jobs"));
    if (context.json) return context.print_json(answer);
    std::vector<Row> rows{{"ID", "Type", "Priority", "Status", "Submitted"}};
    for (const JobStub& job : jobs_of(Json(answer)))
        rows.push_back({job.id, job.type, std::to_string(job.priority),
                        status_text(context.console, job.status) + (job.stop ? " (stopped)" : ""),
                        ago(job.submitted, context.world.now())});
    context.console.print(rows.size() > 1 ? table(rows)
                                          : "No running jobs. Start one: gctl job run FILE\n");
    return 0;
}

void show_job(const Context& context, const JobView& job) {
    const auto yes_no = [](bool flag) { return flag ? "true" : "false"; };
    context.console.print(field_list(
        {{"ID", job.id},
         {"Name", job.name},
         {"Submit Date", when(job.submitted)},
         {"Type", job.type},
         {"Priority", std::to_string(job.priority)},
         {"Datacenters", joined(job.datacenters, ",")},
         {"Namespace", job.name_space},
         {"Version", std::to_string(job.version)},
         {"Status", status_text(context.console, job.status) + (job.stop ? " (stopped)" : "")},
         {"Periodic", yes_no(job.periodic)},
         {"Parameterized", yes_no(job.parameterized)}}));
}

void show_summary(const Context& context, const Json& json) {
    std::vector<Row> rows{
        {"Task Group", "Queued", "Starting", "Running", "Failed", "Complete", "Lost"}};
    for (const auto& [group, counts] : summary_of(json))
        rows.push_back({group, std::to_string(counts.queued), std::to_string(counts.starting),
                        std::to_string(counts.running), std::to_string(counts.failed),
                        std::to_string(counts.complete), std::to_string(counts.lost)});
    context.console.line("\n" + context.console.paint(Tone::strong, "Summary"));
    context.console.print(table(rows));
}

/// Counted, then named: what waits to be dispatched has no allocations of its own.
void show_children(const Context& context, const ChildrenSummary& counts,
                   const std::vector<JobStub>& children) {
    context.console.line("\n" + context.console.paint(Tone::strong, "Parameterized Job Summary"));
    context.console.print(table({{"Pending", "Running", "Dead"},
                                 {std::to_string(counts.pending), std::to_string(counts.running),
                                  std::to_string(counts.dead)}}));
    context.console.line("\n" + context.console.paint(Tone::strong, "Dispatched Jobs"));
    std::vector<Row> rows{{"ID", "Status", "Submitted"}};
    for (const JobStub& job : children)
        rows.push_back({job.id, status_text(context.console, job.status),
                        ago(job.submitted, context.world.now())});
    context.console.print(rows.size() > 1 ? table(rows)
                                          : "None yet. Dispatch one: gctl job dispatch ID\n");
}

/// What failed and may be replaced only after its policy's delay; Nomad's words.
void show_delays(const Context& context, const std::vector<EvalView>& evals,
                 const std::vector<AllocStub>& allocs, const JobStatus& command) {
    std::set<std::pair<std::string, std::string>> seen;
    std::vector<Row> rows{{"Task Group", "Eval ID", "Eval Time"}};
    for (const EvalView& eval : evals) {
        if (eval.status != "pending" || !waits_for_time(eval)) continue;
        for (const AllocStub& alloc : allocs)
            if (alloc.follow_up_eval == eval.id && seen.emplace(alloc.group, eval.id).second)
                rows.push_back({alloc.group, command.verbose ? eval.id : short_id(eval.id),
                                when_or_na(eval.wait_until)});
    }
    if (rows.size() == 1) return;
    context.console.line("\n" + context.console.paint(Tone::warn, "Future Rescheduling Attempts"));
    context.console.print(table(rows));
}

/// It waits for room, or is just being looked at again.
bool waits_for_room(const EvalView& eval) {
    return eval.status == "blocked" ||
           (eval.status == "pending" && eval.triggered_by == "queued-allocs");
}

/// While something waits for room, the newest evaluation that failed to place it says why.
void show_evaluations(const Context& context, std::vector<EvalView> evals,
                      const JobStatus& command) {
    std::stable_sort(evals.begin(), evals.end(),
                     [](const EvalView& a, const EvalView& b) { return a.created > b.created; });
    if (command.evals) {
        std::vector<Row> rows{
            {"ID", "Priority", "Triggered By", "Status", "Placement Failures", "Created"}};
        for (const EvalView& eval : evals)
            rows.push_back(
                {command.verbose ? eval.id : short_id(eval.id), std::to_string(eval.priority),
                 eval.triggered_by, status_text(context.console, eval.status),
                 eval.failed.empty() ? "false" : "true", ago(eval.created, context.world.now())});
        context.console.line("\n" + context.console.paint(Tone::strong, "Evaluations"));
        context.console.print(table(rows));
    }
    if (std::none_of(evals.begin(), evals.end(), waits_for_room)) return;
    for (const EvalView& eval : evals) {
        if (eval.status == "canceled" || eval.failed.empty()) continue;
        context.console.line("\n" + context.console.paint(Tone::warn, "Placement Failure"));
        for (const auto& [group, metrics] : eval.failed) {
            context.console.line("Task Group \"" + group + "\":");
            context.console.print(failure_reasons(metrics, "  "));
        }
        return;
    }
}

bool is_over(const std::string& client) {
    return client == "complete" || client == "failed" || client == "lost";
}

void show_allocations(const Context& context, std::vector<AllocStub> allocs, const JobView& job,
                      const JobStatus& command) {
    std::stable_sort(allocs.begin(), allocs.end(),
                     [](const AllocStub& a, const AllocStub& b) { return a.created > b.created; });
    std::vector<Row> rows{{"ID", "Node ID", "Node Name", "Task Group", "Version", "Desired",
                           "Status", "Created", "Modified"}};
    std::size_t hidden = 0;
    for (const AllocStub& alloc : allocs) {
        const bool old = alloc.version < job.version && !job.stop && is_over(alloc.client);
        if (old && !command.all_allocs) {
            ++hidden;
            continue;
        }
        rows.push_back({command.verbose ? alloc.id : short_id(alloc.id),
                        command.verbose ? alloc.node_id : short_id(alloc.node_id), alloc.node_name,
                        alloc.group, std::to_string(alloc.version), alloc.desired,
                        status_text(context.console, alloc.client),
                        ago(alloc.created, context.world.now()),
                        ago(alloc.modified, context.world.now())});
    }
    context.console.line("\n" + context.console.paint(Tone::strong, "Allocations"));
    context.console.print(rows.size() > 1 ? table(rows) : "No allocations placed\n");
    if (hidden > 0)
        context.console.line(context.console.paint(
            Tone::faint, counted(static_cast<std::int64_t>(hidden), "allocation") +
                             " of earlier versions not shown; see them with -all-allocs"));
}

}  // namespace

Result<int> run(const JobStatus& command, const Context& context) {
    const Api api = TRY(context.api());
    if (command.id.empty()) return list_jobs(context, api);
    const std::string id = TRY(resolve_job(api, command.id));
    const std::string purpose = "show job \"" + id + "\"";
    const std::string path = "/v1/job/" + url_encoded(id);
    const Value job = TRY(api.get(purpose, path));
    const Value summary = TRY(api.get(purpose, path + "/summary"));
    const Value evals = TRY(api.get(purpose, path + "/evaluations"));
    const Value allocs = TRY(api.get(purpose, path + "/allocations", {{"all", "true"}}));
    if (context.json)
        return context.print_json(Value{Value::Map{
            {"Job", job}, {"Summary", summary}, {"Evaluations", evals}, {"Allocations", allocs}}});
    const JobView view = job_of(Json(job));
    show_job(context, view);
    if (view.parameterized) {
        show_children(context, children_of(Json(summary)), TRY(dispatched_jobs(api, id)));
        return 0;
    }
    show_summary(context, Json(summary));
    show_evaluations(context, evals_of(Json(evals)), command);
    show_delays(context, evals_of(Json(evals)), allocs_of(Json(allocs)), command);
    show_allocations(context, allocs_of(Json(allocs)), view, command);
    return 0;
}

}  // namespace gaggle::cli
