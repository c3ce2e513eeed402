// Functions of the library Sprig, under consul-template's names for them: those that job files use.
//
// Left out are those that nest values without end (list, dict), that draw chance, make keys or
// look at the machine. What differs from one of consul-template's own by its name alone is in
// sprig_aliases().
#include <algorithm>
#include <array>
#include <set>

#include "allocrunner/setup/go_literal.h"
#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

Result<Datum> has_prefix(const Arguments& in) {
    return Datum{TRY(in.text(1))->starts_with(*TRY(in.text(0)))};
}
Result<Datum> has_suffix(const Arguments& in) {
    return Datum{TRY(in.text(1))->ends_with(*TRY(in.text(0)))};
}

/// The first unless the second, which is piped, says something.
Result<Datum> default_to(const Arguments& in) { return is_true(in[1]) ? in[1] : in[0]; }
Result<Datum> empty(const Arguments& in) { return Datum{!is_true(in[0])}; }
Result<Datum> coalesce(const Arguments& in) {
    const auto found = std::find_if(in.values.begin(), in.values.end(), is_true);
    return found == in.values.end() ? Datum{} : *found;
}
/// `ternary "yes" "no" condition`.
Result<Datum> ternary(const Arguments& in) {
    const bool* condition = std::get_if<bool>(&in[2].data);
    if (condition == nullptr) return Error{Errc::invalid, "argument 3 must be true or false"};
    return *condition ? in[0] : in[1];
}

/// The first bytes, or with a negative count the last ones.
Result<Datum> truncate(const Arguments& in) {
    const std::int64_t count = TRY(in.whole(0));
    const std::string& text = *TRY(in.text(1));
    const auto size = static_cast<std::int64_t>(text.size());
    if (count >= size || count <= -size) return Datum{text};
    const auto kept = static_cast<std::size_t>(count >= 0 ? count : size + count);
    return Datum{count >= 0 ? text.substr(0, kept) : text.substr(kept)};
}

/// From the first place up to the second; a negative second is the end.
Result<Datum> substring(const Arguments& in) {
    const std::string& text = *TRY(in.text(2));
    const auto size = static_cast<std::int64_t>(text.size());
    const std::int64_t from = std::clamp<std::int64_t>(TRY(in.whole(0)), 0, size);
    const std::int64_t asked = TRY(in.whole(1));
    const std::int64_t to = asked < 0 ? size : std::clamp(asked, from, size);
    return Datum{text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from))};
}

Result<Datum> repeat(const Arguments& in) {
    const std::int64_t count = TRY(in.whole(0));
    const std::string& text = *TRY(in.text(1));
    std::string out;
    for (std::int64_t at = 0; at < count && !text.empty(); ++at) TRY(append_bounded(out, text));
    return Datum{std::move(out)};
}

Result<Datum> joined_quotes(const Arguments& in, bool single) {
    std::string out;
    for (const Datum& value : in.values) {
        if (value.is_none()) continue;
        const std::string text = TRY(to_text(value));
        if (!out.empty()) out += ' ';
        TRY(append_bounded(out, single ? "'" + text + "'" : go_quoted(text)));
    }
    return Datum{std::move(out)};
}
Result<Datum> quote(const Arguments& in) { return joined_quotes(in, false); }
Result<Datum> single_quote(const Arguments& in) { return joined_quotes(in, true); }

/// Every line, also an empty one.
Result<std::string> indented(const Arguments& in) {
    const std::int64_t by = TRY(in.whole(0));
    if (by < 0 || by > 1000) return {Errc::invalid, "indent by 0 to 1000 blanks"};
    const std::string blanks(static_cast<std::size_t>(by), ' ');
    std::string out = blanks;
    for (const char c : *TRY(in.text(1))) {
        TRY(append_bounded(out, std::string_view(&c, 1)));
        if (c == '\n') TRY(append_bounded(out, blanks));
    }
    return out;
}
Result<Datum> indent(const Arguments& in) { return Datum{TRY(indented(in))}; }
Result<Datum> new_line_indent(const Arguments& in) { return Datum{"\n" + TRY(indented(in))}; }

Result<Datum> split_list(const Arguments& in) {
    const std::string& by = *TRY(in.text(0));
    std::string_view rest = *TRY(in.text(1));
    if (by.empty()) return Error{Errc::invalid, "argument 1, what is between, is empty"};
    DatumList out;
    for (std::size_t end = rest.find(by); end != std::string_view::npos; end = rest.find(by)) {
        out.push_back({std::string(rest.substr(0, end))});
        rest.remove_prefix(end + by.size());
    }
    out.push_back({std::string(rest)});
    return Datum::of(std::move(out));
}

Result<Datum> text_of(const Arguments& in) { return Datum{TRY(to_text(in[0]))}; }

/// Of a number or its digits; 0 for what is none.
Result<Datum> whole_number(const Arguments& in) {
    if (in[0].whole() != nullptr) return in[0];
    if (const auto* real = std::get_if<double>(&in[0].data)) {
        const bool fits = *real > -9.2e18 && *real < 9.2e18;
        return Datum{fits ? static_cast<std::int64_t>(*real) : std::int64_t{0}};
    }
    if (const auto* flag = std::get_if<bool>(&in[0].data)) return Datum{std::int64_t{*flag}};
    const auto* text = in[0].text();
    return Datum{text == nullptr ? 0 : go_int(*text, 10).value_or(0)};
}

