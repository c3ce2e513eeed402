// A free-form value: what HCL evaluates to, and what a driver's `config` block holds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace gaggle {

struct Value {
    using List = std::vector<Value>;
    using Map = std::map<std::string, Value>;

    std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;

    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.data);
    }
    bool operator==(const Value&) const = default;
};

}  // namespace gaggle
