// Names of the node's durable keys in the store, for the node and for who prepares a first start.
#pragma once

namespace gaggle::node {

inline constexpr const char* kOrdersKey = "orders";      ///< ledger::PeerOrders
inline constexpr const char* kRosterKey = "roster";      ///< cards of peers to begin with
inline constexpr const char* kExpelledKey = "expelled";  ///< signed statements
inline constexpr const char* kFoundKey = "found";        ///< ledger::Found, of the founder

}  // namespace gaggle::node
