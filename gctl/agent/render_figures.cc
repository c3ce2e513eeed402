#include "gctl/agent/render_figures.h"

#include <algorithm>

#include "allocrunner/disk_use.h"

namespace gaggle {

namespace {

List names(std::initializer_list<const char*> words) {
    List out;
    for (const char* word : words) out.push_back(val(word));
    return out;
}

Value render_usage(const node::TaskFigures& figures, double mhz_per_core) {
    const double percent = figures.user_percent + figures.system_percent;
    Object cpu{{"UserMode", val(figures.user_percent)},
               {"SystemMode", val(figures.system_percent)},
               {"Percent", val(percent)},
               {"TotalTicks", val(percent / 100 * mhz_per_core)},
               {"ThrottledPeriods", val(figures.throttled_periods)},
               {"ThrottledTime", val(figures.throttled_nanoseconds)},
               {"Measured", val(names({"System Mode", "User Mode", "Percent"}))}};
    Object memory{{"RSS", val(figures.rss)},
                  {"Cache", val(figures.cache)},
                  {"Swap", val(figures.swap)},
                  {"Usage", val(figures.used)},
                  {"MaxUsage", val(figures.used_max)},
                  {"MappedFile", val(0)},
                  {"KernelUsage", val(0)},
                  {"KernelMaxUsage", val(0)},
                  {"Measured", val(names({"RSS", "Cache", "Swap", "Usage", "Max Usage"}))}};
    return val(Object{{"CpuStats", val(std::move(cpu))},
                      {"MemoryStats", val(std::move(memory))},
                      {"DeviceStats", null()}});
}

node::TaskFigures sum_of(const std::vector<node::TaskFigures>& tasks) {
    node::TaskFigures sum;
    for (const node::TaskFigures& task : tasks) {
        sum.user_percent += task.user_percent;
        sum.system_percent += task.system_percent;
        sum.throttled_periods += task.throttled_periods;
        sum.throttled_nanoseconds += task.throttled_nanoseconds;
        sum.rss += task.rss;
        sum.cache += task.cache;
        sum.swap += task.swap;
        sum.used += task.used;
        sum.used_max += task.used_max;
    }
    return sum;
}

Value render_disk(const node::DiskFigures& disk) {
    const double used = allocrunner::full_percent(disk.used, disk.available);
    return val(Object{{"Device", val(disk.device)},
                      {"Mountpoint", val(disk.mount_point)},
                      {"Size", val(disk.size)},
                      {"Used", val(disk.used)},
                      {"Available", val(disk.available)},
                      {"UsedPercent", val(used)},
                      {"InodesUsedPercent", val(disk.inodes_percent)}});
}

}  // namespace

Value render_alloc_figures(const node::AllocFigures& figures) {
    Object tasks;
    for (const node::TaskFigures& task : figures.tasks)
        tasks[task.task] = val(Object{{"Pids", null()},
                                      {"ResourceUsage", render_usage(task, figures.mhz_per_core)},
                                      {"Timestamp", val(task.measured)}});
    return val(Object{{"ResourceUsage", render_usage(sum_of(figures.tasks), figures.mhz_per_core)},
                      {"Tasks", val(std::move(tasks))},
                      {"DiskSize", figures.disk_known ? val(figures.disk_used) : null()},
                      {"Timestamp", val(figures.measured)}});
}

Value render_host_figures(const node::HostFigures& figures) {
    List cores;
    double busy = 0;
    for (const node::CoreFigures& core : figures.cores) {
        const double total = core.user + core.system;
        busy += total;
        cores.push_back(val(Object{{"CPU", val(core.name)},
                                   {"User", val(core.user)},
                                   {"System", val(core.system)},
                                   {"Idle", val(core.idle)},
                                   {"TotalPercent", val(total)},
                                   {"Total", val(total)}}));
    }
    List disks;
    for (const node::DiskFigures& disk : figures.disks) disks.push_back(render_disk(disk));
    Object memory{{"Total", val(figures.memory_total)},
                  {"Available", val(figures.memory_available)},
                  {"Used", val(figures.memory_used)},
                  {"Free", val(figures.memory_free)}};
    return val(Object{{"Memory", val(std::move(memory))},
                      {"CPU", val(std::move(cores))},
                      {"CPUTicksConsumed", val(busy / 100 * figures.mhz_per_core)},
                      {"DiskStats", val(std::move(disks))},
                      {"AllocDirStats", render_disk(figures.alloc_disk)},
                      {"DeviceStats", val(List{})},
                      {"Uptime", val(figures.uptime_seconds)},
                      {"Timestamp", val(figures.measured)}});
}

}  // namespace gaggle
