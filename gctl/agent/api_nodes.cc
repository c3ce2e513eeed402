// Reads about peers, which are Nomad's nodes.
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_alloc.h"
#include "gctl/agent/render_node.h"

namespace gaggle {

namespace {

using node::Answer;
using node::QueryKind;

constexpr const char* kNoNode = "node not found";

}  // namespace

void list_nodes(Exchange& exchange) {
    const auto query = list_query(exchange, QueryKind::peers, IdKind::uuid);
    if (!query) return;
    const std::optional<bool> resources = flag(exchange, "resources");
    if (!resources) return;
    exchange.query(*query, [resources = *resources](Exchange& later, Answer& answer) {
        List nodes;
        for (const ledger::PeerRecord& peer : answer.peers)
            nodes.push_back(render_node_stub(peer, resources));
        later.answer(answer, val(std::move(nodes)));
    });
}

void show_node(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::peer, exchange.id());
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, Answer& answer) {
            later.answer(answer, render_node(answer.peers.front()));
        },
        kNoNode);
}

void list_node_allocations(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::peer_allocations, exchange.id());
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, Answer& answer) {
            newest_first(answer.allocs);
            AllocRenderer renderer(answer);
            List allocs;
            for (const ledger::AllocRecord& alloc : answer.allocs)
                allocs.push_back(renderer.full(alloc));
            later.answer(answer, val(std::move(allocs)));
        },
        kNoNode);
}

}  // namespace gaggle
