// The only peer socket: everything that peers say to each other goes through here, sealed.
//
// Three bound ROUTERs: control (small frames, in a ZeroMQ context of its own, so that bulk never
// delays it), bulk, and the lobby for newcomers. Towards each chosen peer one DEALER for control,
// and one for bulk on demand: a DEALER of its own per peer means that a slow peer blocks nobody
// else, and that closing leaks nothing. The listener is always the CURVE server; who is calling is
// said by the ZAP handler, which admits exactly the keys of the keyring (and any key, rate limited,
// to the lobby), never by a routing id. Everything runs on one thread, named "zeromq"; commands
// reach it through one bounded queue. Nothing is promised: a message may be lost, and the protocols
// above mend that. Rules and reasons: reference/gossip.md section 4.4.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "crypto/endpoint.h"
#include "crypto/keyring.h"

namespace gaggle {

enum class Channel : std::uint8_t { control, bulk, lobby };
const char* to_string(Channel channel);

/// Names the connection that a knock came on; void once the newcomer has gone.
struct LobbyToken {
    Bytes route;
};

struct Received {
    Channel channel = Channel::control;
    std::optional<PeerId> from;  ///< who the ZAP handler let in; none in the lobby
    CurveKey curve;              ///< the key that the sender proved to own
    LobbyToken token;            ///< only in the lobby
    Bytes bytes;
};

/// What became of a connection that we dialled. `closed` does not tell a refusal from a broken link
/// (the socket monitor cannot): it is the cue for a bare TCP connect test.
struct LinkEvent {
    enum class Kind { connected, closed };
    PeerId peer;
    Channel channel = Channel::control;
    Kind kind = Kind::closed;
};

/// All three must be set. Called on the "zeromq" thread; must not block, must not throw. `deliver`
/// may be called before `open` has returned. After `fatal` nothing else is called and the agent
/// must end: its door is no longer watched.
struct PeerHandlers {
    std::function<void(Received)> deliver;
    std::function<void(const LinkEvent&)> link;
    std::function<void(const Error&)> fatal;
};

struct PeerSocketLimits {
    std::size_t control_bytes_max = 1U << 20U;  ///< one frame; larger ones end the connection
    std::size_t bulk_bytes_max = 4U << 20U;
    std::size_t lobby_bytes_max = 4U << 10U;
    std::size_t queue_messages_max = 8'192;    ///< from all callers to the thread
    std::size_t queue_bytes_max = 32U << 20U;  ///< of which bulk may take half
    std::size_t links_max = 64;                ///< dialled connections per channel; the oldest goes
    std::size_t inbound_max = 1'024;           ///< accepted connections on control, and on bulk
    std::size_t lobby_inbound_max = 32;
    std::uint32_t lobby_knocks_per_second = 20;
    Duration link_idle_max = 120s;
};

struct PeerSocketConfig {
    Identity identity;
    Keyring keyring;
    std::string bind_host = "127.0.0.1";
    std::uint16_t base_port = kBasePort;  ///< control; bulk is one above, the lobby two
    PeerSocketLimits limits;
};

class PeerSockets {
  public:
    /// Binds the three ports, starts the thread, and shows that a stranger's key is refused on
    /// control and bulk and our own accepted; otherwise an Error, and the agent must not start. A
    /// used port is `unavailable` and names address and port.
    static Result<std::unique_ptr<PeerSockets>> open(PeerSocketConfig config,
                                                     PeerHandlers handlers);
    ~PeerSockets();  ///< stops
    PeerSockets(const PeerSockets&) = delete;
    PeerSockets& operator=(const PeerSockets&) = delete;

    // All of these may be called from any thread, and none waits for the network.

    /// From the next handshake on only these keys get in; connections of keys that left are closed.
    void set_keyring(Keyring keyring);
    /// Where `peer` is; a changed endpoint closes the connections to the old one. Dials nothing
    /// yet.
    void set_peer(PeerId peer, Endpoint endpoint);
    void forget_peer(PeerId peer);
    /// False: too large, unknown peer, lagging peer or full queue. True is no promise of arrival.
    /// Requires control or bulk.
    bool send(PeerId peer, Channel channel, Bytes message);
    /// Dropped when the newcomer has gone.
    void answer_lobby(LobbyToken token, Bytes message);

    /// Closes everything and waits for the thread. No handler is called afterwards. Not from a
    /// handler.
    void stop();

  private:
    struct Impl;
    explicit PeerSockets(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// A newcomer's way in: sends `request` to the lobby of `seed` and waits for the answer. Blocks up
/// to `timeout`; makes and ends a ZeroMQ context of its own. `unavailable` when nobody listens
/// there, when another key answers than the seed's, or when there is no room; `timeout` when no
/// answer came.
Result<Bytes> knock(const Seed& seed, const Identity& identity, BytesView request,
                    Duration timeout);

}  // namespace gaggle
