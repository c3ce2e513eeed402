#include "allocrunner/setup/go_literal.h"

#include <charconv>
#include <limits>

#include "base/bytes.h"

namespace gaggle::setup {

namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

std::optional<std::uint64_t> digits(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

/// Takes "0x" and its like off and says which base they mean.
int base_of_prefix(std::string_view& text) {
    if (text.size() < 2 || text[0] != '0') return 10;
    const char mark = static_cast<char>(text[1] | 0x20);
    const int base = mark == 'x' ? 16 : (mark == 'b' ? 2 : 8);
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
    return base;
}

/// How many bytes follow the mark of \x, \u, \U, and what one of three octal digits begins with.
std::optional<std::uint32_t> code_of(std::string_view text, std::size_t at, std::size_t count,
                                     int base) {
    if (at + count > text.size()) return std::nullopt;
    const auto value = digits(text.substr(at, count), base);
    if (!value || *value > 0x10FFFF) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

/// The escape behind a backslash at `at`, which moves on behind it.
bool take_escape(std::string_view text, std::size_t& at, std::string& out) {
    constexpr std::string_view kMarks = "abfnrtv\\'\"";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\'\"";
    if (at >= text.size()) return false;
    const char mark = text[at];
    if (const std::size_t known = kMarks.find(mark); known != std::string_view::npos) {
        out += kBytes[known];
        ++at;
        return true;
    }
    const bool octal = mark >= '0' && mark <= '7';
    const std::size_t count = octal ? 3 : (mark == 'x' ? 2 : (mark == 'u' ? 4 : 8));
    if (!octal && mark != 'x' && mark != 'u' && mark != 'U') return false;
    at += octal ? 0 : 1;
    const auto code = code_of(text, at, count, octal ? 8 : 16);
    if (!code || (octal && *code > 255)) return false;
    at += count;
    if (octal || mark == 'x')
        out += static_cast<char>(*code);
    else
        append_utf8(out, *code);
    return true;
}

}  // namespace

std::optional<std::int64_t> go_int(std::string_view text, int base) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (base == 0) base = base_of_prefix(text);
    if (base == 8 && text.empty()) text = "0";
    const auto size = digits(text, base);
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (!size || *size > kMost + (negative ? 1 : 0)) return std::nullopt;
    return static_cast<std::int64_t>(negative ? 0 - *size : *size);
}

std::optional<double> go_float(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::optional<Datum> go_number(std::string_view written) {
    std::string plain;
    for (const char c : written)
        if (c != '_') plain += c;
    if (const auto whole = go_int(plain, 0)) return Datum{*whole};
    const auto real = go_float(plain);
    const bool number = plain.find_first_of("0123456789") != std::string::npos;
    if (!real || !number) return std::nullopt;
    return Datum{*real};
}

std::optional<std::string> go_string(std::string_view written) {
    if (written.size() < 2 || written.front() != written.back()) return std::nullopt;
    const std::string_view inside = written.substr(1, written.size() - 2);
    if (written.front() == '`') return std::string(inside);
    std::string out;
    for (std::size_t at = 0; at < inside.size();) {
        const char c = inside[at++];
        if (c != '\\')
            out += c;
        else if (!take_escape(inside, at, out))
            return std::nullopt;
    }
    return out;
}

std::string go_quoted(std::string_view text) {
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view kMarks = "abfnrtv\\\"";
    std::string out = "\"";
    for (const char c : text) {
        const std::size_t known = kBytes.find(c);
        if (known != std::string_view::npos)
            out.append("\\").append(1, kMarks[known]);
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            out.append("\\x").append(to_hex(as_bytes({&c, 1})));
        else
            out += c;
    }
    return out + "\"";
}

void append_utf8(std::string& out, std::uint32_t rune) {
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = kReplacement;
    const auto tail = [&](int shift) {
        out += static_cast<char>(0x80U | ((rune >> shift) & 0x3FU));
    };
    if (rune < 0x80) {
        out += static_cast<char>(rune);
    } else if (rune < 0x800) {
        out += static_cast<char>(0xC0U | (rune >> 6U));
        tail(0);
    } else if (rune < 0x10000) {
        out += static_cast<char>(0xE0U | (rune >> 12U));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0U | (rune >> 18U));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::uint32_t next_rune(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at++]);
    if (first < 0x80) return first;
    const int more = first >= 0xF0 ? 3 : (first >= 0xE0 ? 2 : 1);
    if (first < 0xC2 || first > 0xF4) return kReplacement;
    std::uint32_t rune = first & (0x3FU >> static_cast<unsigned>(more));
    for (int i = 0; i < more; ++i) {
        const std::size_t here = at + static_cast<std::size_t>(i);
        if (here >= text.size() || (static_cast<unsigned char>(text[here]) & 0xC0U) != 0x80)
            return kReplacement;
        rune = (rune << 6U) | (static_cast<unsigned char>(text[here]) & 0x3FU);
    }
    constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (rune < kLeast[more] || rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
        return kReplacement;
    at += static_cast<std::size_t>(more);
    return rune;
}

std::optional<std::int64_t> only_rune(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::size_t at = 0;
    const std::uint32_t rune = next_rune(text, at);
    if (at != text.size()) return std::nullopt;
    return rune;
}

}  // namespace gaggle::setup
