// A user of this machine, as a task is to become it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace gaggle::allocrunner {

struct Account {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  ///< with the primary one
};

/// By name, or by number ("1000", "1000:1000") for one without a name. Errc::not_found.
Result<Account> account_of(const std::string& user);

/// What a task writes to belongs to its user: its directory, and local, tmp and secrets in it.
void give_to(const Account& account, const std::string& task_dir);

}  // namespace gaggle::allocrunner
