#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include "allocrunner/drivers/process_usage.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kProcessesMax = 10'000;  // of one task

/// Fields of /proc/<pid>/stat (proc(5)), times in clock ticks.
struct Stat {
    int parent = 0;
    unsigned long user = 0, system = 0;
    long user_of_children = 0, system_of_children = 0;  ///< of those that were waited for
    long pages = 0;
};

std::optional<Stat> stat_of(std::int64_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "re"), fclose);
    char line[1024];
    if (!file || fgets(line, sizeof line, file.get()) == nullptr) return std::nullopt;
    const char* after_name = strrchr(line, ')');  // the name itself may hold anything
    Stat out;
    const int got = after_name == nullptr
                        ? 0
                        : sscanf(after_name + 1,
                                 " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d "
                                 "%*d %*d %*d %*u %*u %ld",
                                 &out.parent, &out.user, &out.system, &out.user_of_children,
                                 &out.system_of_children, &out.pages);
    return got == 6 ? std::optional(out) : std::nullopt;
}

/// Children are listed by the thread that made them.
std::vector<std::int64_t> children_of(std::int64_t pid) {
    std::vector<std::int64_t> out;
    const std::string threads = "/proc/" + std::to_string(pid) + "/task";
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(threads.c_str()), closedir);
    for (const dirent* entry = dir ? readdir(dir.get()) : nullptr; entry != nullptr;
         entry = readdir(dir.get())) {
        if (entry->d_name[0] == '.') continue;
        const std::string path = threads + "/" + entry->d_name + "/children";
        const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "re"), fclose);
        long child = 0;
        while (file && fscanf(file.get(), "%ld", &child) == 1) out.push_back(child);
    }
    return out;
}

class Sum {
  public:
    void add(const Stat& stat, bool only_children) {
        user_ += static_cast<std::uint64_t>(stat.user_of_children);
        system_ += static_cast<std::uint64_t>(stat.system_of_children);
        if (only_children) return;
        user_ += stat.user;
        system_ += stat.system;
        pages_ += static_cast<std::uint64_t>(stat.pages);
        ++processes_;
    }
    TaskUsage usage() const {
        const auto tick = static_cast<std::uint64_t>(1'000'000'000 / sysconf(_SC_CLK_TCK));
        TaskUsage out;
        out.user_nanoseconds = user_ * tick;
        out.system_nanoseconds = system_ * tick;
        out.rss = out.used = pages_ * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
        out.processes = processes_;
        return out;
    }

  private:
    std::uint64_t user_ = 0;
    std::uint64_t system_ = 0;
    std::uint64_t pages_ = 0;
    std::uint64_t processes_ = 0;
};

}  // namespace

Result<TaskUsage> usage_of_processes(std::int64_t first) {
    const auto task = first > 1 ? stat_of(first) : std::nullopt;
    if (!task)
        return {Errc::not_found, "measure process " + std::to_string(first) + ": it is gone"};
    Sum sum;
    // The supervisor itself is not the task, but it inherits the task's orphans.
    if (const auto supervisor = stat_of(task->parent); supervisor && task->parent > 1)
        sum.add(*supervisor, true);
    std::vector<std::int64_t> todo =
        task->parent > 1 ? children_of(task->parent) : std::vector{first};
    if (todo.empty()) todo = {first};  // a kernel that does not list children
    std::set<std::int64_t> seen;
    while (!todo.empty() && seen.size() < kProcessesMax) {
        const std::int64_t pid = todo.back();
        todo.pop_back();
        if (!seen.insert(pid).second) continue;
        if (const auto stat = stat_of(pid)) sum.add(*stat, false);
        for (const std::int64_t child : children_of(pid)) todo.push_back(child);
    }
    return sum.usage();
}

}  // namespace gaggle::allocrunner
