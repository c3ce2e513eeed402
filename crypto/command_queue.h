// What other threads ask of the socket thread: the one bounded queue.
//
// Sends count against the bounds and are refused when there is no room; the rest is rare and always
// taken. Bulk may fill only half, so that it never keeps control out. Who is known and who lags is
// kept beside it, so that a sender learns at once that there is no use.
#pragma once

#include <mutex>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/peer_socket.h"

namespace gaggle {

namespace socket_command {

struct SetKeyring {
    Keyring keyring;
};
struct SetPeer {
    PeerId peer;
    Endpoint endpoint;
};
struct ForgetPeer {
    PeerId peer;
};
struct Send {
    PeerId peer;
    Channel channel;
    Bytes message;
};
struct Answer {
    LobbyToken token;
    Bytes message;
};

}  // namespace socket_command

using SocketCommand =
    std::variant<socket_command::SetKeyring, socket_command::SetPeer, socket_command::ForgetPeer,
                 socket_command::Send, socket_command::Answer>;

/// Safe for any thread.
class CommandQueue {
  public:
    explicit CommandQueue(const PeerSocketLimits& limits) : limits_(limits) {}

    void put(SocketCommand command);
    /// False when it was not taken: too large, unknown, lagging, full.
    bool put_send(socket_command::Send send);
    std::vector<SocketCommand> take_all();
    void set_lagging(PeerId peer, Channel channel, bool lags);

    void close();  ///< nothing is taken from now on
    bool closed() const;

  private:
    bool has_room(const socket_command::Send& send) const;

    const PeerSocketLimits limits_;
    mutable std::mutex mutex_;
    std::vector<SocketCommand> commands_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::set<PeerId> known_;
    std::set<std::pair<PeerId, Channel>> lagging_;
    bool closed_ = false;
};

}  // namespace gaggle
