#include "placement/jobspec/assign.h"

#include <algorithm>

#include "placement/jobspec/convert.h"
#include "placement/jobspec/diagnostic.h"

namespace gaggle {

namespace {

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value.data); }

std::string wanted(const char* what, const Value& value) {
    std::string text = std::string("wanted ") + what + ", found ";
    const auto shown = as_text(value);
    constexpr std::size_t kShownMax = 40;
    if (!shown || shown->size() > kShownMax) return text + kind_of(value);
    const bool quoted = std::holds_alternative<std::string>(value.data);
    return text + (quoted ? "\"" + *shown + "\"" : "`" + *shown + "`");
}

template <class T>
std::string assign_as(const Value& value, T& field, std::optional<T> (*convert)(const Value&),
                      const char* what) {
    if (is_null(value)) return "";
    auto converted = convert(value);
    if (!converted) return wanted(what, value);
    field = *std::move(converted);
    return "";
}

}  // namespace

std::string assign(const Value& value, std::string& field) {
    return assign_as(value, field, &as_text, "a string");
}

std::string assign(const Value& value, std::int64_t& field) {
    return assign_as(value, field, &as_whole, "a whole number");
}

std::string assign(const Value& value, bool& field) {
    return assign_as(value, field, &as_bool, "true or false");
}

std::string assign(const Value& value, Duration& field) {
    const auto duration = as_duration(value);
    if (!duration.ok()) return duration.error().detail;
    field = *duration;
    return "";
}

std::string assign(const Value& value, std::vector<std::string>& field) {
    if (is_null(value)) return "";
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) return wanted("a list of strings", value);
    field.clear();
    for (const Value& item : *list) {
        const auto text = as_text(item);
        if (!text) return wanted("strings in the list", item);
        field.push_back(*text);
    }
    return "";
}

std::string assign(const Value& value, std::map<std::string, std::string>& field) {
    if (is_null(value)) return "";
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr) return wanted("names with strings", value);
    field.clear();
    for (const auto& [key, item] : *map) {
        if (is_null(item)) continue;
        const auto text = as_text(item);
        if (!text) return wanted(("a string for `" + key + "`").c_str(), item);
        field.emplace(key, *text);
    }
    return "";
}

std::string assign(const Value& value, std::map<std::string, std::vector<std::string>>& field) {
    if (is_null(value)) return "";
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr) return wanted("names with lists of strings", value);
    field.clear();
    for (const auto& [key, item] : *map) {
        if (is_null(item)) continue;
        const std::string problem = assign(item, field[key]);
        if (!problem.empty()) return "`" + key + "`: " + problem;
    }
    return "";
}

std::optional<std::size_t> choose(const Value& value, const std::vector<std::string>& names,
                                  std::string& problem) {
    const auto* text = std::get_if<std::string>(&value.data);
    if (text == nullptr) {
        problem = wanted("a string", value);
        return std::nullopt;
    }
    const auto found = std::find(names.begin(), names.end(), *text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    problem = "unknown value \"" + *text + "\"; " + did_you_mean(*text, names);
    return std::nullopt;
}

}  // namespace gaggle
