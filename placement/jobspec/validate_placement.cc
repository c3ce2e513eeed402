// Rules for constraints, affinities and spreads.
#include <algorithm>
#include <charconv>
#include <set>

#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

const std::vector<std::string> kComparisons{"=",
                                            "==",
                                            "is",
                                            "!=",
                                            "not",
                                            "<",
                                            "<=",
                                            ">",
                                            ">=",
                                            "regexp",
                                            "version",
                                            "semver",
                                            "is_set",
                                            "is_not_set",
                                            "set_contains",
                                            "set_contains_all",
                                            "set_contains_any"};

bool needs_no_value(const std::string& operand) {
    return operand == "is_set" || operand == "is_not_set";
}

bool is_positive(const std::string& text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && number > 0;
}

/// What constraints and affinities have in common.
template <class Condition>
void validate_comparison(const Condition& one, const std::string& at, Findings& out) {
    if (!is_one_of(kComparisons, one.operand))
        return out.error(at, "unknown operator \"" + one.operand + "\"",
                         did_you_mean(one.operand, kComparisons));
    out.check(!one.left.empty(), at, "`attribute` is missing",
              "such as attribute = \"${attr.kernel.name}\"");
    out.check(needs_no_value(one.operand) || !one.right.empty(), at,
              "operator \"" + one.operand + "\" needs a `value`");
}

void validate_distinct(const Constraint& one, Level level, const std::string& at, Findings& out) {
    out.check(level != Level::task, at, one.operand + " has no place in a task",
              "put it in the group or the job");
    if (one.operand == "distinct_hosts")
        return out.check(one.right == "true" || one.right == "false", at,
                         "distinct_hosts is true or false, found \"" + one.right + "\"");
    out.check(!one.left.empty(), at, "distinct_property needs the name of a property");
    out.check(
        one.right.empty() || is_positive(one.right), at,
        "distinct_property allows a number above 0 for each value, found \"" + one.right + "\"");
}

}  // namespace

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void Findings::error(const std::string& path, std::string message, std::string hint) {
    list_.push_back({.message = std::move(message), .hint = std::move(hint), .path = path});
}

void Findings::check(bool good, const std::string& path, const std::string& message,
                     const std::string& hint) {
    if (!good) error(path, message, hint);
}

void validate_constraints(const std::vector<Constraint>& list, Level level, const std::string& path,
                          Findings& out) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string at = path + ".constraint." + std::to_string(i);
        if (list[i].operand.starts_with("distinct_")) {
            if (list[i].operand == "distinct_hosts" || list[i].operand == "distinct_property") {
                validate_distinct(list[i], level, at, out);
                continue;
            }
        }
        validate_comparison(list[i], at, out);
    }
}

void validate_affinities(const std::vector<Affinity>& list, const std::string& path,
                         Findings& out) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string at = path + ".affinity." + std::to_string(i);
        validate_comparison(list[i], at, out);
        out.check(
            list[i].weight >= -100 && list[i].weight <= 100 && list[i].weight != 0, at + ".weight",
            "weight " + std::to_string(list[i].weight) + " is not within -100 to 100, or is 0");
    }
}

void validate_spreads(const std::vector<Spread>& list, const std::string& path, Findings& out) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Spread& spread = list[i];
        const std::string at = path + ".spread." + std::to_string(i);
        out.check(!spread.attribute.empty(), at, "`attribute` is missing",
                  "such as attribute = \"${node.datacenter}\"");
        out.check(spread.weight >= 0 && spread.weight <= 100, at + ".weight",
                  "weight " + std::to_string(spread.weight) + " is not within 0 to 100");
        std::int64_t sum = 0;
        std::set<std::string> values;
        for (const SpreadTarget& target : spread.targets) {
            const bool within = target.percent >= 0 && target.percent <= 100;
            out.check(within, at + ".target." + target.value + ".percent",
                      "percent " + std::to_string(target.percent) + " is not within 0 to 100");
            out.check(values.insert(target.value).second, at,
                      "target \"" + target.value + "\" is there twice");
            if (within) sum += target.percent;
        }
        out.check(sum <= 100, at,
                  "the targets' percent sum to " + std::to_string(sum) + ", above 100");
    }
}

}  // namespace gaggle
