#include "allocrunner/interpolate.h"

#include <optional>

namespace gaggle::allocrunner {

namespace {

/// `env["odd name"]` as the name that is looked up, `env.odd name`; any other text is itself.
std::string looked_up(std::string_view inside) {
    const std::size_t bracket = inside.find("[\"");
    if (bracket == std::string_view::npos || !inside.ends_with("\"]")) return std::string(inside);
    std::string name(inside.substr(0, bracket));
    name += '.';
    name += inside.substr(bracket + 2, inside.size() - bracket - 4);
    return name;
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string interpolate(std::string_view text, const Names& names) {
    std::string out;
    while (!text.empty()) {
        const std::size_t open = text.find("${");
        const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
        if (close == std::string_view::npos) return out.append(text);
        const std::string_view before = text.substr(0, open);
        const std::string_view written = text.substr(open, close + 1 - open);
        text.remove_prefix(close + 1);
        if (before.ends_with('$')) {  // an escaped one: drop the extra dollar, keep the rest
            out.append(before.substr(0, before.size() - 1)).append(written);
            continue;
        }
        const auto found = names.find(looked_up(trimmed(written.substr(2, written.size() - 3))));
        out.append(before).append(found == names.end() ? written : std::string_view(found->second));
    }
    return out;
}

Value interpolate(const Value& value, const Names& names) {
    if (const auto* text = std::get_if<std::string>(&value.data))
        return {interpolate(*text, names)};
    if (const auto* map = std::get_if<Value::Map>(&value.data)) return {interpolate(*map, names)};
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) return value;
    Value::List out;
    for (const Value& item : *list) out.push_back(interpolate(item, names));
    return {std::move(out)};
}

Value::Map interpolate(const Value::Map& values, const Names& names) {
    Value::Map out;
    for (const auto& [key, value] : values) out.emplace(key, interpolate(value, names));
    return out;
}

}  // namespace gaggle::allocrunner
