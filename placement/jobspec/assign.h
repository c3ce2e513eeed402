// A free-form value into a field of a known type. HCL and JSON share the rules and the words.
//
// Each function answers with what is wrong, as "wanted a number, found a list"; empty when all is
// well. A null leaves the field as it was, except for a duration, where Nomad refuses it too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "placement/jobspec/value.h"

namespace gaggle {

std::string assign(const Value& value, std::string& field);
std::string assign(const Value& value, std::int64_t& field);
std::string assign(const Value& value, bool& field);
std::string assign(const Value& value, Duration& field);
std::string assign(const Value& value, std::vector<std::string>& field);
/// Values that are null are left out.
std::string assign(const Value& value, std::map<std::string, std::string>& field);
std::string assign(const Value& value, std::map<std::string, std::vector<std::string>>& field);

template <class Tag>
std::string assign(const Value& value, Quantity<Tag>& field) {
    return assign(value, field.value);
}

template <class T>
std::string assign(const Value& value, std::optional<T>& field) {
    if (std::holds_alternative<std::monostate>(value.data) && !std::is_same_v<T, Duration>)
        return "";
    T inner{};
    std::string problem = assign(value, inner);
    if (problem.empty()) field = std::move(inner);
    return problem;
}

/// Index of the name in `names` that `value` is; on anything else `problem` says which there are.
std::optional<std::size_t> choose(const Value& value, const std::vector<std::string>& names,
                                  std::string& problem);

}  // namespace gaggle
