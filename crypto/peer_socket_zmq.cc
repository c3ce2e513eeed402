#include <pthread.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "base/log.h"
#include "crypto/command_queue.h"
#include "crypto/descriptors.h"
#include "crypto/inbound.h"
#include "crypto/outbound.h"
#include "crypto/peer_socket.h"
#include "crypto/self_test.h"
#include "crypto/zap.h"

namespace gaggle {

namespace {

/// libzmq frees memory only when a socket is looked at (libzmq#954), so each is, this often.
constexpr Duration kLookAtLeast = 1s;
constexpr int kOldestLibrary = ZMQ_MAKE_VERSION(4, 3, 4);

Result<void> check_library() {
    int major = 0;
    int minor = 0;
    int patch = 0;
    zmq_version(&major, &minor, &patch);
    if (ZMQ_MAKE_VERSION(major, minor, patch) < kOldestLibrary)
        return Error{Errc::unavailable, "start the peer sockets: libzmq " + std::to_string(major) +
                                            "." + std::to_string(minor) + "." +
                                            std::to_string(patch) +
                                            " has known holes; install 4.3.4 or newer"};
    if (zmq_has("curve") == 0)
        return Error{Errc::unavailable,
                     "start the peer sockets: this libzmq was built without CURVE; install one "
                     "that was built with libsodium"};
    return {};
}

Rng fresh_rng() {
    const Secret secret = random_secret();
    std::uint64_t seed = 0;
    for (std::size_t at = 0; at < sizeof seed; ++at) seed = seed << 8U | secret[at];
    return Rng(seed);
}

}  // namespace

const char* to_string(Channel channel) {
    switch (channel) {
        case Channel::control: return "control";
        case Channel::bulk: return "bulk";
        case Channel::lobby: break;
    }
    return "lobby";
}

/// Members in the order of their making: ports are closed before the doormen, contexts end last.
struct PeerSockets::Impl {
    Impl(PeerSocketConfig the_config, PeerHandlers the_handlers, Wake the_wake)
        : config(std::move(the_config)),
          handlers(std::move(the_handlers)),
          wake(std::move(the_wake)),
          queue(config.limits),
          keyring(config.keyring) {}

    Result<void> start();
    Result<void> bind(const ZmqContext& context, Channel channel);
    void run();
    Result<void> turn();
    void wait(bool more);
    Admission judge(std::string_view domain, const CurveKey& key);
    void obey(TimePoint now, SocketCommand command);
    void put(SocketCommand command);
    void stop();

    PeerSocketConfig config;
    PeerHandlers handlers;
    Wake wake;
    CommandQueue queue;

    // From here on only the "zeromq" thread's, once it runs.
    Keyring keyring;
    std::optional<RateLimit> lobby_handshakes;
    std::optional<ZmqContext> control_context;
    std::optional<ZmqContext> bulk_context;
    std::vector<ZapHandler> doormen;
    std::vector<Inbound> ports;  ///< control, bulk, lobby
    std::optional<Outbound> outbound;

    std::thread thread;
};

Result<void> PeerSockets::Impl::start() {
    lobby_handshakes.emplace(config.limits.lobby_knocks_per_second);
    control_context.emplace(TRY(ZmqContext::open()));
    bulk_context.emplace(TRY(ZmqContext::open()));
    for (const auto* context : {&*control_context, &*bulk_context})
        doormen.push_back(TRY(ZapHandler::open(*context)));
    TRY(bind(*control_context, Channel::control));
    TRY(bind(*bulk_context, Channel::bulk));
    TRY(bind(*bulk_context, Channel::lobby));
    outbound.emplace(
        *control_context, *bulk_context,
        OutboundConfig{.own = config.identity.curve,
                       .limits = config.limits,
                       .link = handlers.link,
                       .lagging = [this](PeerId peer, Channel channel,
                                         bool lags) { queue.set_lagging(peer, channel, lags); }},
        fresh_rng());
    thread = std::thread([this] { run(); });
    for (const Channel channel : {Channel::control, Channel::bulk})
        TRY(test_door(config.bind_host, port_of(config.base_port, channel), config.identity.curve));
    return {};
}

Result<void> PeerSockets::Impl::bind(const ZmqContext& context, Channel channel) {
    ports.push_back(TRY(Inbound::open(context, {.channel = channel,
                                                .own = config.identity.curve,
                                                .host = config.bind_host,
                                                .base_port = config.base_port,
                                                .limits = config.limits})));
    return {};
}

void PeerSockets::Impl::run() {
    ::pthread_setname_np(::pthread_self(), "zeromq");
    while (!queue.closed()) {
        auto turned = turn();
        if (turned.ok()) continue;
        queue.close();
        ports.clear();
        outbound.reset();
        log::error("peer sockets: {}", turned.error().detail);
        handlers.fatal(turned.error());
        return;
    }
}

Result<void> PeerSockets::Impl::turn() {
    wake.clear();
    const TimePoint now = socket_clock();
    for (SocketCommand& command : queue.take_all()) obey(now, std::move(command));
    for (ZapHandler& doorman : doormen)
        TRY(doorman.serve([this](auto domain, const auto& key) { return judge(domain, key); }));
    bool more = false;
    for (Inbound& port : ports) more |= port.step(now, keyring, handlers.deliver);
    outbound->step(now);
    wait(more);
    return {};
}

/// Until there is something to read, room to write, or the next deadline.
void PeerSockets::Impl::wait(bool more) {
    std::vector<zmq_pollitem_t> items{{nullptr, wake.descriptor(), ZMQ_POLLIN, 0}};
    const auto add = [&](void* socket, bool writable) {
        const int events = ZMQ_POLLIN | (writable ? ZMQ_POLLOUT : 0);
        items.push_back({socket, 0, static_cast<short>(events), 0});
    };
    for (const ZapHandler& doorman : doormen) add(doorman.handle(), false);
    TimePoint until = socket_clock() + kLookAtLeast;
    for (const Inbound& port : ports) {
        add(port.socket_handle(), false);
        add(port.monitor_handle(), false);
        until = std::min(until, port.next_wakeup().value_or(until));
    }
    for (const Outbound::Handle& handle : outbound->handles()) add(handle.socket, handle.writable);
    until = std::min(until, outbound->next_wakeup().value_or(until));
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - socket_clock());
    const std::int64_t milliseconds = more ? 0 : std::max<std::int64_t>(0, wait.count());
    // An interrupted wait is only an early look.
    zmq_poll(items.data(), static_cast<int>(items.size()), milliseconds);
}

