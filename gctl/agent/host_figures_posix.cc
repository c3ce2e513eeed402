#include <mntent.h>
#include <sys/statvfs.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>

#include "allocrunner/disk_use.h"
#include "base/small_file.h"
#include "gctl/agent/host_figures.h"

namespace gaggle::agent {

namespace {

constexpr std::size_t kDisksMax = 64;

Result<node::DiskFigures> disk_of(const std::string& device, const std::string& mount_point) {
    struct statvfs about {};
    if (::statvfs(mount_point.c_str(), &about) != 0)
        return {Errc::io,
                "ask how full the disk at " + mount_point + " is: " + std::strerror(errno)};
    const auto block = static_cast<std::uint64_t>(about.f_frsize);
    return node::DiskFigures{
        .device = device,
        .mount_point = mount_point,
        .size = about.f_blocks * block,
        .used = (about.f_blocks - about.f_bfree) * block,
        .available = about.f_bavail * block,
        .inodes_percent = allocrunner::full_percent(about.f_files - about.f_ffree, about.f_ffree)};
}

/// Each device that is mounted, once; and of which `path` lies on.
std::vector<node::DiskFigures> disks(const std::string& path, node::DiskFigures& under) {
    std::vector<node::DiskFigures> out;
    std::set<std::string> seen;
    std::size_t longest = 0;
    const std::unique_ptr<FILE, int (*)(FILE*)> table(::setmntent("/proc/self/mounts", "re"),
                                                      ::endmntent);
    for (const mntent* entry = table ? ::getmntent(table.get()) : nullptr; entry != nullptr;
         entry = ::getmntent(table.get())) {
        const std::string place = entry->mnt_dir;
        const std::string slashed = place == "/" ? place : place + "/";
        if (path.starts_with(slashed) && slashed.size() >= longest) {
            longest = slashed.size();
            under.device = entry->mnt_fsname;
            under.mount_point = place;
        }
        const std::string device = entry->mnt_fsname;
        const bool real = device.starts_with("/dev/") && !device.starts_with("/dev/loop");
        if (!real || out.size() >= kDisksMax || !seen.insert(device).second) continue;
        if (auto disk = disk_of(device, place)) out.push_back(std::move(*disk));
    }
    return out;
}

}  // namespace

double mhz_per_core() {
    std::uint64_t kilohertz = 0;
    std::ifstream("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") >> kilohertz;
    if (kilohertz > 0) return static_cast<double>(kilohertz) / 1000;
    const std::string info = small_file("/proc/cpuinfo");
    const auto at = info.find("cpu MHz");
    const auto colon = at == std::string::npos ? at : info.find(':', at);
    return colon == std::string::npos ? 0 : std::strtod(info.c_str() + colon + 1, nullptr);
}

Result<node::HostFigures> read_host(Meter& meter, TimePoint now, const std::string& alloc_root) {
    node::HostFigures out;
    out.cores = TRY(meter.cores(now, small_file("/proc/stat")));
    out.mhz_per_core = mhz_per_core();
    read_memory(small_file("/proc/meminfo"), out);
    node::DiskFigures under;
    out.disks = disks(alloc_root + "/", under);
    out.alloc_disk = TRY(disk_of(under.device, alloc_root));
    out.alloc_disk.mount_point = under.mount_point;
    std::ifstream("/proc/uptime") >> out.uptime_seconds;
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    out.measured = {wall.tv_sec * 1'000'000'000LL + wall.tv_nsec};
    return out;
}

}  // namespace gaggle::agent
