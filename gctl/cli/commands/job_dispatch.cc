#include "base/bytes.h"
#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/monitor.h"
#include "gctl/cli/render.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

/// Nomad's DispatchRequest.
Result<Value> request_of(const JobDispatch& command, const Context& context) {
    Value::Map meta;
    for (const std::string& pair : command.meta) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            return Error{Errc::invalid, "dispatch job \"" + command.id + "\": --meta \"" + pair +
                                            "\" is not key=value"};
        meta[pair.substr(0, equals)] = Value{pair.substr(equals + 1)};
    }
    std::string payload;
    if (!command.payload_file.empty()) payload = TRY(context.world.read_file(command.payload_file));
    return Value{Value::Map{{"Payload", Value{to_base64(as_bytes(payload))}},
                            {"Meta", Value{std::move(meta)}},
                            {"IdPrefixTemplate", Value{command.id_prefix}}}};
}

}  // namespace

Result<int> run(const JobDispatch& command, const Context& context) {
    const Value request = TRY(request_of(command, context));
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_job(api, command.id));
    const Value answer =
        TRY(api.put("dispatch job \"" + id + "\"", "/v1/job/" + url_encoded(id) + "/dispatch",
                    value_to_json(request)));
    if (context.json) return context.print_json(answer);
    const std::string eval_id = Json(answer)["EvalID"].text();
    context.console.print(
        field_list({{"Dispatched Job ID", Json(answer)["DispatchedJobID"].text()},
                    {"Evaluation ID", command.verbose ? eval_id : short_id(eval_id)}}));
    if (command.detach) return 0;
    context.console.line("");
    return Monitor(context, api, command.verbose).watch(eval_id);
}

}  // namespace gaggle::cli
