// What people do to one allocation: restart or signal its tasks, stop it and have it replaced.
#include <algorithm>
#include <cctype>

#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "placement/jobspec/diagnostic.h"
#include "placement/jobspec/signals.h"

namespace gaggle {

namespace {

using Kind = node::CommandTask::Kind;

/// As people type them, HUP, hup or sighup, in full.
std::string full_name(std::string name) {
    std::ranges::transform(name, name.begin(), [](unsigned char letter) {
        return static_cast<char>(std::toupper(letter));
    });
    return name.starts_with("SIG") ? name : "SIG" + name;
}

std::string signal_hint(const std::string& name) {
    const std::string meant = nearest(full_name(name), signal_names());
    return meant.empty() ? "; wanted a name such as SIGHUP, SIGTERM or SIGUSR1"
                         : "; did you mean " + meant + "?";
}

/// The peer that runs the allocation obeys, or says why it cannot.
void command(Exchange& exchange, node::CommandTask what) {
    with_alloc(exchange, [what = std::move(what)](Exchange& later, const NamedAlloc& alloc) {
        if (!what.task.empty() && !alloc.may_have_task(what.task))
            return later.refuse(
                404, "unknown task name \"" + what.task + "\"; it has: " + alloc.tasks());
        ask_local<node::Done>(later, {.alloc = alloc.id, .peer = {}, .what = what},
                              [](Exchange& last, node::Done&) {
                                  last.respond({}, val(Object{{"Index", val(0)}}));
                              });
    });
}

void answer_stopped(Exchange& exchange, const NodeReply& reply) {
    if (!reply.ok()) return exchange.fail(reply.error());
    const auto* done = std::get_if<node::Registered>(&*reply);
    if (done == nullptr)
        return exchange.refuse(500, "the node did not say what became of the allocation");
    exchange.respond({.index = done->index},
                     val(Object{{"EvalID", val(done->eval)}, {"Index", val(done->index)}}));
}

}  // namespace

void restart_allocation(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<Value> body = body_object(exchange);
    if (!body) return;
    const bool all = member_or(*body, "AllTasks", false);
    node::CommandTask what{.task = member_or<std::string>(*body, "TaskName", ""),
                           .kind = all ? Kind::restart_all : Kind::restart};
    if (all && !what.task.empty())
        return exchange.refuse(400, "restart task \"" + what.task +
                                        "\" or all tasks: give TaskName or AllTasks, not both");
    command(exchange, std::move(what));
}

void signal_allocation(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<Value> body = body_object(exchange);
    if (!body) return;
    const auto name = member_or<std::string>(*body, "Signal", "");
    const auto number = name.empty() ? std::nullopt : signal_number(full_name(name));
    if (!number)
        return exchange.refuse(400, name.empty() ? "must provide a signal, such as SIGHUP"
                                                 : "unknown signal \"" + name + "\"" +
                                                       signal_hint(name));
    command(exchange, {.task = member_or<std::string>(*body, "Task", ""),
                       .kind = Kind::signal,
                       .signal = *number});
}

/// The ledger says which allocation a shortened id means.
void stop_allocation(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<bool> no_delay = flag(exchange, "no_shutdown_delay");
    if (!no_delay) return;
    const node::Query which{
        .kind = node::QueryKind::allocation, .id = exchange.id(), .stale = true};
    exchange.query(
        which,
        [no_delay](Exchange& later, node::Answer& answer) {
            later.ask(
                node::StopAlloc{.alloc = answer.allocs.front().id, .no_shutdown_delay = *no_delay},
                [](Exchange& last, NodeReply reply) { answer_stopped(last, reply); });
        },
        "alloc not found");
}

}  // namespace gaggle
