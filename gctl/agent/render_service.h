// Services as the API shows them: Nomad's ServiceRegistration and its list of names.
#pragma once

#include <string>
#include <vector>

#include "gctl/agent/json_value.h"
#include "gctl/node/query.h"

namespace gaggle {

/// Nomad's ServiceRegistrations of all allocations in the answer, by id. With a `name` only those
/// of that service. `TaskName` and `Health` are ours: "passing", "pending" or "failing".
Value::List render_registrations(const node::Answer& answer, const std::string& name = "");

/// One entry per namespace, each with the names of its services and all their tags.
Value::List render_service_names(const node::Answer& answer);

/// `count` of the registrations: always the same ones for the same key, and as few others as can be
/// when one comes or goes (rendezvous hashing). Fewer when there are not so many.
Value::List chosen(Value::List registrations, std::size_t count, const std::string& key);

}  // namespace gaggle
