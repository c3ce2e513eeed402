// The difference of two JSON objects as Nomad lists it: fields that are plain, and objects below.
#pragma once

#include <set>
#include <string>

#include "gctl/agent/json_value.h"

namespace gaggle {

struct ValueDiff {
    List fields;   ///< Nomad's FieldDiff, by name
    List objects;  ///< Nomad's ObjectDiff, by name
    bool any() const { return !fields.empty() || !objects.empty(); }
};

/// Of the members that `skipped` does not name. A null object stands for one that is not there.
ValueDiff diff_objects(const Value& before, const Value& after,
                       const std::set<std::string>& skipped = {});

/// "Added", "Deleted", "Edited" or "None".
const char* diff_type(const Value& before, const Value& after, bool any);
Value field_diff(const std::string& name, const std::string& before, const std::string& after);

}  // namespace gaggle
