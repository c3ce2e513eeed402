// The parameters that all of Nomad's reads have in common (nomad.md section 2.1).
#pragma once

#include <optional>

#include "gctl/agent/api_exchange.h"

namespace gaggle {

constexpr Duration kWaitDefault = 300s;  ///< and the limit, which the node keeps

/// Whether the request's region, if it names one, is this one: no other is served. If not, the
/// exchange is refused.
bool region_is_ours(Exchange& exchange);

/// A query of this kind with the request's namespace, index, wait and stale. Nothing when one of
/// them is wrong, and then the exchange is refused.
/// Most lists do not take a filter expression, and refuse one.
enum class Filters { refused, taken };
std::optional<node::Query> query_for(Exchange& exchange, node::QueryKind kind, std::string id = "",
                                     Filters filters = Filters::refused);
/// The same with `prefix` as the id. A UUID's prefix of one character is refused, as Nomad does.
enum class IdKind { job, uuid };
std::optional<node::Query> list_query(Exchange& exchange, node::QueryKind kind, IdKind ids);

/// Go's bool: "1", "t", "true", ...; a bare parameter is true. Nothing for anything else, and then
/// the exchange is refused.
std::optional<bool> flag(Exchange& exchange, const std::string& name, bool otherwise = false);

/// The request's body as an object; nothing when it is not, and then the exchange is refused.
std::optional<Value> body_object(Exchange& exchange);

}  // namespace gaggle
