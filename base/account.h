// A user of this machine, as a task is to become it and to own what it is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace gaggle {

struct Account {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  ///< with the primary one
};

/// By name, or by number ("1000", "1000:1000") for one without a name. Errc::not_found.
Result<Account> account_of(const std::string& user);

/// "1000" or "1000:1000", wherever that is; nothing for all else.
std::optional<Account> numbered_account(const std::string& user);

}  // namespace gaggle
