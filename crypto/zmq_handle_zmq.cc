#include <zmq.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>

#include "crypto/zmq_handle.h"

namespace gaggle {

namespace {

constexpr int kConnectTimeoutMs = 2'000;
constexpr int kHandshakeTimeoutMs = 5'000;
constexpr int kTcpMaxRetransmitMs = 4'000;
constexpr int kKeepaliveIdleS = 15;
constexpr int kKeepaliveIntervalS = 5;
constexpr int kKeepaliveCount = 3;
constexpr int kMonitorBatch = 256;
/// What CURVE adds to a frame, rounded up: name, nonce, flags and tag (ZeroMQ RFC 26).
constexpr std::int64_t kCurveOverhead = 64;

Error failed(const std::string& attempt) {
    return {Errc::io, attempt + ": " + zmq_strerror(zmq_errno())};
}

std::optional<ConnectionEvent::Kind> kind_of(std::uint16_t event) {
    using Kind = ConnectionEvent::Kind;
    switch (event) {
        case ZMQ_EVENT_ACCEPTED: return Kind::accepted;
        case ZMQ_EVENT_CONNECTED: return Kind::connected;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return Kind::admitted;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return Kind::refused;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_DISCONNECTED:
        case ZMQ_EVENT_CLOSED: return Kind::closed;
        default: return std::nullopt;
    }
}

/// A monitor's first frame: 16 bits of event, 32 bits of value, in the machine's own order.
std::optional<ConnectionEvent> read_event(BytesView frame) {
    std::uint16_t event = 0;
    std::int32_t value = 0;
    if (frame.size() != sizeof event + sizeof value) return std::nullopt;
    std::memcpy(&event, frame.data(), sizeof event);
    std::memcpy(&value, frame.data() + sizeof event, sizeof value);
    const auto kind = kind_of(event);
    if (!kind) return std::nullopt;
    const bool with_descriptor = event == ZMQ_EVENT_ACCEPTED || event == ZMQ_EVENT_CONNECTED ||
                                 event == ZMQ_EVENT_DISCONNECTED || event == ZMQ_EVENT_CLOSED;
    return ConnectionEvent{*kind, with_descriptor ? value : -1};
}

}  // namespace

TimePoint socket_clock() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return TimePoint(std::chrono::duration_cast<Duration>(since));
}

