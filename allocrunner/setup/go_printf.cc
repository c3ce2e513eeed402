// Go's fmt.Sprintf for the kinds of values that templates have.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "allocrunner/setup/go_literal.h"
#include "allocrunner/setup/template_functions.h"
#include "base/bytes.h"

namespace gaggle::setup {

namespace {

constexpr int kWidthMax = 10'000;

/// What stands between the % and its verb.
struct Directive {
    bool minus = false, plus = false, sharp = false, blank = false, zero = false;
    int width = 0;
    int precision = -1;  ///< not given
    char verb = '\0';
};

const char* go_type(const Datum& value) {
    static constexpr std::array kNames = {
        "<nil>", "bool", "int", "float64", "string", "[]interface {}", "map[string]interface {}"};
    return kNames.at(value.data.index());
}

std::string number_text(std::uint64_t size, int base, bool upper) {
    std::array<char, 72> room{};
    const auto end = std::to_chars(room.data(), room.data() + room.size(), size, base).ptr;
    std::string out(room.data(), end);
    if (upper)
        for (char& c : out)
            if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

std::string with_sign(std::string digits, bool negative, const Directive& how) {
    const char* sign = negative ? "-" : (how.plus ? "+" : (how.blank ? " " : ""));
    const int room = how.width - static_cast<int>(std::string_view(sign).size());
    if (how.zero && !how.minus && how.precision < 0)
        while (static_cast<int>(digits.size()) < room) digits.insert(0, 1, '0');
    return sign + digits;
}

std::string whole_text(std::int64_t number, const Directive& how) {
    const bool negative = number < 0;
    const auto size =
        negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    int base = 10;
    const char* prefix = "";
    if (how.verb == 'x' || how.verb == 'X') base = 16, prefix = how.verb == 'x' ? "0x" : "0X";
    if (how.verb == 'o') base = 8, prefix = "0";
    if (how.verb == 'b') base = 2, prefix = "0b";
    std::string digits = number_text(size, base, how.verb == 'X');
    while (static_cast<int>(digits.size()) < how.precision) digits.insert(0, 1, '0');
    if (how.sharp) digits.insert(0, prefix);
    return with_sign(std::move(digits), negative, how);
}

std::string real_text(double number, const Directive& how) {
    if (!std::isfinite(number)) return float_text(number);
    const double size = std::fabs(number);
    const bool shortest = how.precision < 0 && (how.verb == 'v' || how.verb == 'g');
    if (shortest) return with_sign(float_text(size), std::signbit(number), how);
    const std::array<char, 6> format = {'%', '.', '*', how.verb == 'v' ? 'g' : how.verb, '\0'};
    const int precision = how.precision < 0 ? 6 : how.precision;
    std::string room(400 + static_cast<std::size_t>(precision), '\0');
    const int length = std::snprintf(room.data(), room.size(), format.data(), precision, size);
    room.resize(static_cast<std::size_t>(std::max(length, 0)));
    return with_sign(std::move(room), std::signbit(number), how);
}

std::string text_text(const std::string& text, const Directive& how) {
    std::string shown = text;
    if (how.precision >= 0) {
        std::size_t at = 0;
        for (int runes = 0; runes < how.precision && at < text.size(); ++runes) next_rune(text, at);
        shown = text.substr(0, at);
    }
    if (how.verb == 'q') return how.sharp ? "`" + shown + "`" : go_quoted(shown);
    if (how.verb == 'x') return to_hex(as_bytes(shown));
    return shown;
}

using Shown = std::optional<std::string>;

/// Nothing when the verb does not fit the kind of value.
Result<Shown> shown(const Datum& value, const Directive& how) {
    const auto is_one_of = [&](std::string_view verbs) {
        return verbs.find(how.verb) != std::string_view::npos;
    };
    if (how.verb == 'T') return Shown(go_type(value));
    if (value.is_none())
        return how.verb == 'v' ? Shown("<nil>") : std::nullopt;
    if (const auto* text = value.text())
        return is_one_of("vsqx") ? Shown(text_text(*text, how)) : std::nullopt;
    if (const auto* whole = value.whole()) {
        if (is_one_of("vdxXob")) return Shown(whole_text(*whole, how));
        if (!is_one_of("cq")) return Shown();
        std::string rune;
        append_utf8(rune, static_cast<std::uint32_t>(*whole));
        return Shown(how.verb == 'c' ? rune : "'" + rune + "'");
    }
    if (const auto* real = std::get_if<double>(&value.data))
        return is_one_of("vfFgGeE") ? Shown(real_text(*real, how)) : std::nullopt;
    if (!is_one_of(std::holds_alternative<bool>(value.data) ? "vt" : "vs")) return Shown();
    return Shown(TRY(to_text(value)));
}

std::string padded(std::string text, const Directive& how) {
    int runes = 0;
    for (std::size_t at = 0; at < text.size() && runes < how.width; ++runes) next_rune(text, at);
    const auto missing = static_cast<std::size_t>(how.width - runes);
    return how.minus ? text + std::string(missing, ' ') : std::string(missing, ' ') + text;
}

/// The directive behind a % at `at`, which moves on behind its verb.
Result<Directive> directive_at(std::string_view format, std::size_t& at) {
    Directive out;
    const auto more = [&] { return at < format.size(); };
    for (; more(); ++at) {
        const char c = format[at];
        if (c == '-')
            out.minus = true;
        else if (c == '+')
            out.plus = true;
        else if (c == '#')
            out.sharp = true;
        else if (c == ' ')
            out.blank = true;
        else if (c == '0')
            out.zero = true;
        else
            break;
    }
    const auto number = [&] {
        int value = 0;
        for (; more() && format[at] >= '0' && format[at] <= '9'; ++at)
            value = std::min(value * 10 + (format[at] - '0'), kWidthMax + 1);
        return value;
    };
    out.width = number();
    if (more() && format[at] == '.') {
        ++at;
        out.precision = number();
    }
    if (out.width > kWidthMax || out.precision > kWidthMax)
        return {Errc::invalid, "a width or precision of more than " + std::to_string(kWidthMax)};
    if (more() && format[at] == '*')
        return {Errc::invalid, "a width or precision of * is not supported; write the number"};
    if (more()) out.verb = format[at++];
    return out;
}

Result<std::string> misfit(const Datum& value, const Directive& how) {
    return std::string("%!") + how.verb + "(" + go_type(value) + "=" + TRY(to_text(value)) + ")";
}

}  // namespace

Result<std::string> go_printf(std::string_view format, std::span<const Datum> values) {
    std::string out;
    std::size_t used = 0;
    for (std::size_t at = 0; at < format.size();) {
        const std::size_t mark = std::min(format.find('%', at), format.size());
        TRY(append_bounded(out, format.substr(at, mark - at)));
        at = mark + 1;
        if (mark == format.size()) break;
        const Directive how = TRY(directive_at(format, at));
        std::string part;
        if (how.verb == '\0')
            part = "%!(NOVERB)";
        else if (how.verb == '%')
            part = "%";
        else if (used >= values.size())
            part = std::string("%!") + how.verb + "(MISSING)";
        else {
            const Datum& value = values[used++];
            const Shown fitting = TRY(shown(value, how));
            part = fitting ? padded(*fitting, how) : TRY(misfit(value, how));
        }
        TRY(append_bounded(out, part));
    }
    if (used == values.size()) return out;
    const char* before = "%!(EXTRA ";
    for (; used < values.size(); ++used) {
        TRY(append_bounded(out, std::exchange(before, ", ")));
        TRY(append_bounded(out, std::string(go_type(values[used])) + "="));
        TRY(append_bounded(out, TRY(to_text(values[used]))));
    }
    TRY(append_bounded(out, ")"));
    return out;
}

}  // namespace gaggle::setup
