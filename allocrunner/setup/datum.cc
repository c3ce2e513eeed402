#include "allocrunner/setup/datum.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace gaggle::setup {

namespace {

double as_double(const Datum& value) {
    const auto* whole = value.whole();
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value.data);
}

int sign(bool less, bool more) { return less ? -1 : (more ? 1 : 0); }

Error incomparable(const Datum& a, const Datum& b) {
    return {Errc::invalid, std::string("cannot compare ") + kind_of(a) + " with " + kind_of(b)};
}

/// Of what is neither list nor map.
std::string plain_text(const Datum& value) {
    if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
    if (const auto* whole = value.whole()) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&value.data)) return float_text(*real);
    if (const auto* text = value.text()) return *text;
    return "<no value>";
}

Result<void> print(std::string& out, const Datum& value) {
    std::string_view before = "[";
    if (const DatumList* list = value.list()) {
        for (const Datum& item : *list) {
            TRY(append_bounded(out, std::exchange(before, " ")));
            TRY(print(out, item));
        }
        return append_bounded(out, list->empty() ? "[]" : "]");
    }
    if (const DatumMap* map = value.map()) {
        before = "map[";
        for (const auto& [key, item] : map->fields) {
            TRY(append_bounded(out, std::exchange(before, " ")));
            TRY(append_bounded(out, key));
            TRY(append_bounded(out, ":"));
            TRY(print(out, item));
        }
        return append_bounded(out, map->fields.empty() ? "map[]" : "]");
    }
    return append_bounded(out, plain_text(value));
}

}  // namespace

Datum Datum::of(DatumList items) {
    return {List(std::make_shared<const DatumList>(std::move(items)))};
}
Datum Datum::of(DatumMap map) { return {Map(std::make_shared<const DatumMap>(std::move(map)))}; }

Datum Datum::of_texts(const std::vector<std::string>& texts) {
    DatumList items;
    items.reserve(texts.size());
    for (const std::string& text : texts) items.push_back({text});
    return of(std::move(items));
}

Datum Datum::of(const Value& value) {
    if (const auto* list = std::get_if<Value::List>(&value.data)) {
        DatumList items;
        items.reserve(list->size());
        for (const Value& item : *list) items.push_back(of(item));
        return of(std::move(items));
    }
    if (const auto* map = std::get_if<Value::Map>(&value.data)) {
        DatumMap out;
        for (const auto& [key, item] : *map) out.fields.emplace(key, of(item));
        return of(std::move(out));
    }
    if (const auto* flag = std::get_if<bool>(&value.data)) return {*flag};
    if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return {*whole};
    if (const auto* real = std::get_if<double>(&value.data)) return {*real};
    if (const auto* text = std::get_if<std::string>(&value.data)) return {*text};
    return {};
}

const DatumList* Datum::list() const {
    const auto* held = std::get_if<List>(&data);
    return held == nullptr ? nullptr : held->get();
}
const DatumMap* Datum::map() const {
    const auto* held = std::get_if<Map>(&data);
    return held == nullptr ? nullptr : held->get();
}

Value to_value(const Datum& value) {
    if (const DatumList* list = value.list()) {
        Value::List items;
        items.reserve(list->size());
        for (const Datum& item : *list) items.push_back(to_value(item));
        return {std::move(items)};
    }
    if (const DatumMap* map = value.map()) {
        Value::Map out;
        for (const auto& [key, item] : map->fields) out.emplace(key, to_value(item));
        return {std::move(out)};
    }
    if (const auto* flag = std::get_if<bool>(&value.data)) return {*flag};
    if (const auto* whole = value.whole()) return {*whole};
    if (const auto* real = std::get_if<double>(&value.data)) return {*real};
    if (const auto* text = value.text()) return {*text};
    return {};
}

const char* kind_of(const Datum& value) {
    static constexpr std::array kNames = {"nothing",  "a bool", "a number", "a number",
                                          "a string", "a list", "a map"};
    const DatumMap* map = value.map();
    return map != nullptr && *map->type != '\0' ? map->type : kNames.at(value.data.index());
}

bool is_true(const Datum& value) {
    if (const auto* flag = std::get_if<bool>(&value.data)) return *flag;
    if (const auto* whole = value.whole()) return *whole != 0;
    if (const auto* real = std::get_if<double>(&value.data)) return *real != 0;
    if (const auto* text = value.text()) return !text->empty();
    if (const auto* list = value.list()) return !list->empty();
    if (const auto* map = value.map()) return *map->type != '\0' || !map->fields.empty();
    return false;
}

std::string float_text(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
    std::array<char, 64> room{};
    const double size = std::fabs(number);
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e21);
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(room.data(), room.data() + room.size(), number, format);
    return {room.data(), end.ptr};
}

Result<void> append_bounded(std::string& out, std::string_view part) {
    if (out.size() + part.size() > kTemplateTextMax)
        return {Errc::invalid,
                "the text grows beyond " + std::to_string(kTemplateTextMax) + " bytes"};
    out += part;
    return {};
}

Result<std::string> to_text(const Datum& value) {
    std::string out;
    TRY(print(out, value));
    return out;
}

Result<int> compare(const Datum& a, const Datum& b) {
    if (a.whole() != nullptr && b.whole() != nullptr)
        return sign(*a.whole() < *b.whole(), *a.whole() > *b.whole());
    if (a.is_number() && b.is_number())
        return sign(as_double(a) < as_double(b), as_double(a) > as_double(b));
    if (a.text() == nullptr || b.text() == nullptr) return incomparable(a, b);
    return a.text()->compare(*b.text());
}

Result<bool> equal(const Datum& a, const Datum& b) {
    if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
    const auto* first = std::get_if<bool>(&a.data);
    const auto* second = std::get_if<bool>(&b.data);
    if (first != nullptr && second != nullptr) return *first == *second;
    return TRY(compare(a, b)) == 0;
}

}  // namespace gaggle::setup