Admission PeerSockets::Impl::judge(std::string_view domain, const CurveKey& key) {
    if (domain == zap_domain(Channel::lobby))
        return lobby_handshakes->take(socket_clock()) ? Admission::admit : Admission::busy;
    if (domain != zap_domain(Channel::control) && domain != zap_domain(Channel::bulk))
        return Admission::refuse;
    const bool ours = key == config.identity.curve.open;  // the self-test's
    return ours || keyring.lookup(key) ? Admission::admit : Admission::refuse;
}

void PeerSockets::Impl::obey(TimePoint now, SocketCommand command) {
    if (auto* set = std::get_if<socket_command::SetKeyring>(&command)) {
        keyring = std::move(set->keyring);
        for (Inbound& port : ports) port.shut_strangers(keyring);
    } else if (auto* peer = std::get_if<socket_command::SetPeer>(&command)) {
        outbound->set_peer(peer->peer, std::move(peer->endpoint));
    } else if (auto* gone = std::get_if<socket_command::ForgetPeer>(&command)) {
        outbound->forget_peer(gone->peer);
    } else if (auto* send = std::get_if<socket_command::Send>(&command)) {
        outbound->push(now, send->peer, send->channel, std::move(send->message));
    } else if (auto* answer = std::get_if<socket_command::Answer>(&command)) {
        if (!ports.back().answer(answer->token, answer->message))
            log::debug("lobby: the newcomer has gone before its answer");
    }
}

void PeerSockets::Impl::put(SocketCommand command) {
    queue.put(std::move(command));
    wake.ring();
}

void PeerSockets::Impl::stop() {
    queue.close();
    wake.ring();
    if (thread.joinable()) thread.join();
    ports.clear();
    outbound.reset();
}

Result<std::unique_ptr<PeerSockets>> PeerSockets::open(PeerSocketConfig config,
                                                       PeerHandlers handlers) {
    INVARIANT(handlers.deliver && handlers.link && handlers.fatal);
    TRY(check_library());
    constexpr int kHighest = 65'535;
    if (config.base_port == 0 || port_of(config.base_port, Channel::lobby) > kHighest)
        return Error{Errc::invalid, "start the peer sockets: base port " +
                                        std::to_string(config.base_port) +
                                        " leaves no room for three ports; choose 1 to 65533"};
    auto impl = std::make_unique<Impl>(std::move(config), std::move(handlers), TRY(Wake::open()));
    const auto started = impl->start();
    // From here on its destructor ends whatever was begun.
    std::unique_ptr<PeerSockets> sockets(new PeerSockets(std::move(impl)));
    if (!started.ok()) return started.error();
    return sockets;
}

PeerSockets::PeerSockets(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PeerSockets::~PeerSockets() { stop(); }

void PeerSockets::set_keyring(Keyring keyring) {
    impl_->put(socket_command::SetKeyring{std::move(keyring)});
}

void PeerSockets::set_peer(PeerId peer, Endpoint endpoint) {
    impl_->put(socket_command::SetPeer{peer, std::move(endpoint)});
}

void PeerSockets::forget_peer(PeerId peer) { impl_->put(socket_command::ForgetPeer{peer}); }

bool PeerSockets::send(PeerId peer, Channel channel, Bytes message) {
    INVARIANT(channel != Channel::lobby);
    if (!impl_->queue.put_send({peer, channel, std::move(message)})) return false;
    impl_->wake.ring();
    return true;
}

void PeerSockets::answer_lobby(LobbyToken token, Bytes message) {
    impl_->put(socket_command::Answer{std::move(token), std::move(message)});
}

void PeerSockets::stop() { impl_->stop(); }

}  // namespace gaggle
