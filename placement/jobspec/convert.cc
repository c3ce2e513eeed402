#include "placement/jobspec/convert.h"

#include <array>
#include <charconv>
#include <cmath>

namespace gaggle {

namespace {

std::optional<Value> number_in(std::string_view text) {
    std::int64_t whole = 0;
    const char* const end = text.data() + text.size();
    const auto as_int = std::from_chars(text.data(), end, whole);
    if (as_int.ec == std::errc{} && as_int.ptr == end) return Value{whole};
    double real = 0;
    const auto as_real = std::from_chars(text.data(), end, real, std::chars_format::general);
    if (as_real.ec != std::errc{} || as_real.ptr != end || !std::isfinite(real))
        return std::nullopt;
    return normalized(real);
}

struct Unit {
    std::string_view name;
    double nanoseconds;
};
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1e3},
                                      {"\u00b5s", 1e3},
                                      {"\u03bcs", 1e3},
                                      {"ms", 1e6},
                                      {"s", 1e9},
                                      {"m", 6e10},
                                      {"h", 3.6e12}}};

const Unit* unit_in(std::string_view text) {
    const Unit* best = nullptr;
    for (const Unit& unit : kUnits)
        if (text.starts_with(unit.name) &&
            (best == nullptr || unit.name.size() > best->name.size()))
            best = &unit;
    return best;
}

Error bad_duration(std::string_view text, const std::string& why) {
    return {Errc::invalid, "\"" + std::string(text) + "\" is no duration: " + why +
                               "; write it as \"30s\", \"5m\" or \"1h30m\""};
}

Result<Duration> duration_in(std::string_view text) {
    std::string_view rest = text;
    const bool negative = rest.starts_with("-");
    if (negative || rest.starts_with("+")) rest.remove_prefix(1);
    if (rest == "0") return Duration(0);
    if (rest.empty()) return bad_duration(text, "it is empty");
    double nanoseconds = 0;
    while (!rest.empty()) {
        double amount = 0;
        if (rest.front() != '.' && (rest.front() < '0' || rest.front() > '9'))
            return bad_duration(text, "a number is missing");
        const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), amount,
                                          std::chars_format::fixed);
        if (read.ec != std::errc{}) return bad_duration(text, "a number is missing");
        rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
        const Unit* unit = unit_in(rest);
        if (unit == nullptr)
            return bad_duration(text, rest.empty() ? "the unit is missing" : "the unit is unknown");
        rest.remove_prefix(unit->name.size());
        nanoseconds += amount * unit->nanoseconds;
    }
    if (nanoseconds > 9.2e18) return bad_duration(text, "it is longer than 292 years");
    const auto microseconds = static_cast<std::int64_t>(std::floor(nanoseconds / 1e3 + 1e-6));
    return Duration(negative ? -microseconds : microseconds);
}

}  // namespace

const char* kind_of(const Value& value) {
    static constexpr std::array<const char*, 7> kNames{
        "null", "a boolean", "a number", "a number", "a string", "a list", "an object"};
    return kNames[value.data.index()];
}

std::string number_text(double number) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return {buffer.data(), end};
}

Value normalized(double number) {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::fabs(number) <= kExact && std::floor(number) == number)
        return Value{static_cast<std::int64_t>(number)};
    return Value{number};
}

std::optional<std::string> as_text(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data)) return *text;
    if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&value.data)) return number_text(*real);
    if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
    return std::nullopt;
}

std::optional<Value> as_number(const Value& value) {
    if (std::holds_alternative<std::int64_t>(value.data)) return value;
    if (const auto* real = std::get_if<double>(&value.data)) return normalized(*real);
    if (const auto* text = std::get_if<std::string>(&value.data)) return number_in(*text);
    return std::nullopt;
}

std::optional<std::int64_t> as_whole(const Value& value) {
    const auto number = as_number(value);
    if (!number || !std::holds_alternative<std::int64_t>(number->data)) return std::nullopt;
    return std::get<std::int64_t>(number->data);
}

std::optional<bool> as_bool(const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value.data)) return *flag;
    const auto* text = std::get_if<std::string>(&value.data);
    if (text == nullptr) return std::nullopt;
    if (*text == "true" || *text == "1") return true;
    if (*text == "false" || *text == "0") return false;
    return std::nullopt;
}

Result<Duration> as_duration(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data)) return duration_in(*text);
    if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return Duration(*whole / 1000);
    return Error{Errc::invalid,
                 std::string("wanted a duration such as \"30s\", found ") + kind_of(value)};
}

std::size_t weight_of(const Value& value) {
    std::size_t weight = sizeof(Value);
    if (const auto* text = std::get_if<std::string>(&value.data)) weight += text->size();
    if (const auto* list = std::get_if<Value::List>(&value.data))
        for (const Value& item : *list) weight += weight_of(item);
    if (const auto* map = std::get_if<Value::Map>(&value.data))
        for (const auto& [key, item] : *map) weight += key.size() + weight_of(item);
    return weight;
}

}  // namespace gaggle
