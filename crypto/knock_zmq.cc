#include "crypto/inbound.h"
#include "crypto/peer_socket.h"
#include "crypto/zmq_handle.h"

namespace gaggle {

namespace {

/// How far the newcomer got.
enum class Progress { dialling, connected, admitted };

Error broken(const std::string& attempt, Progress progress) {
    switch (progress) {
        case Progress::dialling:
            return {Errc::unavailable,
                    attempt + "nobody listens there; is the agent running, the port open?"};
        case Progress::connected:
            return {Errc::unavailable,
                    attempt +
                        "the connection was closed before it was sealed: another key than "
                        "the invitation names answers there, or it has too many newcomers"};
        case Progress::admitted: break;
    }
    return {Errc::unavailable, attempt + "the connection was closed without an answer; try again"};
}

}  // namespace

Result<Bytes> knock(const Seed& seed, const Identity& identity, BytesView request,
                    Duration timeout) {
    const std::string address = tcp_address(seed.host, port_of(seed.base_port, Channel::lobby));
    const std::string attempt = "knock at " + address + ": ";
    const ZmqContext context = TRY(ZmqContext::open());
    auto dialled = dial(context, {.own = identity.curve,
                                  .server = seed.curve,
                                  .address = address,
                                  .frame_bytes_max = PeerSocketLimits{}.control_bytes_max});
    if (!dialled.ok()) return within(attempt, dialled.error());
    Progress progress = Progress::dialling;
    bool sent = false;
    const TimePoint deadline = socket_clock() + timeout;
    for (TimePoint now = socket_clock(); now < deadline; now = socket_clock()) {
        wait_readable({dialled->monitor.handle(), dialled->socket.handle()}, deadline - now);
        // First what was said: an answer counts even when the connection was closed behind it.
        if (auto answer = dialled->socket.receive_all(); !answer.empty())
            return std::move(answer.front().bytes);
        for (const ConnectionEvent& event : dialled->monitor.events()) {
            if (event.kind == ConnectionEvent::Kind::connected) progress = Progress::connected;
            if (event.kind == ConnectionEvent::Kind::admitted) progress = Progress::admitted;
            if (event.kind == ConnectionEvent::Kind::refused ||
                event.kind == ConnectionEvent::Kind::closed)
                return broken(attempt, progress);
        }
        if (progress == Progress::admitted && !sent) sent = dialled->socket.send(request);
    }
    return Error{Errc::timeout, attempt + "no answer within " + for_people(timeout) +
                                    "; try again, or another seed"};
}

}  // namespace gaggle
