#include <zmq.h>

#include <algorithm>

#include "base/log.h"
#include "crypto/inbound.h"
#include "crypto/outbound.h"

namespace gaggle {

namespace {

constexpr int kControlQueue = 32;  // messages inside libzmq, per peer
constexpr int kBulkQueue = 8;
constexpr std::size_t kControlWaiting = 128;  // messages before it, per peer
constexpr std::size_t kBulkWaiting = 8;
constexpr Duration kWaitingMax = 5s;
constexpr Duration kPauseFirst = 100ms;
constexpr Duration kPauseMax = 5s;
/// libzmq tells of a refused connect and of a handshake that takes too long, but not of a name that
/// cannot be resolved.
constexpr Duration kDialMax = 10s;
constexpr std::size_t kReplyBytes = 1U << 10U;  // nobody answers on a dialled connection

std::size_t waiting_max(Channel channel) {
    return channel == Channel::control ? kControlWaiting : kBulkWaiting;
}

}  // namespace

Outbound::Outbound(const ZmqContext& control, const ZmqContext& bulk, OutboundConfig config,
                   Rng rng)
    : control_(control), bulk_(bulk), config_(std::move(config)), rng_(rng) {}

void Outbound::set_peer(PeerId peer, Endpoint endpoint) {
    const auto known = directory_.find(peer);
    if (known != directory_.end() && known->second == endpoint) return;
    remove_links(peer);
    directory_[peer] = std::move(endpoint);
}

void Outbound::forget_peer(PeerId peer) {
    remove_links(peer);
    directory_.erase(peer);
}

void Outbound::remove_links(PeerId peer) {
    for (const Channel channel : {Channel::control, Channel::bulk}) {
        const auto link = links_.find({peer, channel});
        if (link == links_.end()) continue;
        if (link->second.lags) config_.lagging(peer, channel, false);
        links_.erase(link);
    }
}

void Outbound::push(TimePoint now, PeerId peer, Channel channel, Bytes message) {
    if (!directory_.contains(peer)) return;
    const LinkId id{peer, channel};
    Link& link = links_[id];
    link.used = now;
    if (link.waiting.size() < waiting_max(channel))
        link.waiting.push_back({std::move(message), now});
    say_lagging(id, link);
}

void Outbound::step(TimePoint now) {
    for (auto at = links_.begin(); at != links_.end();) {
        auto& [id, link] = *at;
        if (link.dialled) look(now, id, link);
        if (!link.dialled && !link.waiting.empty() && now >= link.retry_at)
            dial_peer(now, id, link);
        flush(now, id, link);
        at = done_with(now, link) ? links_.erase(at) : std::next(at);
    }
}

void Outbound::look(TimePoint now, const LinkId& id, Link& link) {
    for (const ConnectionEvent& event : link.dialled->monitor.events()) {
        switch (event.kind) {
            case ConnectionEvent::Kind::admitted:
                link.connected = true;
                link.pause = {};
                config_.link({id.first, id.second, LinkEvent::Kind::connected});
                break;
            case ConnectionEvent::Kind::refused:
            case ConnectionEvent::Kind::closed:
                drop(now, link);
                config_.link({id.first, id.second, LinkEvent::Kind::closed});
                return;
            default: break;
        }
    }
    if (link.connected || now - link.dialled_at < kDialMax) return;
    drop(now, link);
    config_.link({id.first, id.second, LinkEvent::Kind::closed});
}

void Outbound::drop(TimePoint now, Link& link) {
    link.dialled.reset();
    link.connected = false;
    link.pause = std::clamp(link.pause * 2, kPauseFirst, kPauseMax);
    // A quarter either way, so that many who lost the same peer do not come back together.
    const std::int64_t quarter = link.pause.count() / 4;
    link.retry_at = now + link.pause + Duration(rng_.between(-quarter, quarter));
}

void Outbound::dial_peer(TimePoint now, const LinkId& id, Link& link) {
    const auto& [peer, channel] = id;
    make_room(channel);
    const Endpoint& endpoint = directory_.at(peer);
    const bool control = channel == Channel::control;
    auto dialled =
        dial(control ? control_ : bulk_,
             {.own = config_.own,
              .server = endpoint.curve,
              .address = tcp_address(endpoint.host, port_of(endpoint.base_port, channel)),
              .send_queue = control ? kControlQueue : kBulkQueue,
              .frame_bytes_max = kReplyBytes});
    if (dialled.ok()) {
        link.dialled = std::move(dialled).value();
        link.dialled_at = now;
        return;
    }
    log::debug("peer {}: {}", short_text(peer), dialled.error().detail);
    drop(now, link);
    config_.link({peer, channel, LinkEvent::Kind::closed});
}

/// Closes the connection that was used longest ago when the channel has as many as it may.
void Outbound::make_room(Channel channel) {
    std::size_t open = 0;
    Link* oldest = nullptr;
    for (auto& [id, link] : links_) {
        if (id.second != channel || !link.dialled) continue;
        ++open;
        if (oldest == nullptr || link.used < oldest->used) oldest = &link;
    }
    if (open < config_.limits.links_max || oldest == nullptr) return;
    oldest->dialled.reset();
    oldest->connected = false;
}

void Outbound::flush(TimePoint now, const LinkId& id, Link& link) {
    while (!link.waiting.empty() && now - link.waiting.front().since > kWaitingMax)
        link.waiting.pop_front();
    while (link.dialled && link.connected && !link.waiting.empty()) {
        if (!link.dialled->socket.send(link.waiting.front().message)) break;
        link.waiting.pop_front();
    }
    say_lagging(id, link);
}

void Outbound::say_lagging(const LinkId& id, Link& link) {
    const bool lags = link.waiting.size() >= waiting_max(id.second);
    if (lags == link.lags) return;
    link.lags = lags;
    config_.lagging(id.first, id.second, lags);
}

bool Outbound::done_with(TimePoint now, const Link& link) const {
    // What it learned about pauses is kept until the idle time is over, too.
    return link.waiting.empty() && now - link.used > config_.limits.link_idle_max;
}

std::vector<Outbound::Handle> Outbound::handles() const {
    std::vector<Handle> out;
    for (const auto& [id, link] : links_) {
        if (!link.dialled) continue;
        out.push_back({link.dialled->monitor.handle(), false});
        out.push_back({link.dialled->socket.handle(), link.connected && !link.waiting.empty()});
    }
    return out;
}

std::optional<TimePoint> Outbound::next_wakeup() const {
    std::optional<TimePoint> out;
    const auto earlier = [&](TimePoint time) { out = out ? std::min(*out, time) : time; };
    for (const auto& [id, link] : links_) {
        if (link.waiting.empty()) continue;
        earlier(link.waiting.front().since + kWaitingMax);
        if (!link.dialled) earlier(link.retry_at);
        if (link.dialled && !link.connected) earlier(link.dialled_at + kDialMax);
    }
    return out;
}

}  // namespace gaggle
