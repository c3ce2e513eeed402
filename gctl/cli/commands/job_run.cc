#include "gctl/cli/commands.h"
#include "gctl/cli/job_file.h"
#include "gctl/cli/model.h"
#include "gctl/cli/monitor.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

void show_warnings(const Context& context, const std::string& warnings) {
    if (warnings.empty()) return;
    context.console.note(context.console.paint(Tone::warn, "Job Warnings:"));
    context.console.note(warnings + "\n");
}

const char* yes_or_no(bool flag) { return flag ? "true" : "false"; }

/// Whoever typed the beginning of an id may have meant another job. True: go on.
Result<bool> confirm_stop(const JobStop& command, const std::string& id, const Context& context) {
    if (command.yes || command.id == id) return true;
    if (!context.world.ask)
        return Error{Errc::invalid, "stop job \"" + id + "\": \"" + command.id +
                                        "\" is only the beginning of its id, and there is no "
                                        "terminal to ask on; give the whole id, or --yes"};
    const std::string answer =
        context.world.ask("Are you sure you want to stop job \"" + id + "\"? [y/N] ");
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

Result<int> run(const JobRun& command, const Context& context) {
    const Job job = TRY(valid_job(command.file, context));
    Value::Map request{{"Job", TRY(value_from_json(job_to_api_json(job)))}};
    if (command.output) return context.print_json(Value{request});
    if (command.check_index) {
        request["EnforceIndex"] = Value{true};
        request["JobModifyIndex"] = Value{static_cast<std::int64_t>(*command.check_index)};
    }
    const Api api = TRY(context.api());
    const Value answer =
        TRY(api.put("run job \"" + job.id + "\"", "/v1/jobs", value_to_json(Value{request})));
    if (context.json) return context.print_json(answer);
    const RegisterView registered = registered_of(Json(answer));
    show_warnings(context, registered.warnings);
    if (registered.eval_id.empty()) {
        context.console.line("Job registration successful");
        return 0;
    }
    if (command.detach) {
        context.console.line("Job registration successful");
        context.console.line("Evaluation ID: " + registered.eval_id);
        return 0;
    }
    return Monitor(context, api, command.verbose).watch(registered.eval_id);
}

Result<int> run(const JobStop& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_job(api, command.id));
    if (!TRY(confirm_stop(command, id, context))) {
        context.console.note("Nothing was stopped");
        return 0;
    }
    const Query query{{"no_shutdown_delay", yes_or_no(command.no_shutdown_delay)},
                      {"purge", yes_or_no(command.purge)}};
    const Value answer =
        TRY(api.remove("stop job \"" + id + "\"", "/v1/job/" + url_encoded(id), query));
    if (context.json) return context.print_json(answer);
    const std::string eval_id = registered_of(Json(answer)).eval_id;
    if (eval_id.empty()) {
        context.console.line("Job \"" + id + "\" is stopped; nothing of it was running");
        return 0;
    }
    if (command.detach) {
        context.console.line(eval_id);
        return 0;
    }
    return Monitor(context, api, command.verbose).watch_decision(eval_id);
}

Result<int> run(const JobInspect& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_job(api, command.id));
    const Value job = TRY(api.get("inspect job \"" + id + "\"", "/v1/job/" + url_encoded(id)));
    return context.print_json(Value{Value::Map{{"Job", job}}});
}

}  // namespace gaggle::cli
