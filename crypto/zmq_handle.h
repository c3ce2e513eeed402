// ZeroMQ's contexts, sockets and monitors as values that close themselves.
//
// Only what the peer sockets need, with the options that every one of them must have
// (reference/gossip.md section 4.4): no heartbeats, no lingering, bounded frames and queues, TCP's
// own timeouts. A `void*` is ZeroMQ's handle, because its header stays in the files with its
// suffix.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/endpoint.h"

namespace gaggle {

/// The monotonic clock of the threads around ZeroMQ.
TimePoint socket_clock();

/// "tcp://host:port", with brackets around an IPv6 address.
std::string tcp_address(const std::string& host, int port);

class ZmqContext {
  public:
    static Result<ZmqContext> open();
    ~ZmqContext();  ///< waits until its sockets are closed
    ZmqContext(ZmqContext&& other) noexcept;
    ZmqContext& operator=(ZmqContext&& other) noexcept;

    void* handle() const { return handle_; }

  private:
    explicit ZmqContext(void* handle) : handle_(handle) {}
    void* handle_;
};

/// One frame as it came, with what libzmq knows about its connection.
struct Frame {
    Bytes bytes;
    std::string user;     ///< the ZAP handler's user id; empty when there is none
    int descriptor = -1;  ///< of the connection; -1 when not from the network
    bool more = false;    ///< further frames of the same message follow
};

class ZmqSocket {
  public:
    static Result<ZmqSocket> open(const ZmqContext& context, int type);
    ~ZmqSocket();
    ZmqSocket(ZmqSocket&& other) noexcept;
    ZmqSocket& operator=(ZmqSocket&& other) noexcept;

    Result<void> set(int option, int value);
    Result<void> set(int option, BytesView value);
    /// Never waits. Nothing when there is none now.
    std::optional<Frame> receive();
    /// The next whole message; nothing when there is none.
    std::vector<Frame> receive_all();
    /// Never waits. False when the queue is full or the address unknown: the message was not taken.
    bool send(BytesView frame, bool more = false);

    void* handle() const { return handle_; }

  private:
    explicit ZmqSocket(void* handle) : handle_(handle) {}
    void* handle_;
};

/// What libzmq tells of a connection, folded into what can be acted upon.
struct ConnectionEvent {
    enum class Kind { accepted, connected, admitted, refused, closed };
    Kind kind = Kind::closed;
    int descriptor = -1;  ///< for accepted, connected and, on an accepted connection, closed
};

/// The socket monitor, read through an inproc pair. Must not outlive the context.
class Monitor {
  public:
    /// Watches `socket`; must be opened before it binds or connects.
    static Result<Monitor> open(const ZmqContext& context, const ZmqSocket& socket);
    std::vector<ConnectionEvent> events();
    void* handle() const { return pair_.handle(); }

  private:
    explicit Monitor(ZmqSocket pair) : pair_(std::move(pair)) {}
    ZmqSocket pair_;
};

/// The options that listener and dialler share: nothing lingers, TCP notices a dead path.
Result<void> set_common_options(ZmqSocket& socket, std::size_t frame_bytes_max);

/// A DEALER on its way to one server, with its monitor. Never reconnects by itself.
struct Dialled {
    Monitor monitor;  ///< outlives the socket: see ~ZmqSocket
    ZmqSocket socket;
};
struct DialOptions {
    CurveKeyPair own;
    CurveKey server;
    std::string address;  ///< from tcp_address
    int send_queue = 32;  ///< messages
    std::size_t frame_bytes_max = 4U << 10U;
};
Result<Dialled> dial(const ZmqContext& context, const DialOptions& options);

/// Waits until one of the handles can be read, up to `timeout`.
void wait_readable(const std::vector<void*>& handles, Duration timeout);

}  // namespace gaggle
