#include "allocrunner/setup/json_text.h"

#include <array>
#include <cmath>

#include "allocrunner/setup/go_literal.h"
#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

class Writer {
  public:
    explicit Writer(JsonStyle style) : style_(style) {}

    Result<void> write(const Datum& value) {
        if (const auto* text = value.text()) return append_bounded(out, quoted(*text));
        if (const auto* list = value.list()) return write(*list);
        if (const auto* map = value.map()) return write(*map);
        if (value.is_none()) return append_bounded(out, "null");
        const auto* real = std::get_if<double>(&value.data);
        const bool finite = real == nullptr || std::isfinite(*real);
        return append_bounded(out, finite ? TRY(to_text(value)) : std::string("null"));
    }

    std::string out;

  private:
    Result<void> line() {
        if (!style_.indented) return {};
        return append_bounded(out, "\n" + std::string(2 * depth_, ' '));
    }

    Result<void> write(const DatumList& list) {
        if (list.empty()) return append_bounded(out, "[]");
        const char* before = "[";
        ++depth_;
        for (const Datum& item : list) {
            TRY(append_bounded(out, std::exchange(before, ",")));
            TRY(line());
            TRY(write(item));
        }
        --depth_;
        TRY(line());
        return append_bounded(out, "]");
    }

    Result<void> write(const DatumMap& map) {
        if (map.fields.empty()) return append_bounded(out, "{}");
        const char* before = "{";
        ++depth_;
        for (const auto& [key, item] : map.fields) {
            TRY(append_bounded(out, std::exchange(before, ",")));
            TRY(line());
            TRY(append_bounded(out, quoted(key)));
            TRY(append_bounded(out, style_.indented ? ": " : ":"));
            TRY(write(item));
        }
        --depth_;
        TRY(line());
        return append_bounded(out, "}");
    }

    std::string quoted(const std::string& text) const {
        std::string coded = "\"";
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t begin = at;
            const std::uint32_t rune = next_rune(text, at);
            const bool html = rune == '<' || rune == '>' || rune == '&';
            if (rune == '"' || rune == '\\')
                coded.append("\\").append(1, static_cast<char>(rune));
            else if (rune == '\n' || rune == '\r' || rune == '\t')
                coded.append(rune == '\n' ? "\\n" : (rune == '\r' ? "\\r" : "\\t"));
            else if (rune < 0x20 || rune == 0x2028 || rune == 0x2029 ||
                     (html && style_.escapes_html))
                coded += escape(rune);
            else if (rune == 0xFFFD && at == begin + 1)
                coded += "\\ufffd";
            else
                coded.append(text, begin, at - begin);
        }
        return coded + "\"";
    }

    static std::string escape(std::uint32_t rune) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::string out = "\\u";
        for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kDigits[(rune >> shift) & 15U];
        return out;
    }

    JsonStyle style_;
    std::size_t depth_ = 0;
};

}  // namespace

Result<std::string> json_text(const Datum& value, JsonStyle style) {
    Writer writer(style);
    TRY(writer.write(value));
    return std::move(writer.out);
}

}  // namespace gaggle::setup
