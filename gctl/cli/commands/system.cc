#include "gctl/cli/commands.h"

namespace gaggle::cli {

/// Nothing is printed when all went well, as with Nomad.
Result<int> run(const SystemGc&, const Context& context) {
    const Api api = TRY(context.api());
    const Value answer = TRY(api.put("collect what is finished", "/v1/system/gc", ""));
    if (context.json) return context.print_json(answer);
    return 0;
}

}  // namespace gaggle::cli
