// Lines for the operator, on standard error.
//
// `log::info("peer {} joined", name)`. The arguments are erased here, so that only log_spdlog.cc
// pays for spdlog's headers. A core may log at debug level; nothing may depend on a line being
// written.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace gaggle::log {

enum class Level { trace, debug, info, warn, error, off };

/// Drops lines below `level`. May be called from any thread. The default is `info`.
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view line);

template <class... Args>
void line(Level level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) write(level, fmt::vformat(format, fmt::make_format_args(args...)));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    line<Args...>(Level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    line<Args...>(Level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
    line<Args...>(Level::warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    line<Args...>(Level::error, format, std::forward<Args>(args)...);
}

}  // namespace gaggle::log
