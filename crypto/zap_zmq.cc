#include <zmq.h>

#include <algorithm>

#include "crypto/zap.h"

namespace gaggle {

namespace {

constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
constexpr std::string_view kVersion = "1.0";
constexpr int kBatch = 64;

/// The frames of a request (RFC 27): version, id, domain, address, routing id, mechanism,
/// credentials.
enum Part { version, request, domain, address, routing_id, mechanism, credentials, parts };

std::optional<CurveKey> curve_key(BytesView bytes) {
    CurveKey out;
    if (bytes.size() != out.bytes.size()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
    return out;
}

std::optional<CurveKey> asking_key(const std::vector<Frame>& frames) {
    if (frames.size() != parts || as_text(frames[version].bytes) != kVersion) return std::nullopt;
    if (as_text(frames[mechanism].bytes) != "CURVE") return std::nullopt;
    return curve_key(frames[credentials].bytes);
}

struct Status {
    std::string_view code, text;
};

Status status_of(Admission admission) {
    switch (admission) {
        case Admission::admit: return {"200", "admitted"};
        case Admission::busy: return {"300", "too many at once"};
        case Admission::refuse: break;
    }
    return {"400", "not on the keyring"};
}

bool answer(ZmqSocket& socket, BytesView id, Admission admission, const std::string& user) {
    const Status status = status_of(admission);
    return socket.send(as_bytes(kVersion), true) && socket.send(id, true) &&
           socket.send(as_bytes(status.code), true) && socket.send(as_bytes(status.text), true) &&
           socket.send(as_bytes(user), true) && socket.send({}, false);
}

}  // namespace

Result<ZapHandler> ZapHandler::open(const ZmqContext& context) {
    ZmqSocket socket = TRY(ZmqSocket::open(context, ZMQ_REP));
    TRY(socket.set(ZMQ_LINGER, 0));
    if (zmq_bind(socket.handle(), kZapAddress) != 0)
        return Error{Errc::io, std::string("bind the ZAP handler: ") + zmq_strerror(zmq_errno())};
    return ZapHandler(std::move(socket));
}

Result<void> ZapHandler::serve(const Judge& judge) {
    for (int left = kBatch; left > 0; --left) {
        const auto frames = socket_.receive_all();
        if (frames.empty()) {
            if (zmq_errno() == EAGAIN || zmq_errno() == EINTR) return {};
            return Error{Errc::io, std::string("read a handshake in the ZAP handler: ") +
                                       zmq_strerror(zmq_errno())};
        }
        const auto key = asking_key(frames);
        const Admission admission =
            key ? judge(as_text(frames[domain].bytes), *key) : Admission::refuse;
        const BytesView id =
            frames.size() > request ? BytesView(frames[request].bytes) : BytesView();
        const std::string user = admission == Admission::admit ? to_hex(key->bytes) : "";
        if (!answer(socket_, id, admission, user) && zmq_errno() != EAGAIN)
            return Error{Errc::io, std::string("answer a handshake in the ZAP handler: ") +
                                       zmq_strerror(zmq_errno())};
    }
    return {};
}

std::optional<CurveKey> key_of_user(std::string_view user) {
    const auto bytes = from_hex(user);
    return bytes ? curve_key(*bytes) : std::nullopt;
}

}  // namespace gaggle
