// Short words for building JSON as values: `object({{"a", text("b")}})`.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "placement/jobspec/value.h"

namespace gaggle::allocrunner::json {

using Object = Value::Map;
using List = Value::List;

inline Value text(std::string words) { return Value{std::move(words)}; }
inline Value number(std::int64_t count) { return Value{count}; }
inline Value flag(bool yes) { return Value{yes}; }
inline Value object(Object fields) { return Value{std::move(fields)}; }
inline Value list(List items) { return Value{std::move(items)}; }

/// Any sequence of strings.
template <class Texts>
Value texts(const Texts& items) {
    List out;
    for (const auto& item : items) out.push_back(text(item));
    return list(std::move(out));
}

inline Value map(const std::map<std::string, std::string>& items) {
    Object out;
    for (const auto& [key, item] : items) out[key] = text(item);
    return object(std::move(out));
}

/// "NAME=value" each.
inline Value environment(const std::map<std::string, std::string>& variables) {
    List out;
    for (const auto& [name, value] : variables) out.push_back(text(name + "=" + value));
    return list(std::move(out));
}

/// The member at a path of objects, or nullptr.
inline const Value* find(const Value& value, std::initializer_list<const char*> path) {
    const Value* at = &value;
    for (const char* key : path) {
        const auto* fields = std::get_if<Object>(&at->data);
        const auto found = fields == nullptr ? Object::const_iterator() : fields->find(key);
        if (fields == nullptr || found == fields->end()) return nullptr;
        at = &found->second;
    }
    return at;
}

inline std::string text_at(const Value& value, std::initializer_list<const char*> path) {
    const Value* at = find(value, path);
    const auto* words = at == nullptr ? nullptr : std::get_if<std::string>(&at->data);
    return words == nullptr ? std::string() : *words;
}

/// 0 when there is none.
inline std::int64_t number_at(const Value& value, std::initializer_list<const char*> path) {
    const Value* at = find(value, path);
    if (at == nullptr) return 0;
    if (const auto* real = std::get_if<double>(&at->data))
        return *real < 9e18 ? static_cast<std::int64_t>(*real) : INT64_MAX;
    const auto* count = std::get_if<std::int64_t>(&at->data);
    return count == nullptr ? 0 : *count;
}

}  // namespace gaggle::allocrunner::json