Result<Datum> first(const Arguments& in) {
    const DatumList& list = *TRY(in.list(0));
    return list.empty() ? Datum{} : list.front();
}
Result<Datum> last(const Arguments& in) {
    const DatumList& list = *TRY(in.list(0));
    return list.empty() ? Datum{} : list.back();
}

/// What each item is printed as; all together no larger than a text may be.
Result<std::vector<std::string>> printed(const DatumList& list) {
    std::vector<std::string> out;
    std::size_t size = 0;
    for (const Datum& item : list) {
        out.push_back(TRY(to_text(item)));
        size += out.back().size();
        if (size > kTemplateTextMax)
            return {Errc::invalid, "the list's texts are larger than " +
                                       std::to_string(kTemplateTextMax) + " bytes"};
    }
    return out;
}

/// A list of texts, as Sprig sorts everything.
Result<Datum> sorted(const Arguments& in) {
    std::vector<std::string> texts = TRY(printed(*TRY(in.list(0))));
    std::sort(texts.begin(), texts.end());
    return Datum::of_texts(texts);
}
Result<Datum> unique(const Arguments& in) {
    const DatumList& list = *TRY(in.list(0));
    const std::vector<std::string> texts = TRY(printed(list));
    std::set<std::string> seen;
    DatumList out;
    for (std::size_t at = 0; at < list.size(); ++at)
        if (seen.insert(kind_of(list[at]) + (" " + texts[at])).second) out.push_back(list[at]);
    return Datum::of(std::move(out));
}

Result<const DatumMap*> map_of(const Datum& value) {
    if (value.map() != nullptr) return value.map();
    return {Errc::invalid, std::string("argument 1 must be a map, not ") + kind_of(value)};
}
Result<Datum> get(const Arguments& in) {
    const DatumMap& map = *TRY(map_of(in[0]));
    const auto found = map.fields.find(*TRY(in.text(1)));
    return found == map.fields.end() ? Datum{std::string()} : found->second;
}
Result<Datum> has_key(const Arguments& in) {
    return Datum{TRY(map_of(in[0]))->fields.contains(*TRY(in.text(1)))};
}
Result<Datum> keys(const Arguments& in) {
    std::vector<std::string> out;
    for (const auto& [key, value] : TRY(map_of(in[0]))->fields) out.push_back(key);
    return Datum::of_texts(out);
}

constexpr int kAny = TemplateFunction::kAny;
constexpr std::array kTable = {
    TemplateFunction{"sprig_hasPrefix", 2, 2, has_prefix},
    TemplateFunction{"sprig_hasSuffix", 2, 2, has_suffix},
    TemplateFunction{"sprig_default", 2, 2, default_to},
    TemplateFunction{"sprig_empty", 1, 1, empty},
    TemplateFunction{"sprig_coalesce", 1, kAny, coalesce},
    TemplateFunction{"sprig_ternary", 3, 3, ternary},
    TemplateFunction{"sprig_trunc", 2, 2, truncate},
    TemplateFunction{"sprig_substr", 3, 3, substring},
    TemplateFunction{"sprig_repeat", 2, 2, repeat},
    TemplateFunction{"sprig_quote", 1, kAny, quote},
    TemplateFunction{"sprig_squote", 1, kAny, single_quote},
    TemplateFunction{"sprig_indent", 2, 2, indent},
    TemplateFunction{"sprig_nindent", 2, 2, new_line_indent},
    TemplateFunction{"sprig_splitList", 2, 2, split_list},
    TemplateFunction{"sprig_toString", 1, 1, text_of},
    TemplateFunction{"sprig_int", 1, 1, whole_number},
    TemplateFunction{"sprig_atoi", 1, 1, whole_number},
    TemplateFunction{"sprig_first", 1, 1, first},
    TemplateFunction{"sprig_last", 1, 1, last},
    TemplateFunction{"sprig_sortAlpha", 1, 1, sorted},
    TemplateFunction{"sprig_uniq", 1, 1, unique},
    TemplateFunction{"sprig_get", 2, 2, get},
    TemplateFunction{"sprig_hasKey", 2, 2, has_key},
    TemplateFunction{"sprig_keys", 1, 1, keys},
};

constexpr std::array kAliases = {
    FunctionAlias{"sprig_lower", "toLower"},
    FunctionAlias{"sprig_upper", "toUpper"},
    FunctionAlias{"sprig_title", "toTitle"},
    FunctionAlias{"sprig_trim", "trimSpace"},
    FunctionAlias{"sprig_trimAll", "trim"},
    FunctionAlias{"sprig_trimPrefix", "trimPrefix"},
    FunctionAlias{"sprig_trimSuffix", "trimSuffix"},
    FunctionAlias{"sprig_contains", "contains"},
    FunctionAlias{"sprig_has", "contains"},
    FunctionAlias{"sprig_replace", "replaceAll"},
    FunctionAlias{"sprig_join", "join"},
    FunctionAlias{"sprig_until", "loop"},
    FunctionAlias{"sprig_b64enc", "base64Encode"},
    FunctionAlias{"sprig_b64dec", "base64Decode"},
    FunctionAlias{"sprig_sha256sum", "sha256Hex"},
    FunctionAlias{"sprig_toJson", "toJSON"},
    FunctionAlias{"sprig_toPrettyJson", "toJSONPretty"},
    FunctionAlias{"sprig_regexMatch", "regexMatch"},
};

}  // namespace

std::span<const TemplateFunction> sprig_functions() { return kTable; }
std::span<const FunctionAlias> sprig_aliases() { return kAliases; }

}  // namespace gaggle::setup
