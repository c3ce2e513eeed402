// The type of a variable, and values made to fit it.
//
// Source: type constraints of HCL2 as Nomad's variables use them: string, number, bool, any,
// list(T), set(T), map(T), object({name = T, name = optional(T)}), tuple([T, ...]).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "placement/jobspec/hcl_ast.h"

namespace gaggle::hcl {

struct VarType {
    enum class Kind { any, string, number, boolean, list, set, map, object, tuple };

    Kind kind = Kind::any;
    std::vector<VarType> inner;             ///< one of list, set and map; each of a tuple
    std::map<std::string, VarType> fields;  ///< of an object
    bool optional = false;                  ///< a field that may be left out (it is null then)

    bool operator==(const VarType&) const = default;
};

/// Nothing after an error, which is reported.
std::optional<VarType> var_type(const Expression& expression, Diagnostics& diagnostics);

/// The value as one of `type`, with texts and numbers converted. Null fits every type.
/// Errc::invalid says what does not fit, as "item 2: wanted a number, found a list".
Result<Value> converted(const Value& value, const VarType& type);

}  // namespace gaggle::hcl
