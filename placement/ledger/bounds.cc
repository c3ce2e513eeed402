#include "placement/ledger/bounds.h"

#include <algorithm>
#include <limits>
#include <set>

namespace gaggle::ledger {

namespace {

bool reasonable(std::int64_t value) { return value >= 0 && value <= kAmountMax; }
bool countable(std::int64_t cores) { return cores >= 0 && cores <= kCoresMax; }

std::optional<std::string> unbookable(const TaskGroup& group) {
    const std::string name = "group \"" + group.name + "\"";
    if (group.name.empty()) return "a group has no name";
    if (group.count < 0 || group.count > kCountMax)
        return name + ": count " + std::to_string(group.count) + " is not between 0 and " +
               std::to_string(kCountMax);
    if (group.tasks.empty() || group.tasks.size() > kTasksMax)
        return name + ": no tasks, or more than " + std::to_string(kTasksMax);
    if (!reasonable(group.disk.size.value)) return name + ": ephemeral_disk.size is out of range";
    for (const Task& task : group.tasks)
        if (!reasonable(task.resources.cpu.value) || !reasonable(task.resources.memory.value) ||
            !countable(task.resources.cores) || !reasonable(task.resources.secrets.value))
            return name + ": cpu, cores, memory or secrets of task \"" + task.name +
                   "\" is out of range";
    return std::nullopt;
}

}  // namespace

bool reasonable(const Amounts& amounts) {
    return reasonable(amounts.cpu.value) && reasonable(amounts.memory.value) &&
           reasonable(amounts.disk.value) && countable(amounts.cores);
}

std::optional<std::string> unbookable(const Job& job) {
    if (job.id.empty()) return "the job has no id";
    if (job.groups.empty()) return "the job has no groups";
    std::set<std::string> names;
    for (const TaskGroup& group : job.groups) {
        if (auto why = unbookable(group)) return why;
        if (!names.insert(group.name).second) return "group \"" + group.name + "\" occurs twice";
    }
    return std::nullopt;
}

LogTime later(LogTime from, Duration span) {
    const Duration wanted = std::clamp(span, Duration::zero(), kSpanMax);
    return from > LogTime::max() - wanted ? LogTime::max() : from + wanted;
}

WallTime later(WallTime from, Duration span) {
    const std::int64_t wanted =
        std::chrono::nanoseconds(std::clamp(span, Duration::zero(), kSpanMax)).count();
    constexpr std::int64_t end = std::numeric_limits<std::int64_t>::max();
    return {from.nanoseconds > end - wanted ? end : from.nanoseconds + wanted};
}

}  // namespace gaggle::ledger
