#include "gctl/cli/checks.h"
#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

Result<int> run(const AllocChecks& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_alloc(api, command.id));
    const Value answer = TRY(api.get("list the checks of allocation " + short_id(id),
                                     "/v1/client/allocation/" + id + "/checks"));
    if (context.json) return context.print_json(answer);
    const std::vector<CheckView> checks = checks_of(Json(answer));
    if (checks.empty())
        context.console.line("The services of allocation " + short_id(id) + " have no checks");
    else
        context.console.print(check_table(context.console, checks));
    return 0;
}

}  // namespace gaggle::cli
