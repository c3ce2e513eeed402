#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "gctl/agent/fingerprint.h"

namespace gaggle::agent {

namespace {

/// Empty when it cannot be read: what the file would have told is then left out.
std::string text_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
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
    out.cpu_info = text_of("/proc/cpuinfo");
    out.memory_info = text_of("/proc/meminfo");
    out.os_release = text_of("/etc/os-release");
    out.mount_info = text_of("/proc/self/mountinfo");
    out.boot_id = text_of("/proc/sys/kernel/random/boot_id");
    std::ifstream("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") >> out.max_kilohertz;
    struct statvfs disk {};
    if (::statvfs(data_dir.c_str(), &disk) != 0)
        return Error{Errc::io,
                     "ask how large the disk under " + data_dir + " is: " + std::strerror(errno)};
    out.disk_bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
    out.disk_free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    return out;
}

}  // namespace gaggle::agent
