#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace gaggle::log {

namespace {

spdlog::level::level_enum level_of(Level level) {
    switch (level) {
        case Level::trace: return spdlog::level::trace;
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warn: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
        case Level::off: return spdlog::level::off;
    }
    return spdlog::level::info;
}

std::shared_ptr<spdlog::logger>& logger() {
    // Shared because spdlog's own registry wants it so; we keep the only name.
    static std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "gaggle", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%-5l%$ %v");
        made->flush_on(spdlog::level::warn);
        return made;
    }();
    return instance;
}

}  // namespace

void set_level(Level level) { logger()->set_level(level_of(level)); }

bool enabled(Level level) { return logger()->should_log(level_of(level)); }

void write(Level level, std::string_view line) {
    logger()->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace gaggle::log
