#include <algorithm>

#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "gctl/cli/tail.h"

namespace gaggle::cli {

namespace {

Result<std::string> task_of(const AllocView& alloc, const std::string& wanted) {
    std::vector<std::string> names;
    for (const TaskView& task : alloc.tasks) names.push_back(task.name);
    const std::string of = "read logs of allocation " + short_id(alloc.stub.id);
    const std::string known = names.empty() ? "none yet" : joined(names, ", ");
    if (wanted.empty() && names.size() == 1) return names[0];
    if (wanted.empty()) return Error{Errc::invalid, of + ": say which task; it has: " + known};
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
    return Error{Errc::not_found, of + ": it has no task \"" + wanted + "\"; it has: " + known};
}

}  // namespace

Result<int> run(const AllocLogs& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_alloc(api, command.id));
    const std::string purpose = "read logs of allocation " + short_id(id);
    const Value alloc = TRY(api.get(purpose, "/v1/allocation/" + id));
    const std::string task = TRY(task_of(alloc_of(Json(alloc)), command.task));
    const std::size_t bytes = command.lines ? Tail::bytes_for(*command.lines) : 0;
    const Query query{{"task", task},
                      {"type", command.error_stream ? "stderr" : "stdout"},
                      {"follow", command.follow ? "true" : "false"},
                      {"origin", command.lines ? "end" : "start"},
                      {"offset", std::to_string(bytes)},
                      {"plain", context.json ? "false" : "true"}};
    std::optional<Tail> tail;
    if (command.lines && !context.json) tail.emplace(*command.lines, command.follow);
    const auto piece = [&](std::string_view text) {
        context.console.print(tail ? tail->take(text) : std::string(text));
        return true;
    };
    TRY(api.follow(purpose, "/v1/client/fs/logs/" + id, query, piece));
    if (tail) context.console.print(tail->rest());
    return 0;
}

}  // namespace gaggle::cli
