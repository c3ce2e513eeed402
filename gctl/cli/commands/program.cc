#include "gctl/cli/commands.h"

namespace gaggle::cli {

Result<int> run(const Version&, const Context& context) {
    if (context.json)
        return context.print_json(Value{Value::Map{{"Version", Value{GAGGLE_VERSION}}}});
    context.console.line("gctl v" GAGGLE_VERSION);
    return 0;
}

Result<int> run(const Completion& command, const Context& context) {
    context.console.print(command.script);
    return 0;
}

}  // namespace gaggle::cli
