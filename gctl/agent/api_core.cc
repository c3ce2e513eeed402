#include "gctl/agent/api_core.h"

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
    if (at->second.flow) at->second.flow->gone(at->second);
    end(at, out);
}

void ApiCore::on(node::Now now, const Message& message, ApiEffects& out) {
    const auto at = exchanges_.find(message.exchange);
    if (at == exchanges_.end() || !at->second.flow) return;
    at->second.now_ = now;
    at->second.flow->message(at->second, message.text);
    settle(at, out);
}

void ApiCore::on(node::Now now, const Written& written, ApiEffects& out) {
    const auto at = exchanges_.find(written.exchange);
    if (at == exchanges_.end() || !at->second.flow) return;
    at->second.now_ = now;
    at->second.flow->written(at->second);
    settle(at, out);
}

void ApiCore::on(node::Now now, const Tick&, ApiEffects& out) {
    for (auto at = exchanges_.begin(); at != exchanges_.end();) {
        const auto next = std::next(at);  // settle() may erase it
        const auto due = at->second.flow ? at->second.flow->next_wakeup() : std::nullopt;
        if (due && *due <= now.time) {
            at->second.now_ = now;
            at->second.flow->tick(at->second);
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
    const auto question = at->second.asked_.extract(reply.id);
    INVARIANT(!question.empty());
    question.mapped()(at->second, std::move(reply.what));
    settle(at, out);
}

void ApiCore::settle(std::map<ExchangeId, Exchange>::iterator at, ApiEffects& out) {
    Exchange& exchange = at->second;
    for (ToClient& one : exchange.out_) out.clients.push_back(std::move(one));
    exchange.out_.clear();
    if (exchange.done_) return end(at, out);
    for (Exchange::Question& question : exchange.questions_) {
        const std::uint64_t number = next_ask_++;
        exchange.asked_[number] = std::move(question.then);
        asked_[number] = at->first;
        out.asks.push_back({number, std::move(question.what)});
    }
    exchange.questions_.clear();
    INVARIANT(!exchange.asked_.empty() || exchange.flow);  // else it would never be answered
}

/// Nobody waits for its answers any more; what it asked last is asked all the same.
void ApiCore::end(std::map<ExchangeId, Exchange>::iterator at, ApiEffects& out) {
    for (const auto& [number, then] : at->second.asked_) {
        asked_.erase(number);
        out.cancels.push_back(number);
    }
    for (Exchange::Question& question : at->second.questions_)
        out.asks.push_back({next_ask_++, std::move(question.what)});
    exchanges_.erase(at);
}

std::optional<TimePoint> ApiCore::next_wakeup() const {
    std::optional<TimePoint> soonest;
    for (const auto& [id, exchange] : exchanges_) {
        if (!exchange.flow) continue;
        const std::optional<TimePoint> due = exchange.flow->next_wakeup();
        if (due && (!soonest || *due < *soonest)) soonest = due;
    }
    return soonest;
}

}  // namespace gaggle
