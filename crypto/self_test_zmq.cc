#include "crypto/self_test.h"

namespace gaggle {

namespace {

constexpr Duration kPatience = 5s;

/// Where a listener on `host` can be reached from this machine.
std::string reachable(const std::string& host) {
    if (host == "0.0.0.0" || host == "*") return "127.0.0.1";
    if (host == "::") return "::1";
    return host;
}

/// How the port answered the key, or nothing when it did not in time.
Result<std::optional<ConnectionEvent::Kind>> try_door(const DialOptions& options) {
    const ZmqContext context = TRY(ZmqContext::open());
    Dialled dialled = TRY(dial(context, options));
    const TimePoint deadline = socket_clock() + kPatience;
    for (TimePoint now = socket_clock(); now < deadline; now = socket_clock()) {
        wait_readable({dialled.monitor.handle()}, deadline - now);
        for (const ConnectionEvent& event : dialled.monitor.events())
            if (event.kind != ConnectionEvent::Kind::connected) return {event.kind};
    }
    return std::optional<ConnectionEvent::Kind>();
}

}  // namespace

Result<void> test_door(const std::string& bind_host, int port, const CurveKeyPair& own) {
    using Kind = ConnectionEvent::Kind;
    DialOptions options{.own = CurveKeyPair::from_secret(random_secret()),
                        .server = own.open,
                        .address = tcp_address(reachable(bind_host), port)};
    const std::string attempt = "self-test of the peer port " + options.address + ": ";
    const auto stranger = TRY(try_door(options));
    if (stranger == Kind::admitted)
        return Error{Errc::denied,
                     attempt +
                         "a stranger's key was let in; the agent must not run with this "
                         "libzmq"};
    if (!stranger)
        return Error{Errc::timeout, attempt + "no answer to a stranger's key within " +
                                        for_people(kPatience) + "; is the address reachable?"};
    if (stranger != Kind::refused)
        return Error{Errc::unavailable,
                     attempt + "the connection broke before a stranger's key was judged"};
    options.own = own;
    const auto ourselves = TRY(try_door(options));
    if (ourselves != Kind::admitted)
        return Error{Errc::denied, attempt + "our own key was not let in"};
    return {};
}

}  // namespace gaggle
