// One bound ROUTER: who is connected to it, and what they say.
//
// libzmq bounds a frame but not the number of frames in a message nor the number of connections, so
// both are watched here: connections are counted and, in the lobby, where anybody may speak, each
// may bring only so many bytes and stay only so long. A message of a key that is not (any longer)
// on the keyring is dropped and its connection shut; so are all connections of keys that leave it.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "crypto/keyring.h"
#include "crypto/peer_socket.h"
#include "crypto/rate_limit.h"
#include "crypto/zmq_handle.h"

namespace gaggle {

/// The ZAP domain of a channel: its name.
inline std::string zap_domain(Channel channel) { return to_string(channel); }

/// Control, bulk and lobby are neighbours.
inline int port_of(std::uint16_t base_port, Channel channel) {
    return base_port + static_cast<int>(channel);
}

struct InboundConfig {
    Channel channel = Channel::control;
    CurveKeyPair own;
    std::string host;
    std::uint16_t base_port = kBasePort;
    PeerSocketLimits limits;
};

class Inbound {
  public:
    using Deliver = std::function<void(Received)>;

    /// Binds. The context's ZAP handler must be there already. `unavailable` when the port is used.
    static Result<Inbound> open(const ZmqContext& context, const InboundConfig& config);

    /// Everything that arrived, in bounded portions. True when more may be waiting.
    bool step(TimePoint now, const Keyring& keyring, const Deliver& deliver);
    /// Shuts the connections of keys that the keyring does not know.
    void shut_strangers(const Keyring& keyring);
    /// To a newcomer in the lobby. False when it has gone.
    bool answer(const LobbyToken& token, BytesView message);
    /// When the next connection has to be looked at.
    std::optional<TimePoint> next_wakeup() const;

    void* socket_handle() const { return socket_.handle(); }
    void* monitor_handle() const { return monitor_.handle(); }

  private:
    struct Connection {
        std::string remote;
        TimePoint since;
        std::optional<CurveKey> key;  ///< once it has sent something
    };

    Inbound(InboundConfig config, Monitor monitor, ZmqSocket socket);
    void watch(TimePoint now);
    void patrol_lobby(TimePoint now);
    bool receive_one(TimePoint now, const Keyring& keyring, const Deliver& deliver);
    std::size_t connections_max() const;

    InboundConfig config_;
    Monitor monitor_;
    ZmqSocket socket_;
    RateLimit knocks_;
    TimePoint patrolled_;
    std::map<int, Connection> connections_;  ///< by descriptor
};

}  // namespace gaggle
