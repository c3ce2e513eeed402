// Whether a peer is what a job asks for: Nomad's constraint and affinity operands.
//
// Pure text against text. A target in "${...}" is looked up in the peer's description, anything
// else is itself. A target that the peer does not have fails every operand but `!=` and
// `is_not_set`. The distinct_* operands are about other allocations, not about a peer alone: they
// always hold here, and place.h judges them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "placement/scheduler/view.h"

namespace gaggle {

/// ${attr.*}, ${meta.*}, ${node.unique.id|unique.name|datacenter|class|pool} or a literal.
std::optional<std::string> resolve_target(std::string_view target, const PeerView& peer);

/// `left` and `right` are what the targets resolved to. An unknown operand, a malformed version or
/// a malformed regexp holds for nobody.
bool operand_holds(std::string_view operand, const std::optional<std::string>& left,
                   const std::optional<std::string>& right);

bool holds(const Constraint& constraint, const PeerView& peer);
bool holds(const Affinity& affinity, const PeerView& peer);

/// As Nomad prints it: "${attr.kernel.name} = windows".
std::string text_of(const Constraint& constraint);

bool is_distinct_hosts(const Constraint& constraint);  ///< and not switched off by "false"
bool is_distinct_property(const Constraint& constraint);

}  // namespace gaggle
