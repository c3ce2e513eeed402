#include <zmq.h>

#include "base/log.h"
#include "crypto/descriptors.h"
#include "crypto/inbound.h"
#include "crypto/zap.h"

namespace gaggle {

namespace {

constexpr int kBacklog = 1'024;
constexpr int kControlQueue = 256;  // messages waiting to be read, per connection
constexpr int kBulkQueue = 16;
constexpr int kLobbyQueue = 4;
constexpr int kBatch = 128;
constexpr int kEnforceZapDomain = 93;  // ZMQ_ZAP_ENFORCE_DOMAIN: a draft in the header, built in
constexpr std::uint64_t kLobbyConnectionBytes = 64U << 10U;
constexpr Duration kLobbyStay = 30s;
constexpr Duration kLobbyPatrol = 100ms;

int receive_queue(Channel channel) {
    switch (channel) {
        case Channel::control: return kControlQueue;
        case Channel::bulk: return kBulkQueue;
        case Channel::lobby: break;
    }
    return kLobbyQueue;
}

std::size_t frame_bytes_max(Channel channel, const PeerSocketLimits& limits) {
    switch (channel) {
        case Channel::control: return limits.control_bytes_max;
        case Channel::bulk: return limits.bulk_bytes_max;
        case Channel::lobby: break;
    }
    return limits.lobby_bytes_max;
}

Result<void> set_options(ZmqSocket& socket, const InboundConfig& config) {
    TRY(set_common_options(socket, frame_bytes_max(config.channel, config.limits)));
    TRY(socket.set(ZMQ_CURVE_SERVER, 1));
    TRY(socket.set(ZMQ_CURVE_SECRETKEY, config.own.secret));
    TRY(socket.set(ZMQ_ZAP_DOMAIN, as_bytes(zap_domain(config.channel))));
    TRY(socket.set(kEnforceZapDomain, 1));
    TRY(socket.set(ZMQ_ROUTER_MANDATORY, 1));
    TRY(socket.set(ZMQ_ROUTER_HANDOVER, 0));
    TRY(socket.set(ZMQ_BACKLOG, kBacklog));
    TRY(socket.set(ZMQ_RCVHWM, receive_queue(config.channel)));
    TRY(socket.set(ZMQ_SNDHWM, receive_queue(config.channel)));
    return socket.set(ZMQ_IPV6, config.host.find(':') != std::string::npos ? 1 : 0);
}

Error cannot_bind(const InboundConfig& config, int port, int number) {
    const std::string attempt = std::string("bind the ") + to_string(config.channel) +
                                " port: " + config.host + ":" + std::to_string(port) + ": " +
                                zmq_strerror(number);
    if (number == EADDRINUSE)
        return {Errc::unavailable,
                attempt + "; another program listens there (`ss -ltnp 'sport = :" +
                    std::to_string(port) + "'` names it): stop it, or choose another address"};
    if (number == EADDRNOTAVAIL || number == ENODEV)
        return {Errc::unavailable, attempt + "; no interface of this machine has that address"};
    return {Errc::io, attempt};
}

}  // namespace

Result<Inbound> Inbound::open(const ZmqContext& context, const InboundConfig& config) {
    ZmqSocket socket = TRY(ZmqSocket::open(context, ZMQ_ROUTER));
    TRY(set_options(socket, config));
    Monitor monitor = TRY(Monitor::open(context, socket));
    const int port = port_of(config.base_port, config.channel);
    if (zmq_bind(socket.handle(), tcp_address(config.host, port).c_str()) != 0)
        return cannot_bind(config, port, zmq_errno());
    return Inbound(config, std::move(monitor), std::move(socket));
}

Inbound::Inbound(InboundConfig config, Monitor monitor, ZmqSocket socket)
    : config_(std::move(config)),
      monitor_(std::move(monitor)),
      socket_(std::move(socket)),
      knocks_(config_.limits.lobby_knocks_per_second) {}

bool Inbound::step(TimePoint now, const Keyring& keyring, const Deliver& deliver) {
    watch(now);
    if (config_.channel == Channel::lobby) patrol_lobby(now);
    for (int left = kBatch; left > 0; --left)
        if (!receive_one(now, keyring, deliver)) return false;
    return true;
}

std::size_t Inbound::connections_max() const {
    return config_.channel == Channel::lobby ? config_.limits.lobby_inbound_max
                                             : config_.limits.inbound_max;
}

void Inbound::watch(TimePoint now) {
    for (const ConnectionEvent& event : monitor_.events()) {
        if (event.kind == ConnectionEvent::Kind::closed) connections_.erase(event.descriptor);
        if (event.kind != ConnectionEvent::Kind::accepted) continue;
        const std::string remote = remote_address(event.descriptor);
        if (remote.empty()) continue;  // gone already
        if (connections_.size() >= connections_max()) {
            log::debug("{} port: {} connections, {} is sent away", to_string(config_.channel),
                       connections_.size(), remote);
            shut_connection(event.descriptor, remote);
            continue;
        }
        connections_[event.descriptor] = {remote, now, std::nullopt};
    }
}

void Inbound::patrol_lobby(TimePoint now) {
    if (now - patrolled_ < kLobbyPatrol) return;
    patrolled_ = now;
    for (const auto& [descriptor, connection] : connections_)
        if (now - connection.since > kLobbyStay ||
            bytes_received(descriptor) > kLobbyConnectionBytes)
            shut_connection(descriptor, connection.remote);
}

bool Inbound::receive_one(TimePoint now, const Keyring& keyring, const Deliver& deliver) {
    auto frames = socket_.receive_all();
    if (frames.empty()) return false;
    if (frames.size() != 2) return true;  // a routing id and one frame; we never send anything else
    Frame& body = frames[1];
    const auto key = key_of_user(body.user);
    if (!key) return true;
    Received received;
    received.channel = config_.channel;
    received.curve = *key;
    const auto connection = connections_.find(body.descriptor);
    if (connection != connections_.end()) connection->second.key = key;
    if (config_.channel == Channel::lobby) {
        if (!knocks_.take(now)) return true;
        received.token.route = std::move(frames[0].bytes);
    } else {
        const auto peer = keyring.lookup(*key);
        if (!peer) {
            if (connection != connections_.end())
                shut_connection(body.descriptor, connection->second.remote);
            return true;
        }
        received.from = peer->peer;
    }
    received.bytes = std::move(body.bytes);
    deliver(std::move(received));
    return true;
}

void Inbound::shut_strangers(const Keyring& keyring) {
    if (config_.channel == Channel::lobby) return;
    for (const auto& [descriptor, connection] : connections_)
        if (connection.key && !keyring.lookup(*connection.key))
            shut_connection(descriptor, connection.remote);
}

bool Inbound::answer(const LobbyToken& token, BytesView message) {
    return !token.route.empty() && socket_.send(token.route, true) && socket_.send(message);
}

std::optional<TimePoint> Inbound::next_wakeup() const {
    if (config_.channel != Channel::lobby || connections_.empty()) return std::nullopt;
    return patrolled_ + kLobbyPatrol;
}

}  // namespace gaggle
