#include <linux/landlock.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/small_file.h"
#include "gctl/agent/fingerprint.h"

namespace gaggle::agent {

namespace {

/// 0 when the kernel was built or started without it.
int landlock_version() {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? static_cast<int>(version) : 0;
}

}  // namespace

Result<Readings> read_machine(const std::string& data_dir) {
    Readings out;
    utsname system{};
    if (::uname(&system) != 0)
        return Error{Errc::io, std::string("ask for this machine's name: ") + std::strerror(errno)};
    out.host_name = system.nodename;
    out.kernel = system.sysname;
    out.kernel_release = system.release;
    out.machine = system.machine;
    out.cpu_info = small_file("/proc/cpuinfo");
    out.memory_info = small_file("/proc/meminfo");
    out.os_release = small_file("/etc/os-release");
    out.mount_info = small_file("/proc/self/mountinfo");
    out.boot_id = small_file("/proc/sys/kernel/random/boot_id");
    std::ifstream("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") >> out.max_kilohertz;
    out.landlock = landlock_version();
    struct statvfs disk {};
    if (::statvfs(data_dir.c_str(), &disk) != 0)
        return Error{Errc::io,
                     "ask how large the disk under " + data_dir + " is: " + std::strerror(errno)};
    out.disk_bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
    out.disk_free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    return out;
}

}  // namespace gaggle::agent
