#include "gctl/cli/context.h"

#include "gctl/agent/token_file.h"

namespace gaggle::cli {

Result<Api> Context::api() const {
    std::string address = connect.address;
    if (address.empty()) address = world.variable({"GCTL_ADDR", "NOMAD_ADDR"});
    const HttpAddress where = address.empty() ? HttpAddress{} : TRY(parse_address(address));
    std::string token = connect.token;
    std::string hint;
    if (token.empty() && !connect.token_file.empty())
        token = TRY(read_token_file(connect.token_file));
    if (token.empty()) token = world.variable({"GCTL_TOKEN", "NOMAD_TOKEN"});
    if (token.empty()) {
        const auto found = find_token(where.host, where.port);
        if (found.ok())
            token = *found;
        else
            hint = found.error().detail;
    }
    const std::string name_space =
        connect.name_space.empty() ? world.variable({"NOMAD_NAMESPACE"}) : connect.name_space;
    return Api(HttpClient(where, token), hint, name_space);
}

int Context::print_json(const Value& value) const {
    console.print(pretty(value));
    return 0;
}

}  // namespace gaggle::cli