std::string tcp_address(const std::string& host, int port) {
    const bool six = host.find(':') != std::string::npos;
    return "tcp://" + (six ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

Result<ZmqContext> ZmqContext::open() {
    void* handle = zmq_ctx_new();
    if (handle == nullptr) return failed("make a ZeroMQ context");
    return ZmqContext(handle);
}

ZmqContext::~ZmqContext() {
    if (handle_ == nullptr) return;
    while (zmq_ctx_term(handle_) != 0 && zmq_errno() == EINTR) continue;
}

ZmqContext::ZmqContext(ZmqContext&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {}

ZmqContext& ZmqContext::operator=(ZmqContext&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

Result<ZmqSocket> ZmqSocket::open(const ZmqContext& context, int type) {
    void* handle = zmq_socket(context.handle(), type);
    if (handle == nullptr) return failed("open a ZeroMQ socket");
    return ZmqSocket(handle);
}

/// The monitor stops with the socket. zmq_close() alone leaves it to libzmq's I/O thread to tell of
/// the closing later, and when whoever reads the monitor has gone by then, that thread waits for a
/// reader for ever: no connection of the context works any more.
ZmqSocket::~ZmqSocket() {
    if (handle_ == nullptr) return;
    zmq_socket_monitor(handle_, nullptr, 0);
    zmq_close(handle_);
}

ZmqSocket::ZmqSocket(ZmqSocket&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

ZmqSocket& ZmqSocket::operator=(ZmqSocket&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

Result<void> ZmqSocket::set(int option, int value) {
    if (zmq_setsockopt(handle_, option, &value, sizeof value) == 0) return {};
    return failed("set ZeroMQ option " + std::to_string(option) + " to " + std::to_string(value));
}

Result<void> ZmqSocket::set(int option, BytesView value) {
    if (zmq_setsockopt(handle_, option, value.data(), value.size()) == 0) return {};
    return failed("set ZeroMQ option " + std::to_string(option));
}

std::optional<Frame> ZmqSocket::receive() {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, handle_, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        return std::nullopt;
    }
    const auto* first = static_cast<const std::uint8_t*>(zmq_msg_data(&message));
    Frame out;
    out.bytes.assign(first, first + zmq_msg_size(&message));
    out.more = zmq_msg_more(&message) != 0;
    out.descriptor = zmq_msg_get(&message, ZMQ_SRCFD);
    const char* user = zmq_msg_gets(&message, "User-Id");
    if (user != nullptr) out.user = user;
    zmq_msg_close(&message);
    return out;
}

std::vector<Frame> ZmqSocket::receive_all() {
    std::vector<Frame> out;
    do {
        auto frame = receive();
        if (!frame) break;  // only before the first: messages arrive whole
        out.push_back(std::move(*frame));
    } while (out.back().more);
    return out;
}

bool ZmqSocket::send(BytesView frame, bool more) {
    const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    return zmq_send(handle_, frame.data(), frame.size(), flags) >= 0;
}

Result<Monitor> Monitor::open(const ZmqContext& context, const ZmqSocket& socket) {
    static std::atomic<std::uint64_t> counter{0};
    const std::string name = "inproc://monitor-" + std::to_string(++counter);
    constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED |
                            ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                            ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                            ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    if (zmq_socket_monitor(socket.handle(), name.c_str(), kEvents) != 0)
        return failed("watch a ZeroMQ socket");
    ZmqSocket pair = TRY(ZmqSocket::open(context, ZMQ_PAIR));
    TRY(pair.set(ZMQ_LINGER, 0));
    // libzmq's I/O thread waits on a full monitor; no limit here, and the reader drains it every
    // turn.
    TRY(pair.set(ZMQ_RCVHWM, 0));
    if (zmq_connect(pair.handle(), name.c_str()) != 0) return failed("watch a ZeroMQ socket");
    return Monitor(std::move(pair));
}

std::vector<ConnectionEvent> Monitor::events() {
    std::vector<ConnectionEvent> out;
    for (int left = kMonitorBatch; left > 0; --left) {
        const auto frames = pair_.receive_all();
        if (frames.empty()) break;
        if (const auto event = read_event(frames.front().bytes)) out.push_back(*event);
    }
    return out;
}

Result<void> set_common_options(ZmqSocket& socket, std::size_t frame_bytes_max) {
    const std::int64_t frame_bytes = static_cast<std::int64_t>(frame_bytes_max) + kCurveOverhead;
    const auto* first = reinterpret_cast<const std::uint8_t*>(&frame_bytes);
    TRY(socket.set(ZMQ_MAXMSGSIZE, BytesView(first, sizeof frame_bytes)));
    TRY(socket.set(ZMQ_LINGER, 0));
    TRY(socket.set(ZMQ_HANDSHAKE_IVL, kHandshakeTimeoutMs));
    TRY(socket.set(ZMQ_TCP_MAXRT, kTcpMaxRetransmitMs));
    TRY(socket.set(ZMQ_TCP_KEEPALIVE, 1));
    TRY(socket.set(ZMQ_TCP_KEEPALIVE_IDLE, kKeepaliveIdleS));
    TRY(socket.set(ZMQ_TCP_KEEPALIVE_INTVL, kKeepaliveIntervalS));
    return socket.set(ZMQ_TCP_KEEPALIVE_CNT, kKeepaliveCount);
}

Result<Dialled> dial(const ZmqContext& context, const DialOptions& options) {
    ZmqSocket socket = TRY(ZmqSocket::open(context, ZMQ_DEALER));
    TRY(set_common_options(socket, options.frame_bytes_max));
    TRY(socket.set(ZMQ_CURVE_SERVERKEY, options.server.bytes));
    TRY(socket.set(ZMQ_CURVE_PUBLICKEY, options.own.open.bytes));
    TRY(socket.set(ZMQ_CURVE_SECRETKEY, options.own.secret));
    TRY(socket.set(ZMQ_CONNECT_TIMEOUT, kConnectTimeoutMs));
    TRY(socket.set(ZMQ_RECONNECT_IVL, -1));
    TRY(socket.set(ZMQ_IMMEDIATE, 1));
    TRY(socket.set(ZMQ_SNDHWM, options.send_queue));
    TRY(socket.set(ZMQ_RCVHWM, 1));
    TRY(socket.set(ZMQ_IPV6, options.address.find('[') != std::string::npos ? 1 : 0));
    Monitor monitor = TRY(Monitor::open(context, socket));
    if (zmq_connect(socket.handle(), options.address.c_str()) != 0)
        return failed("connect to " + options.address);
    return Dialled{std::move(monitor), std::move(socket)};
}

void wait_readable(const std::vector<void*>& handles, Duration timeout) {
    std::vector<zmq_pollitem_t> items;
    for (void* handle : handles) items.push_back({handle, 0, ZMQ_POLLIN, 0});
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(timeout);
    zmq_poll(items.data(), static_cast<int>(items.size()), std::max<std::int64_t>(0, wait.count()));
}

}  // namespace gaggle
