// What the checks of an allocation's services said last, as a table for people.
#pragma once

#include <string>
#include <vector>

#include "gctl/cli/console.h"
#include "gctl/cli/json.h"

namespace gaggle::cli {

struct CheckView {
    std::string service, task, name, mode, status, output;
    std::int64_t code = 0;     ///< of an HTTP answer; 0: there is none
    std::int64_t checked = 0;  ///< seconds since 1970; 0: never
};

/// Of /v1/client/allocation/:id/checks, by service, task and name.
std::vector<CheckView> checks_of(const Json& json);
/// Of a job's JSON: whether a service of this group, or of one of its tasks, has a check.
bool has_checks(const Json& job, const std::string& group);

/// One line for each; of what a check wrote, the beginning on one line.
std::string check_table(const Console& console, const std::vector<CheckView>& checks);

}  // namespace gaggle::cli
