// The connections that we dial: one DEALER per peer and channel, made when there is something to
// say.
//
// libzmq may queue only what an open connection takes (ZMQ_IMMEDIATE), so what is sent while a
// connection is being made waits here, a little and not for long: an old message helps nobody. A
// connection that fails is thrown away and dialled anew when there is again something to say, after
// a pause that doubles from 0.1 to 5 s (libzmq's own retries start over after each refused
// handshake and would knock ten times a second for ever). Idle connections are closed, and beyond
// the limit the one that was used longest ago.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "base/rng.h"
#include "crypto/peer_socket.h"
#include "crypto/zmq_handle.h"

namespace gaggle {

struct OutboundConfig {
    CurveKeyPair own;
    PeerSocketLimits limits;
    std::function<void(const LinkEvent&)> link;
    /// Tells when a peer begins or ceases to lag: its waiting room is full.
    std::function<void(PeerId, Channel, bool)> lagging;
};

class Outbound {
  public:
    /// The contexts must outlive it. `control` and `bulk` may not be the same.
    Outbound(const ZmqContext& control, const ZmqContext& bulk, OutboundConfig config, Rng rng);

    void set_peer(PeerId peer, Endpoint endpoint);
    void forget_peer(PeerId peer);
    /// Dropped when the peer is unknown or its waiting room is full.
    void push(TimePoint now, PeerId peer, Channel channel, Bytes message);
    /// Reads what became of the connections, dials, sends, closes.
    void step(TimePoint now);

    struct Handle {
        void* socket = nullptr;
        bool writable = false;  ///< wait until it can be written to, too
    };
    std::vector<Handle> handles() const;
    std::optional<TimePoint> next_wakeup() const;

  private:
    using LinkId = std::pair<PeerId, Channel>;
    struct Waiting {
        Bytes message;
        TimePoint since;
    };
    struct Link {
        std::optional<Dialled> dialled;
        bool connected = false;
        TimePoint dialled_at;
        TimePoint used;      ///< when something was last sent or asked to be
        TimePoint retry_at;  ///< no dialling before
        Duration pause{};    ///< before the next try but one
        std::deque<Waiting> waiting;
        bool lags = false;
    };

    void look(TimePoint now, const LinkId& id, Link& link);
    void dial_peer(TimePoint now, const LinkId& id, Link& link);
    void drop(TimePoint now, Link& link);
    void flush(TimePoint now, const LinkId& id, Link& link);
    void make_room(Channel channel);
    void say_lagging(const LinkId& id, Link& link);
    bool done_with(TimePoint now, const Link& link) const;
    void remove_links(PeerId peer);

    const ZmqContext& control_;
    const ZmqContext& bulk_;
    OutboundConfig config_;
    Rng rng_;
    std::map<PeerId, Endpoint> directory_;
    std::map<LinkId, Link> links_;
};

}  // namespace gaggle
