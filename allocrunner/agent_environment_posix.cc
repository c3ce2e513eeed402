#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "allocrunner/agent_environment.h"

extern char** environ;

namespace gaggle::allocrunner {

std::map<std::string, std::string> environment_for_tasks() {
    // Nomad's default denylist, and what is ours.
    constexpr std::string_view kDenied[] = {
        "CONSUL_TOKEN",          "CONSUL_HTTP_TOKEN", "VAULT_TOKEN",
        "NOMAD_LICENSE",         "NOMAD_TOKEN",       "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"};
    constexpr std::string_view kOurs[] = {"GAGGLE_", "GCTL_", "NOMAD_"};
    std::map<std::string, std::string> out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view line = *entry;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0) continue;
        const std::string_view name = line.substr(0, equals);
        const bool denied =
            std::find(std::begin(kDenied), std::end(kDenied), name) != std::end(kDenied) ||
            std::any_of(std::begin(kOurs), std::end(kOurs),
                        [&](std::string_view prefix) { return name.starts_with(prefix); });
        if (!denied) out.emplace(name, line.substr(equals + 1));
    }
    return out;
}

}  // namespace gaggle::allocrunner
