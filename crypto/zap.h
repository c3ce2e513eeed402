// The doorman: says for every handshake whether the key may come in (ZeroMQ RFC 27, ZAP).
//
// Without a handler, or when it has gone, libzmq lets everybody in. So it is bound before any port
// is, it is served by the thread that owns the ports, and the ports are closed before it is. Only
// CURVE is answered; any other mechanism is refused. The user id of an admitted connection is its
// CURVE key in hexadecimal: it comes with every message, and the sender cannot choose it.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "crypto/zmq_handle.h"

namespace gaggle {

enum class Admission { admit, refuse, busy };

class ZapHandler {
  public:
    using Judge = std::function<Admission(std::string_view domain, const CurveKey& key)>;

    /// Binds the context's handler. One for each context.
    static Result<ZapHandler> open(const ZmqContext& context);
    /// Answers what has been asked so far. An Error means that the door is no longer watched.
    Result<void> serve(const Judge& judge);
    void* handle() const { return socket_.handle(); }

  private:
    explicit ZapHandler(ZmqSocket socket) : socket_(std::move(socket)) {}
    ZmqSocket socket_;
};

/// The CURVE key behind a user id that the handler gave.
std::optional<CurveKey> key_of_user(std::string_view user);

}  // namespace gaggle
