// What is finished is let go before its time: everywhere, on one peer, or of one allocation.
#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"

namespace gaggle {

namespace {

void collect_there(Exchange& exchange, node::AskPeer question) {
    ask_local<node::Done>(exchange, std::move(question),
                          [](Exchange& later, node::Done&) { later.respond({}, val(Object{})); });
}

}  // namespace

void collect_garbage(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    exchange.ask(node::CollectAll{}, [](Exchange& later, NodeReply reply) {
        if (!reply.ok()) return later.fail(reply.error());
        later.respond({}, val(Object{}));
    });
}

/// Of this peer, or of `node_id`. The ledger keeps its records of what ran there.
void collect_peer(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_node_id(exchange, [](Exchange& later, const PeerId& peer) {
        collect_there(later, {.peer = peer, .what = node::CollectDirs{}});
    });
}

void collect_allocation(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_alloc(exchange, [](Exchange& later, const NamedAlloc& alloc) {
        collect_there(later, {.alloc = alloc.id, .what = node::CollectDirs{}});
    });
}

}  // namespace gaggle
