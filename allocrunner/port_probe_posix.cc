#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "allocrunner/port_probe.h"
#include "allocrunner/socket_address_posix.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

/// Connections that linger after their server has gone do not count: SO_REUSEADDR. What cannot be
/// tried (an address of another machine, a privileged port) is left to the task.
bool is_taken(const std::string& ip, std::uint16_t port, int type) {
    const auto address = socket_address(ip, port);
    if (!address) return false;
    const UniqueFd fd(::socket(address->family(), type | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (!fd) return false;
    if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return ::bind(fd.get(), address->get(), address->size) != 0 && errno == EADDRINUSE;
}

bool is_loopback(const std::string& ip) { return ip.starts_with("127.") || ip == "::1"; }

/// Inodes of the sockets on a port, by the kernel's tables: "sl local remote st ... inode".
std::set<std::string> sockets_on(std::uint16_t port) {
    std::set<std::string> out;
    for (const char* table : {"tcp", "tcp6", "udp", "udp6"}) {
        std::ifstream file(std::string("/proc/net/") + table);
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::array<std::string, 10> word;
            for (std::string& one : word) words >> one;
            const std::size_t colon = word[1].find(':');
            if (colon == std::string::npos) continue;
            const bool listens = table[0] == 'u' || word[3] == "0A";
            if (listens && std::stoul(word[1].substr(colon + 1), nullptr, 16) == port)
                out.insert("socket:[" + word[9] + "]");
        }
    }
    return out;
}

bool has_one_of(const std::string& pid, const std::set<std::string>& sockets) {
    const std::string path = "/proc/" + pid + "/fd";
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    std::array<char, 64> link{};
    while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
        const ssize_t size =
            ::readlinkat(::dirfd(folder.get()), entry->d_name, link.data(), link.size());
        if (size > 0 && sockets.contains(std::string(link.data(), static_cast<size_t>(size))))
            return true;
    }
    return false;
}

std::string program_of(const std::string& pid) {
    std::array<char, 4096> path{};
    const ssize_t size = ::readlink(("/proc/" + pid + "/exe").c_str(), path.data(), path.size());
    return size <= 0 ? "" : std::string(path.data(), static_cast<std::size_t>(size));
}

/// A port of this agent (its API's, its peers') is no stranger's, nor is that of another agent on
/// this machine.
std::string whose(const std::string& pid) {
    if (pid == std::to_string(::getpid())) return "this peer's own agent";
    const std::string program = program_of(pid);
    if (!program.empty() && program == program_of("self")) return "another agent of Gaggle";
    return "which is not Gaggle's";
}

/// "python3 (pid 77), which is not Gaggle's"; "another process" when it may not be looked into.
/// This process first: several agents on one machine have the same ports, each at an address of its
/// own.
std::string holder_of(std::uint16_t port) {
    const std::set<std::string> sockets = sockets_on(port);
    const auto told = [](const std::string& pid) {
        std::string name;
        std::getline(std::ifstream("/proc/" + pid + "/comm"), name);
        return name + " (pid " + pid + "), " + whose(pid);
    };
    const std::string self = std::to_string(::getpid());
    if (has_one_of(self, sockets)) return told(self);
    const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
    while (const dirent* entry = processes ? ::readdir(processes.get()) : nullptr) {
        const std::string pid = entry->d_name;
        if (pid[0] >= '1' && pid[0] <= '9' && has_one_of(pid, sockets)) return told(pid);
    }
    return "another process";
}

}  // namespace

std::vector<PortsProbed::Taken> taken_ports(const std::string& host_ip,
                                            const std::vector<ProbePorts::Port>& ports) {
    std::vector<PortsProbed::Taken> out;
    for (const ProbePorts::Port& port : ports) {
        const auto anywhere = [&](int type) {
            return is_taken(host_ip, port.value, type) ||
                   (!is_loopback(host_ip) && is_taken("0.0.0.0", port.value, type));
        };
        if (anywhere(SOCK_STREAM) || (!port.fixed && anywhere(SOCK_DGRAM)))
            out.push_back({port.value, holder_of(port.value)});
    }
    return out;
}

}  // namespace gaggle::allocrunner
