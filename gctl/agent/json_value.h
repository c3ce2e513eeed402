// Short words for building the API's JSON as values: `Object{{"ID", val(alloc.id)}, ...}`.
//
// The text is made by placement/jobspec/value_json; here is only what the renderers would otherwise
// repeat: ids as UUIDs, wall times as nanoseconds, spans as nanoseconds, and null for what is empty
// where Nomad shows null.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/units.h"
#include "placement/jobspec/value.h"

namespace gaggle {

using Object = Value::Map;
using List = Value::List;

inline Value val(std::string text) { return Value{std::move(text)}; }
inline Value val(const char* text) { return Value{std::string(text)}; }
inline Value val(std::same_as<bool> auto yes) { return Value{yes}; }
inline Value val(double number) { return Value{number}; }
template <std::integral T>
requires(!std::same_as<T, bool>) Value val(T number) {
    return Value{static_cast<std::int64_t>(number)};
}
template <class Tag>
Value val(const Id<Tag>& id) {
    return Value{to_string(id)};
}
template <class Tag, class Rep>
Value val(const Strong<Tag, Rep>& number) {
    return val(number.value);
}
template <class Tag>
Value val(const Quantity<Tag>& quantity) {
    return Value{quantity.value};
}
inline Value val(WallTime time) { return Value{time.nanoseconds}; }
inline Value val(Duration span) {
    return val(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count());
}
inline Value val(Object object) { return Value{std::move(object)}; }
inline Value val(List list) { return Value{std::move(list)}; }
template <class T>
Value val(const std::map<std::string, T>& map) {
    Object out;
    for (const auto& [key, item] : map) out[key] = val(item);
    return Value{std::move(out)};
}
template <class T>
Value val(const std::vector<T>& items) {
    List out;
    for (const T& item : items) out.push_back(val(item));
    return Value{std::move(out)};
}

inline Value null() { return {}; }
/// Of a list or map: null when there is nothing in it, as Go's JSON shows a nil one.
template <class T>
Value or_null(const T& items) {
    return items.empty() ? null() : val(items);
}
/// "" when there is none.
template <class T>
Value or_empty(const std::optional<T>& item) {
    return item ? val(*item) : val("");
}
/// RFC 3339; null when it is not known.
inline Value moment(WallTime time) {
    return time.nanoseconds == 0 ? null() : val(to_rfc3339(time));
}

/// The member of an object, or nullptr.
inline const Value* member(const Value& value, const std::string& name) {
    const auto* object = std::get_if<Object>(&value.data);
    if (object == nullptr) return nullptr;
    const auto found = object->find(name);
    return found == object->end() ? nullptr : &found->second;
}
/// What a request says under `name`, or `otherwise` when it is not there or of another type.
template <class T>
T member_or(const Value& value, const std::string& name, T otherwise) {
    const Value* found = member(value, name);
    if (found == nullptr) return otherwise;
    const T* typed = std::get_if<T>(&found->data);
    return typed == nullptr ? otherwise : *typed;
}

}  // namespace gaggle
