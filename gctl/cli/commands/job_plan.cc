#include "gctl/cli/commands.h"
#include "gctl/cli/job_file.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "gctl/cli/render_diff.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

void show_dry_run(const Context& context, const PlanView& plan) {
    Console& console = context.console;
    console.line(console.paint(Tone::strong, "Scheduler dry-run:"));
    if (plan.failed.empty()) {
        console.line(console.paint(Tone::good, "- All tasks successfully allocated."));
    } else {
        console.line(console.paint(Tone::warn, "- WARNING: Failed to place all allocations."));
        for (const auto& [group, metrics] : plan.failed) {
            console.line("  Task Group \"" + group + "\" (failed to place " +
                         counted(metrics.coalesced + 1, "allocation") + "):");
            console.print(failure_reasons(metrics, "    "));
        }
    }
    for (const auto& [group, counts] : plan.updates) {
        const auto say = [&](std::int64_t count, const std::string& what) {
            if (count > 0)
                console.line("- " + group + ": " + counted(count, "allocation") + " " + what);
        };
        say(counts.place, "created");
        say(counts.destructive, "replaced");
        say(counts.in_place, "updated in place");
        say(counts.migrate, "moved");
        say(counts.stop, "stopped");
        say(counts.ignore, "unchanged");
    }
    for (const PlanPlacement& one : plan.placements)
        console.line("- " + one.name + " would run on " +
                     (one.node_name.empty() ? short_id(one.node_id)
                                            : one.node_name + " (" + short_id(one.node_id) + ")"));
    console.line();
}

}  // namespace

Result<int> run(const JobPlan& command, const Context& context) {
    const Job job = TRY(valid_job(command.file, context));
    const Value request{Value::Map{{"Job", TRY(value_from_json(job_to_api_json(job)))},
                                   {"Diff", Value{true}},
                                   {"PolicyOverride", Value{false}}}};
    const Api api = TRY(context.api());
    const Value answer =
        TRY(api.put("plan job \"" + job.id + "\"", "/v1/job/" + url_encoded(job.id) + "/plan",
                    value_to_json(request)));
    const PlanView plan = plan_of(Json(answer));
    const int code = changes_allocations(plan) ? 1 : 0;
    if (context.json) {
        context.print_json(answer);
        return code;
    }
    Console& console = context.console;
    if (command.diff) {
        console.print(diff_text(console, plan.diff, command.verbose));
        console.line();
    }
    show_dry_run(context, plan);
    if (!plan.warnings.empty()) {
        console.line(console.paint(Tone::warn, "Job Warnings:"));
        console.line(plan.warnings);
        console.line();
    }
    const std::string index = std::to_string(plan.job_modify_index);
    console.line("Job Modify Index: " + index);
    console.line("To submit the job only if nobody changes it meanwhile, run:\n");
    console.line("gctl job run -check-index " + index + " " + command.file.path);
    return code;
}

}  // namespace gaggle::cli
