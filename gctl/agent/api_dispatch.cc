// A parameterized job is dispatched: its child is registered like any other job.
#include "base/hash.h"
#include "base/wire.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "placement/jobspec/dispatch.h"
#include "placement/jobspec/validate.h"

namespace gaggle {

namespace {

/// Nothing when the body is wrong, and then the exchange is refused.
std::optional<Dispatch> dispatch_in(Exchange& exchange) {
    const std::optional<Value> body = body_object(exchange);
    if (!body) return std::nullopt;
    Dispatch out;
    const auto payload = from_base64(member_or<std::string>(*body, "Payload", ""));
    if (!payload) {
        exchange.refuse(400, "Payload is not base64");
        return std::nullopt;
    }
    out.payload.assign(payload->begin(), payload->end());
    out.id_prefix = member_or<std::string>(*body, "IdPrefixTemplate", "");
    for (const auto& [key, value] : member_or<Object>(*body, "Meta", {})) {
        const auto* text = std::get_if<std::string>(&value.data);
        if (text == nullptr) {
            exchange.refuse(400, "Meta of \"" + key + "\" is no text");
            return std::nullopt;
        }
        out.meta[key] = *text;
    }
    return out;
}

/// The same for nobody else: another peer, another request, another moment. Should two ever agree,
/// the second is refused, for its job must be new.
std::uint32_t unique_number(const Exchange& exchange, const Job& parent) {
    const Hash hash = hash_of(as_bytes(exchange.info().name + "/" + parent.id + "/" +
                                       std::to_string(exchange.wall().nanoseconds) + "/" +
                                       std::to_string(exchange.now().time_since_epoch().count())));
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | hash.bytes[i];
    return number;
}

void answer_dispatched(Exchange& exchange, const NodeReply& reply, const std::string& id) {
    if (!reply.ok()) return exchange.fail(reply.error());
    const auto* done = std::get_if<node::Registered>(&*reply);
    if (done == nullptr) return exchange.refuse(500, "the node did not say what became of the job");
    exchange.respond({.index = done->index}, val(Object{{"DispatchedJobID", val(id)},
                                                        {"EvalID", val(done->eval)},
                                                        {"EvalCreateIndex", val(done->eval_index)},
                                                        {"JobCreateIndex", val(done->index)},
                                                        {"Index", val(done->index)}}));
}

}  // namespace

void dispatch_job(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<Dispatch> dispatch = dispatch_in(exchange);
    if (!dispatch) return;
    const auto which = query_for(exchange, node::QueryKind::job, exchange.id());
    if (!which) return;
    exchange.query(
        *which,
        [dispatch](Exchange& later, node::Answer& answer) {
            const ledger::JobVersion& parent = answer.jobs.front().current();
            if (parent.stopped)
                return later.refuse(400, "Specified job \"" + parent.job.id + "\" is stopped");
            const std::string id = dispatched_id(parent.job, *dispatch, later.wall(),
                                                 unique_number(later, parent.job));
            Result<Job> child = dispatched(parent.job, *dispatch, id);
            if (!child.ok()) return later.refuse(400, child.error().detail);
            for (const Diagnostic& found : validate(*child))
                if (found.severity == Diagnostic::Severity::error)
                    return later.refuse(400, "dispatch job \"" + parent.job.id +
                                                 "\": " + found.path + ": " + found.message);
            later.ask(
                node::RegisterJob{.job = std::move(*child), .check_index = 0},
                [id](Exchange& last, NodeReply reply) { answer_dispatched(last, reply, id); });
        },
        "parameterized job not found");
}

}  // namespace gaggle
