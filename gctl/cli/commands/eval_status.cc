#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/monitor.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

void show_failures(const Context& context, const EvalView& eval) {
    if (eval.failed.empty()) return;
    context.console.line("\n" + context.console.paint(Tone::warn, "Failed Placements"));
    for (const auto& [group, metrics] : eval.failed) {
        context.console.line("Task Group \"" + group + "\" (failed to place " +
                             counted(metrics.coalesced + 1, "allocation") + "):");
        context.console.print(failure_reasons(metrics, "  "));
    }
    if (!eval.blocked_eval.empty())
        context.console.line("\nEvaluation \"" + short_id(eval.blocked_eval) +
                             "\" waiting for additional capacity to place remainder");
}

}  // namespace

Result<int> run(const EvalStatus& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_eval(api, command.id));
    if (command.monitor) return Monitor(context, api, command.verbose).watch(id);
    const Value answer = TRY(api.get("show evaluation " + short_id(id), "/v1/evaluation/" + id));
    if (context.json) return context.print_json(answer);
    const EvalView eval = eval_of(Json(answer));
    const auto shown = [&](const std::string& one) {
        return command.verbose ? one : short_id(one);
    };
    std::vector<std::pair<std::string, std::string>> fields{
        {"ID", shown(eval.id)},
        {"Create Time", ago(eval.created, context.world.now())},
        {"Modify Time", ago(eval.modified, context.world.now())},
        {"Status", status_text(context.console, eval.status)},
        {"Status Description", eval.description.empty() ? eval.status : eval.description},
        {"Type", eval.type},
        {"TriggeredBy", eval.triggered_by},
        {"Job ID", eval.job_id},
        {"Priority", std::to_string(eval.priority)},
        {"Placement Failures", eval.failed.empty() ? "false" : "true"}};
    if (!eval.node_id.empty()) fields.emplace_back("Node ID", shown(eval.node_id));
    if (!eval.previous_eval.empty())
        fields.emplace_back("Previous Eval", shown(eval.previous_eval));
    if (!eval.next_eval.empty()) fields.emplace_back("Next Eval", shown(eval.next_eval));
    if (!eval.blocked_eval.empty()) fields.emplace_back("Blocked Eval", shown(eval.blocked_eval));
    context.console.print(field_list(fields));
    show_failures(context, eval);
    return 0;
}

}  // namespace gaggle::cli
