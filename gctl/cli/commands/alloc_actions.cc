#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/monitor.h"
#include "gctl/cli/render.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

/// Asks the peer that runs it; says nothing when that has obeyed, as Nomad does.
Result<int> act(const Context& context, const std::string& what, const std::string& typed_id,
                const std::string& action, Value::Map request) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_alloc(api, typed_id));
    const Value answer =
        TRY(api.put(what + " allocation " + short_id(id), "/v1/client/allocation/" + id + action,
                    value_to_json(Value{std::move(request)})));
    return context.json ? context.print_json(answer) : Result<int>(0);
}

}  // namespace

Result<int> run(const AllocRestart& command, const Context& context) {
    return act(context, "restart", command.id, "/restart",
               {{"TaskName", Value{command.task}}, {"AllTasks", Value{command.all_tasks}}});
}

Result<int> run(const AllocSignal& command, const Context& context) {
    return act(context, "signal", command.id, "/signal",
               {{"Task", Value{command.task}}, {"Signal", Value{command.signal}}});
}

Result<int> run(const AllocStop& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_alloc(api, command.id));
    const Query query{{"no_shutdown_delay", command.no_shutdown_delay ? "true" : "false"}};
    const Value answer = TRY(
        api.put("stop allocation " + short_id(id), "/v1/allocation/" + id + "/stop", "{}", query));
    if (context.json) return context.print_json(answer);
    const std::string eval_id = registered_of(Json(answer)).eval_id;
    if (command.detach) {
        context.console.line(eval_id);
        return 0;
    }
    return Monitor(context, api, command.verbose).watch(eval_id);
}

}  // namespace gaggle::cli
