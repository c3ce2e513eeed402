// Questions to the one peer that runs an allocation: what their handlers share.
//
// The ledger knows what a shortened id means and which tasks there are; without it, a peer may
// still know the allocation itself, so a full id is enough.
#pragma once

#include <functional>
#include <optional>

#include "gctl/agent/api_exchange.h"

namespace gaggle {

/// Whether a task will write no more.
enum class Ending {
    none,
    ended,
    lost  ///< and its peer with it: who asks there for the rest may ask in vain
};

struct NamedAlloc {
    AllocId id;
    const node::Answer* record = nullptr;  ///< nullptr: the ledger could not be asked. Only for now

    /// Whether its group has this task, or nobody knows.
    bool may_have_task(const std::string& task) const;
    /// The only task of its group; "" when there are several or nobody knows.
    std::string only_task() const;
    /// Of the task: it is dead, which is for good (one that is to be restarted is pending), or its
    /// allocation has ended. `none` when nobody knows.
    Ending ending(const std::string& task) const;
    /// "client, server"; "" when nobody knows.
    std::string tasks() const;
};

/// Finds the allocation of the path's `*`; refuses when there is none.
void with_alloc(Exchange& exchange, std::function<void(Exchange&, const NamedAlloc& alloc)> then);

/// The peer that the parameter `node_id` means, which may be shortened where a ledger is in reach;
/// the empty id, for this peer, without one. Refuses when there is none.
void with_node_id(Exchange& exchange, std::function<void(Exchange&, const PeerId& peer)> then);

/// Asks; an error, or an answer of another kind than `Wanted`, ends the exchange.
template <class Wanted>
void ask_local(Exchange& exchange, node::AskPeer question,
               std::function<void(Exchange&, Wanted&)> then) {
    exchange.ask(std::move(question), [then = std::move(then)](Exchange& later, NodeReply reply) {
        if (!reply.ok()) return later.fail(reply.error());
        auto* said = std::get_if<node::PeerSaid>(&*reply);
        auto* wanted = said == nullptr ? nullptr : std::get_if<Wanted>(&said->what);
        if (wanted == nullptr) return later.refuse(500, "the peer answered with something else");
        then(later, *wanted);
    });
}

/// A whole number in the query, `otherwise` when it is not there; nothing when it is none, and then
/// the exchange is refused.
std::optional<std::uint64_t> number(Exchange& exchange, const std::string& name,
                                    std::uint64_t otherwise);

}  // namespace gaggle
