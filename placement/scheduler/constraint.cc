#include "placement/scheduler/constraint.h"

#include <charconv>
#include <compare>
#include <set>

#include "placement/scheduler/regexp.h"
#include "placement/scheduler/version.h"

namespace gaggle {

namespace {

std::optional<std::string> find(const std::map<std::string, std::string>& values,
                                std::string_view key) {
    const auto found = values.find(std::string(key));
    if (found == values.end()) return std::nullopt;
    return found->second;
}

template <class Number>
std::optional<Number> whole(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Integers by value, else numbers by value, else texts by their bytes.
std::partial_ordering order(const std::string& left, const std::string& right) {
    const auto left_integer = whole<std::int64_t>(left), right_integer = whole<std::int64_t>(right);
    if (left_integer && right_integer) return *left_integer <=> *right_integer;
    const auto left_real = whole<double>(left), right_real = whole<double>(right);
    if (left_real && right_real) return *left_real <=> *right_real;
    return left <=> right;
}

/// The members of "a, b,c".
std::set<std::string> members(std::string_view list) {
    std::set<std::string> out;
    for (;;) {
        const std::size_t comma = list.find(',');
        std::string_view item = list.substr(0, comma);
        while (item.starts_with(' ')) item.remove_prefix(1);
        while (item.ends_with(' ')) item.remove_suffix(1);
        out.emplace(item);
        if (comma == std::string_view::npos) return out;
        list.remove_prefix(comma + 1);
    }
}

bool contains_all(const std::string& list, const std::string& wanted) {
    const auto have = members(list);
    for (const auto& item : members(wanted))
        if (!have.contains(item)) return false;
    return true;
}

bool contains_any(const std::string& list, const std::string& wanted) {
    const auto have = members(list);
    for (const auto& item : members(wanted))
        if (have.contains(item)) return true;
    return false;
}

bool regexp_matches(const std::string& text, const std::string& pattern) {
    const auto regexp = Regexp::compile(pattern);
    return regexp.ok() && regexp->search(text);
}

/// Operands that need both sides.
bool compares(std::string_view operand, const std::string& left, const std::string& right) {
    if (operand == "=" || operand == "==" || operand == "is") return left == right;
    if (operand == "!=" || operand == "not") return left != right;
    if (operand == "<") return order(left, right) < 0;
    if (operand == "<=") return order(left, right) <= 0;
    if (operand == ">") return order(left, right) > 0;
    if (operand == ">=") return order(left, right) >= 0;
    if (operand == "regexp") return regexp_matches(left, right);
    if (operand == "version") return version_meets(left, right, VersionSyntax::lenient);
    if (operand == "semver") return version_meets(left, right, VersionSyntax::semver);
    if (operand == "set_contains" || operand == "set_contains_all")
        return contains_all(left, right);
    if (operand == "set_contains_any") return contains_any(left, right);
    return false;
}

}  // namespace

std::optional<std::string> resolve_target(std::string_view target, const PeerView& peer) {
    if (!target.starts_with("${")) return std::string(target);
    if (!target.ends_with('}')) return std::nullopt;
    const std::string_view name = target.substr(2, target.size() - 3);
    const Description& who = peer.description;
    if (name == "node.unique.id") return to_string(peer.id);
    if (name == "node.unique.name") return who.name;
    if (name == "node.datacenter") return who.datacenter;
    if (name == "node.class") return who.node_class;
    if (name == "node.pool") return who.node_pool;
    if (name.starts_with("attr.")) return find(who.attributes, name.substr(5));
    if (name.starts_with("meta.")) return find(who.meta, name.substr(5));
    return std::nullopt;
}

bool operand_holds(std::string_view operand, const std::optional<std::string>& left,
                   const std::optional<std::string>& right) {
    if (operand == "distinct_hosts" || operand == "distinct_property") return true;
    if (operand == "is_set") return left.has_value();
    if (operand == "is_not_set") return !left.has_value();
    if (operand == "!=" || operand == "not") return left != right;
    return left && right && compares(operand, *left, *right);
}

bool holds(const Constraint& constraint, const PeerView& peer) {
    return operand_holds(constraint.operand, resolve_target(constraint.left, peer),
                         resolve_target(constraint.right, peer));
}

bool holds(const Affinity& affinity, const PeerView& peer) {
    return operand_holds(affinity.operand, resolve_target(affinity.left, peer),
                         resolve_target(affinity.right, peer));
}

std::string text_of(const Constraint& constraint) {
    if (is_distinct_hosts(constraint)) return "distinct_hosts";
    if (constraint.operand == "is_set" || constraint.operand == "is_not_set")
        return constraint.left + " " + constraint.operand;
    return constraint.left + " " + constraint.operand + " " + constraint.right;
}

bool is_distinct_hosts(const Constraint& constraint) {
    return constraint.operand == "distinct_hosts" && constraint.right != "false";
}

bool is_distinct_property(const Constraint& constraint) {
    return constraint.operand == "distinct_property";
}

}  // namespace gaggle
