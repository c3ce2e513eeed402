#include "gctl/agent/api_core.h"

#include "gctl/agent/api_logs.h"
#include "gctl/agent/api_routes.h"

namespace gaggle {

ApiCore::ApiCore(ApiInfo info) : info_(std::move(info)) {}

ApiEffects ApiCore::step(node::Now now, Input input) {
    ApiEffects out;
    std::visit([&](auto& what) { on(now, what, out); }, input);
    return out;
}

void ApiCore::on(node::Now now, Arrived& arrived, ApiEffects& out) {
    const auto [at, fresh] = exchanges_.emplace(
        arrived.exchange, Exchange(arrived.exchange, info_, std::move(arrived.request)));
    INVARIANT(fresh);
    Exchange& exchange = at->second;
    exchange.now_ = now;
    const auto found = match_route(exchange.request().method, exchange.request().segments);
    if (!found) {
        exchange.refuse(404, "no such path: " + exchange.request().path);
    } else if (found->handler == nullptr) {
        exchange.refuse(405, "Invalid method");
    } else {
        exchange.wild_ = found->wild;
        found->handler(exchange);
    }
    settle(at, out);
}

void ApiCore::on(node::Now, const Gone& gone, ApiEffects& out) {
    const auto at = exchanges_.find(gone.exchange);
    if (at == exchanges_.end()) return;
    if (const std::uint64_t asked = at->second.asked_; asked != 0) {
        asked_.erase(asked);
        out.cancels.push_back(asked);
    }
    exchanges_.erase(at);
}

void ApiCore::on(node::Now now, const Written& written, ApiEffects& out) {
    const auto at = exchanges_.find(written.exchange);
    if (at == exchanges_.end() || !at->second.logs) return;
    at->second.now_ = now;
    at->second.logs->written(at->second);
    settle(at, out);
}

void ApiCore::on(node::Now now, const Tick&, ApiEffects& out) {
    for (auto at = exchanges_.begin(); at != exchanges_.end();) {
        const auto next = std::next(at);  // settle() may erase it
        if (at->second.logs) {
            at->second.now_ = now;
            at->second.logs->tick(at->second);
            settle(at, out);
        }
        at = next;
    }
}

void ApiCore::on(node::Now now, node::ApiReply& reply, ApiEffects& out) {
    const auto asked = asked_.find(reply.id);
    if (asked == asked_.end()) return;  // its client has gone
    const auto at = exchanges_.find(asked->second);
    asked_.erase(asked);
    INVARIANT(at != exchanges_.end());
    at->second.now_ = now;
    at->second.asked_ = 0;
    const Exchange::Then then = std::move(at->second.then_);
    then(at->second, std::move(reply.what));
    settle(at, out);
}

void ApiCore::settle(std::map<ExchangeId, Exchange>::iterator at, ApiEffects& out) {
    Exchange& exchange = at->second;
    for (ToClient& one : exchange.out_) out.clients.push_back(std::move(one));
    exchange.out_.clear();
    if (exchange.question_) {
        exchange.asked_ = next_ask_++;
        asked_[exchange.asked_] = at->first;
        out.asks.push_back({exchange.asked_, std::move(*exchange.question_)});
        exchange.question_.reset();
    }
    if (exchange.done_) {
        INVARIANT(exchange.asked_ == 0);
        exchanges_.erase(at);
    } else {
        INVARIANT(exchange.asked_ != 0 || exchange.logs);  // else it would never be answered
    }
}

std::optional<TimePoint> ApiCore::next_wakeup() const {
    std::optional<TimePoint> soonest;
    for (const auto& [id, exchange] : exchanges_) {
        if (!exchange.logs) continue;
        const std::optional<TimePoint> due = exchange.logs->next_wakeup();
        if (due && (!soonest || *due < *soonest)) soonest = due;
    }
    return soonest;
}

}  // namespace gaggle
