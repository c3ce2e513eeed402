#include "gctl/agent/meter.h"

#include <sstream>

namespace gaggle::agent {

namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
    return now > before ? now - before : 0;
}

}  // namespace

node::TaskFigures Meter::task(TimePoint now, const Look& look,
                              const allocrunner::TaskUsage& usage) {
    forget(now);
    TaskLook& last = tasks_[{look.alloc, look.name}];
    if (last.run != look.run || last.at == TimePoint{})
        last = {.run = look.run, .at = now - std::max(look.age, Duration(1ms))};
    last.asked = now;
    if (now - last.at >= kLookMin || last.user == 0) {
        const auto span = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(now - last.at).count());
        last.user_percent = percent(grown(usage.user_nanoseconds, last.user), span);
        last.system_percent = percent(grown(usage.system_nanoseconds, last.system), span);
        last.at = now;
        last.user = usage.user_nanoseconds;
        last.system = usage.system_nanoseconds;
    }
    return {.task = look.name,
            .user_nanoseconds = usage.user_nanoseconds,
            .system_nanoseconds = usage.system_nanoseconds,
            .user_percent = last.user_percent,
            .system_percent = last.system_percent,
            .throttled_periods = usage.throttled_periods,
            .throttled_nanoseconds = usage.throttled_nanoseconds,
            .rss = usage.rss,
            .cache = usage.cache,
            .swap = usage.swap,
            .used = usage.used,
            .used_max = usage.used_max,
            .processes = usage.processes,
            .measured = {}};
}

void Meter::forget(TimePoint now) {
    std::erase_if(tasks_,
                  [&](const auto& one) { return one.second.asked + kLooksForgotten <= now; });
}

Result<std::vector<node::CoreFigures>> Meter::cores(TimePoint now, const std::string& proc_stat) {
    std::istringstream lines(proc_stat);
    const bool renew = now - cores_at_ >= kLookMin || cores_.empty();
    std::vector<node::CoreFigures> out;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (!name.starts_with("cpu") || name == "cpu") continue;
        std::uint64_t user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0,
                      steal = 0;
        words >> user >> nice >> system >> idle;
        if (!words) return Error{Errc::corrupt, "read /proc/stat: no figures in \"" + line + "\""};
        words >> wait >> irq >> soft >> steal;  // old kernels have fewer
        const Ticks ticks{.user = user + nice,
                          .system = system + irq + soft + steal,
                          .idle = idle + wait,
                          .total = user + nice + system + idle + wait + irq + soft + steal};
        const Ticks before = ticks_[name];
        if (renew) {
            const std::uint64_t span = grown(ticks.total, before.total);
            cores_[name] = {.name = name,
                            .user = percent(grown(ticks.user, before.user), span),
                            .system = percent(grown(ticks.system, before.system), span),
                            .idle = percent(grown(ticks.idle, before.idle), span)};
            ticks_[name] = ticks;
        }
        out.push_back(cores_[name]);
    }
    if (out.empty()) return Error{Errc::corrupt, "read /proc/stat: it names no processor"};
    if (renew) cores_at_ = now;
    return out;
}

void read_memory(const std::string& proc_meminfo, node::HostFigures& out) {
    std::istringstream lines(proc_meminfo);
    std::uint64_t buffers = 0;
    std::uint64_t cached = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        std::uint64_t kib = 0;
        words >> name >> kib;
        if (name == "MemTotal:") out.memory_total = kib * 1024;
        if (name == "MemAvailable:") out.memory_available = kib * 1024;
        if (name == "MemFree:") out.memory_free = kib * 1024;
        if (name == "Buffers:") buffers = kib * 1024;
        if (name == "Cached:") cached = kib * 1024;
    }
    const std::uint64_t unused = out.memory_free + buffers + cached;
    out.memory_used = grown(out.memory_total, unused);
}

}  // namespace gaggle::agent
