// What tasks and machines use, whichever peer knows it.
#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_figures.h"

namespace gaggle {

void show_alloc_stats(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_alloc(exchange, [](Exchange& later, const NamedAlloc& alloc) {
        const std::string task = later.parameter("task");
        if (!task.empty() && !alloc.may_have_task(task))
            return later.refuse(404, "unknown task name \"" + task + "\"");
        ask_local<node::AllocFigures>(later, {.alloc = alloc.id, .what = node::MeasureAlloc{task}},
                                      [](Exchange& last, node::AllocFigures& figures) {
                                          last.respond({}, render_alloc_figures(figures));
                                      });
    });
}

namespace {

void measure_host(Exchange& exchange, const PeerId& peer) {
    ask_local<node::HostFigures>(exchange, {.peer = peer, .what = node::MeasureHost{}},
                                 [](Exchange& later, node::HostFigures& figures) {
                                     later.respond({}, render_host_figures(figures));
                                 });
}

}  // namespace

/// Of this peer, or of `node_id`, which may be shortened where a ledger is in reach.
void show_host_stats(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::string id = exchange.parameter("node_id");
    if (id.empty()) return measure_host(exchange, {});
    if (const auto peer = parse_id<PeerId>(id)) return measure_host(exchange, *peer);
    const auto query = query_for(exchange, node::QueryKind::peer, id);
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, node::Answer& answer) {
            measure_host(later, answer.peers.front().who.id);
        },
        "node not found");
}

}  // namespace gaggle
