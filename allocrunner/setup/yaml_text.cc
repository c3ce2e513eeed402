#include "allocrunner/setup/yaml_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "allocrunner/setup/go_literal.h"
#include "allocrunner/setup/json_text.h"
#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

constexpr std::array<std::string_view, 11> kWords = {"true", "false", "yes", "no",  "on", "off",
                                                     "null", "y",     "n",   "nan", "inf"};

/// Whether a YAML reader of any version takes it for this text and nothing else.
bool is_plain(const std::string& text) {
    const auto harmless = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("_-./ ").find(c) != std::string_view::npos;
    };
    if (text.empty() || !std::all_of(text.begin(), text.end(), harmless)) return false;
    if (std::isalpha(static_cast<unsigned char>(text.front())) == 0 && text.front() != '/')
        return false;  // a number, a date, a list's dash
    if (text.back() == ' ') return false;
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

class Writer {
  public:
    /// After a key or a dash; `inside` says how far a block of lines below it is put to the right.
    Result<void> write(const Datum& value, std::size_t inside) {
        if (const auto* text = value.text()) return scalar(*text);
        if (const auto* list = value.list()) return write(*list, inside);
        if (const auto* map = value.map()) return write(*map, inside);
        if (value.is_none()) return append_bounded(out, "null");
        const auto* real = std::get_if<double>(&value.data);
        const bool finite = real == nullptr || std::isfinite(*real);
        if (!finite) return append_bounded(out, "null");
        return append_bounded(out, TRY(to_text(value)));
    }

    std::string out;

  private:
    /// YAML's double quotes take what JSON's do.
    Result<void> scalar(const std::string& text) {
        if (is_plain(text)) return append_bounded(out, text);
        return append_bounded(out, TRY(json_text(Datum{text}, {})));
    }

    Result<void> begin_line(std::size_t inside) {
        const bool at_dash = out.ends_with("- ");
        if (out.empty() || at_dash) return {};
        while (out.ends_with(' ')) out.pop_back();
        return append_bounded(out, "\n" + std::string(inside, ' '));
    }

    Result<void> write(const DatumList& list, std::size_t inside) {
        if (list.empty()) return append_bounded(out, "[]");
        for (const Datum& item : list) {
            TRY(begin_line(inside));
            TRY(append_bounded(out, "- "));
            TRY(write(item, inside + 2));
        }
        return {};
    }

    Result<void> write(const DatumMap& map, std::size_t inside) {
        if (map.fields.empty()) return append_bounded(out, "{}");
        for (const auto& [key, value] : map.fields) {
            TRY(begin_line(inside));
            TRY(scalar(key));
            TRY(append_bounded(out, ": "));
            TRY(write(value, value.list() != nullptr ? inside : inside + 2));
        }
        return {};
    }
};

}  // namespace

Result<std::string> yaml_text(const Datum& value) {
    Writer writer;
    TRY(writer.write(value, 0));
    return std::move(writer.out);
}

}  // namespace gaggle::setup
