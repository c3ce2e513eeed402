#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "crypto/descriptors.h"

namespace gaggle {

Result<Wake> Wake::open() {
    const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (descriptor < 0)
        return Error{Errc::io, std::string("open an eventfd for the peer sockets: ") +
                                   std::strerror(errno) + "; raise the limit of open files"};
    return Wake(descriptor);
}

Wake::~Wake() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Wake::Wake(Wake&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Wake& Wake::operator=(Wake&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

void Wake::ring() const {
    // Fails only when the counter is full, and then it is ringing already.
    [[maybe_unused]] const int done = ::eventfd_write(descriptor_, 1);
}

void Wake::clear() const {
    eventfd_t count = 0;
    [[maybe_unused]] const int done = ::eventfd_read(descriptor_, &count);
}

std::string remote_address(int descriptor) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getpeername(descriptor, address, &length) != 0) return {};
    char text[INET6_ADDRSTRLEN] = {};
    if (storage.ss_family == AF_INET) {
        const auto* four = reinterpret_cast<const sockaddr_in*>(&storage);
        ::inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
        return std::string(text) + ':' + std::to_string(ntohs(four->sin_port));
    }
    if (storage.ss_family != AF_INET6) return {};
    const auto* six = reinterpret_cast<const sockaddr_in6*>(&storage);
    ::inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
    return '[' + std::string(text) + "]:" + std::to_string(ntohs(six->sin6_port));
}

std::uint64_t bytes_received(int descriptor) {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    constexpr std::size_t kNeeded = offsetof(tcp_info, tcpi_bytes_received) + sizeof(std::uint64_t);
    return length < kNeeded ? 0 : info.tcpi_bytes_received;
}

void shut_connection(int descriptor, const std::string& remote) {
    if (remote.empty() || remote_address(descriptor) != remote) return;
    ::shutdown(descriptor, SHUT_RDWR);
}

}  // namespace gaggle
