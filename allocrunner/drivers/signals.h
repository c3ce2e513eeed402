// Names of signals, as job files write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gaggle::allocrunner {

/// Linux's number of "SIGTERM" and its like; nothing for an unknown name. "SIGNULL" is not one: a
/// task cannot be stopped by it.
std::optional<std::int64_t> signal_number(std::string_view name);

}  // namespace gaggle::allocrunner
