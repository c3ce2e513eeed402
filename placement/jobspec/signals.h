// Names of signals, as job files write them: the one list for who validates and for who sends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle {

/// Linux's number of "SIGTERM" and its like; nothing for an unknown name. Nomad's "SIGNULL" is not
/// one: a task cannot be stopped by it.
std::optional<std::int64_t> signal_number(std::string_view name);

/// All that signal_number knows, sorted.
std::vector<std::string> signal_names();

}  // namespace gaggle
