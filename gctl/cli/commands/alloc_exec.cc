#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

Result<int> run(const AllocExec& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string alloc = TRY(alloc_to_ask(api, {command.id, command.by_job, command.task}));
    Value::List words;
    for (const std::string& word : command.argv) words.push_back(Value{word});
    const bool terminal =
        command.terminal.value_or(context.world.terminal && static_cast<bool>(context.world.ask));
    const Query query{{"task", command.task},
                      {"tty", terminal ? "true" : "false"},
                      {"command", value_to_json(Value{std::move(words)})}};
    const bool escapes = terminal && command.escape != "none" && !command.escape.empty();
    const ExecStyle style{.input = command.input,
                          .terminal = terminal,
                          .escape = escapes ? std::optional(command.escape[0]) : std::nullopt,
                          .out = [&](std::string_view text) { context.console.print(text); },
                          .err = [&](std::string_view text) { context.console.print_error(text); }};
    return api.exec("run " + command.argv.front() + " in allocation " + short_id(alloc),
                    "/v1/client/allocation/" + alloc + "/exec", query, style);
}

}  // namespace gaggle::cli
