#include "gctl/cli/usage.h"

#include <array>
#include <cstdio>

#include "base/time.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

std::string percent_text(double percent) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f%%", percent);
    return text.data();
}

std::string mhz_text(double mhz) { return std::to_string(static_cast<std::int64_t>(mhz)) + " MHz"; }

TaskUse use_of(const Json& usage) {
    const Json cpu = usage["CpuStats"];
    const Json memory = usage["MemoryStats"];
    return {.percent = cpu["Percent"].real(),
            .user = cpu["UserMode"].real(),
            .system = cpu["SystemMode"].real(),
            .mhz = cpu["TotalTicks"].real(),
            .throttled_periods = cpu["ThrottledPeriods"].whole(),
            .throttled_ns = cpu["ThrottledTime"].whole(),
            .rss = memory["RSS"].whole(),
            .cache = memory["Cache"].whole(),
            .swap = memory["Swap"].whole(),
            .used = memory["Usage"].whole(),
            .used_max = memory["MaxUsage"].whole()};
}

Row disk_row(const Json& disk) {
    return {disk["Device"].text(),
            disk["Mountpoint"].text(),
            human_bytes(disk["Size"].whole()),
            human_bytes(disk["Used"].whole()),
            human_bytes(disk["Available"].whole()),
            percent_text(disk["UsedPercent"].real()),
            percent_text(disk["InodesUsedPercent"].real())};
}

}  // namespace

AllocUse alloc_use_of(const Json& json) {
    AllocUse out;
    for (const auto& [name, task] : json["Tasks"].fields())
        out.tasks[name] = use_of(task["ResourceUsage"]);
    if (!json["DiskSize"].is_null()) out.disk = json["DiskSize"].whole();
    return out;
}

std::string use_tables(const TaskUse& use) {
    return "Memory Stats\n" +
           table({{"RSS", "Cache", "Swap", "Usage", "Max Usage"},
                  {human_bytes(use.rss), human_bytes(use.cache), human_bytes(use.swap),
                   human_bytes(use.used), human_bytes(use.used_max)}}) +
           "\nCPU Stats\n" +
           table({{"Percent", "User", "System", "Ticks", "Throttled Periods", "Throttled Time"},
                  {percent_text(use.percent), percent_text(use.user), percent_text(use.system),
                   mhz_text(use.mhz), std::to_string(use.throttled_periods),
                   for_people(std::chrono::duration_cast<Duration>(
                       std::chrono::nanoseconds(use.throttled_ns)))}});
}

std::string host_tables(const Json& json) {
    std::vector<Row> cores{{"CPU", "User", "System", "Idle"}};
    for (const Json& core : json["CPU"].items())
        cores.push_back({core["CPU"].text(), percent_text(core["User"].real()),
                         percent_text(core["System"].real()), percent_text(core["Idle"].real())});
    const Json memory = json["Memory"];
    std::vector<Row> disks{
        {"Device", "Mounted At", "Size", "Used", "Available", "Used %", "Inodes Used"}};
    for (const Json& disk : json["DiskStats"].items()) disks.push_back(disk_row(disk));
    disks.push_back(disk_row(json["AllocDirStats"]));
    return "CPU Stats\n" + table(cores) + "\nMemory Stats\n" +
           table({{"Total", "Available", "Used", "Free"},
                  {human_bytes(memory["Total"].whole()), human_bytes(memory["Available"].whole()),
                   human_bytes(memory["Used"].whole()), human_bytes(memory["Free"].whole())}}) +
           "\nDisk Stats (the last line: where allocations are)\n" + table(disks);
}

std::vector<std::pair<std::string, std::string>> host_summary(const Json& json) {
    const Json memory = json["Memory"];
    const Json disk = json["AllocDirStats"];
    return {{"CPU used", mhz_text(json["CPUTicksConsumed"].real())},
            {"Memory used",
             human_bytes(memory["Used"].whole()) + " of " + human_bytes(memory["Total"].whole())},
            {"Disk used",
             human_bytes(disk["Used"].whole()) + " of " + human_bytes(disk["Size"].whole()) + " (" +
                 percent_text(disk["UsedPercent"].real()) + " of what tasks can have)"},
            {"Uptime", for_people(std::chrono::seconds(json["Uptime"].whole()))}};
}

}  // namespace gaggle::cli
