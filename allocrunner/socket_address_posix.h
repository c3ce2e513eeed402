// An IP address and a port as the kernel wants them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace gaggle::allocrunner {

struct SocketAddress {
    sockaddr_storage room{};
    socklen_t size = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&room); }
    int family() const { return room.ss_family; }
};

/// Nothing unless `ip` is an IP address, of either kind.
std::optional<SocketAddress> socket_address(const std::string& ip, std::uint16_t port);

}  // namespace gaggle::allocrunner
