// consul-template's functions on strings and lists. What is piped comes last.
#include <algorithm>
#include <array>

#include "allocrunner/setup/go_literal.h"
#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

std::string mapped(std::string text, char first, char last, int by) {
    for (char& c : text)
        if (c >= first && c <= last) c = static_cast<char>(c + by);
    return text;
}
std::string lower(const std::string& text) { return mapped(text, 'A', 'Z', 'a' - 'A'); }
std::string upper(const std::string& text) { return mapped(text, 'a', 'z', 'A' - 'a'); }

std::string_view trimmed_left(std::string_view text, std::string_view set) {
    const std::size_t first = text.find_first_not_of(set);
    return first == std::string_view::npos ? std::string_view() : text.substr(first);
}
std::string_view trimmed_right(std::string_view text, std::string_view set) {
    return text.substr(0, text.find_last_not_of(set) + 1);
}

Result<Datum> to_lower(const Arguments& in) { return Datum{lower(*TRY(in.text(0)))}; }
Result<Datum> to_upper(const Arguments& in) { return Datum{upper(*TRY(in.text(0)))}; }

Result<Datum> to_title(const Arguments& in) {
    std::string out = *TRY(in.text(0));
    bool begins = true;
    for (char& c : out) {
        if (begins) c = upper(std::string(1, c))[0];
        const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                            c == '\'' || static_cast<unsigned char>(c) >= 0x80;
        begins = !letter;
    }
    return Datum{std::move(out)};
}

Result<Datum> trim_space(const Arguments& in) {
    return Datum{std::string(trimmed_left(trimmed_right(*TRY(in.text(0)), kBlanks), kBlanks))};
}
Result<Datum> trim(const Arguments& in) {
    const std::string& set = *TRY(in.text(0));
    return Datum{std::string(trimmed_left(trimmed_right(*TRY(in.text(1)), set), set))};
}
Result<Datum> trim_left(const Arguments& in) {
    return Datum{std::string(trimmed_left(*TRY(in.text(1)), *TRY(in.text(0))))};
}
Result<Datum> trim_right(const Arguments& in) {
    return Datum{std::string(trimmed_right(*TRY(in.text(1)), *TRY(in.text(0))))};
}
Result<Datum> trim_prefix(const Arguments& in) {
    const std::string& prefix = *TRY(in.text(0));
    const std::string& text = *TRY(in.text(1));
    return Datum{text.starts_with(prefix) ? text.substr(prefix.size()) : text};
}
Result<Datum> trim_suffix(const Arguments& in) {
    const std::string& suffix = *TRY(in.text(0));
    const std::string& text = *TRY(in.text(1));
    return Datum{text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text};
}

/// As consul-template: blanks around the text go first, and an empty text gives an empty list.
Result<Datum> split(const Arguments& in) {
    const std::string& by = *TRY(in.text(0));
    std::string_view rest = trimmed_left(trimmed_right(*TRY(in.text(1)), kBlanks), kBlanks);
    DatumList out;
    while (by.empty() && !rest.empty()) {
        std::size_t end = 0;
        next_rune(rest, end);
        out.push_back({std::string(rest.substr(0, end))});
        rest.remove_prefix(end);
    }
    if (rest.empty()) return Datum::of(std::move(out));
    for (std::size_t end = rest.find(by); end != std::string_view::npos; end = rest.find(by)) {
        out.push_back({std::string(rest.substr(0, end))});
        rest.remove_prefix(end + by.size());
    }
    out.push_back({std::string(rest)});
    return Datum::of(std::move(out));
}

Result<Datum> join(const Arguments& in) {
    const std::string& between = *TRY(in.text(0));
    std::string out;
    bool first = true;
    for (const Datum& item : *TRY(in.list(1))) {
        if (!std::exchange(first, false)) TRY(append_bounded(out, between));
        TRY(append_bounded(out, TRY(to_text(item))));
    }
    return Datum{std::move(out)};
}

Result<Datum> replace_all(const Arguments& in) {
    const std::string& from = *TRY(in.text(0));
    const std::string& to = *TRY(in.text(1));
    std::string_view rest = *TRY(in.text(2));
    if (from.empty()) return Error{Errc::invalid, "argument 1, what is replaced, is empty"};
    std::string out;
    for (std::size_t at = rest.find(from); at != std::string_view::npos; at = rest.find(from)) {
        TRY(append_bounded(out, rest.substr(0, at)));
        TRY(append_bounded(out, to));
        rest.remove_prefix(at + from.size());
    }
    TRY(append_bounded(out, rest));
    return Datum{std::move(out)};
}

Result<Datum> indent(const Arguments& in) {
    const std::int64_t by = TRY(in.whole(0));
    if (by < 0 || by > 1000) return Error{Errc::invalid, "indent by 0 to 1000 blanks"};
    const std::string blanks(static_cast<std::size_t>(by), ' ');
    const std::string& text = *TRY(in.text(1));
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
        if (text[at] != '\n') TRY(append_bounded(out, blanks));
        TRY(append_bounded(out, std::string_view(text).substr(at, end - at)));
        at = end;
    }
    return Datum{std::move(out)};
}

Result<bool> is_in(const Datum& all, const Datum& wanted) {
    if (const std::string* text = all.text())
        return wanted.text() != nullptr && text->find(*wanted.text()) != std::string::npos;
    if (all.is_none()) return false;
    const DatumList* list = all.list();
    if (list == nullptr)
        return {Errc::invalid, std::string("looks into a list or a string, not ") + kind_of(all)};
    return std::any_of(list->begin(), list->end(), [&](const Datum& item) {
        const Result<bool> same = equal(item, wanted);
        return same.ok() && *same;
    });
}

Result<Datum> in_list(const Arguments& in) { return Datum{TRY(is_in(in[0], in[1]))}; }
Result<Datum> contains(const Arguments& in) { return Datum{TRY(is_in(in[1], in[0]))}; }

/// How many of the first argument's items are in the second; and how many there are.
Result<std::pair<std::size_t, std::size_t>> found_in(const Arguments& in) {
    const DatumList* wanted = TRY(in.list(0));
    TRY(in.list(1));
    std::size_t found = 0;
    if (wanted->size() > 10'000) return {Errc::invalid, "asks for more than 10000 items"};
    for (const Datum& item : *wanted) found += TRY(is_in(in[1], item)) ? 1 : 0;
    return std::pair{found, wanted->size()};
}
Result<Datum> contains_all(const Arguments& in) {
    const auto [found, asked] = TRY(found_in(in));
    return Datum{found == asked};
}
Result<Datum> contains_any(const Arguments& in) { return Datum{TRY(found_in(in)).first > 0}; }
Result<Datum> contains_none(const Arguments& in) { return Datum{TRY(found_in(in)).first == 0}; }
Result<Datum> contains_not_all(const Arguments& in) {
    const auto [found, asked] = TRY(found_in(in));
    return Datum{found != asked};
}

/// "a=1;b=2" by ";" and "=": a map of texts. What has no second separator is a key without text.
Result<Datum> split_to_map(const Arguments& in) {
    const std::string& between = *TRY(in.text(0));
    const std::string& middle = *TRY(in.text(1));
    if (between.empty() || middle.empty())
        return Error{Errc::invalid, "arguments 1 and 2, what is between, are not to be empty"};
    std::string_view rest = trimmed_left(trimmed_right(*TRY(in.text(2)), kBlanks), kBlanks);
    DatumMap out;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(between), rest.size());
        const std::string_view pair = rest.substr(0, end);
        const std::size_t at = std::min(pair.find(middle), pair.size());
        const std::string_view text = pair.substr(std::min(at + middle.size(), pair.size()));
        out.fields[std::string(pair.substr(0, at))] = {std::string(text)};
        rest.remove_prefix(std::min(end + between.size(), rest.size()));
    }
    return Datum::of(std::move(out));
}

constexpr std::array kTable = {
    TemplateFunction{"toLower", 1, 1, to_lower},
    TemplateFunction{"toUpper", 1, 1, to_upper},
    TemplateFunction{"toTitle", 1, 1, to_title},
    TemplateFunction{"trimSpace", 1, 1, trim_space},
    TemplateFunction{"trim", 2, 2, trim},
    TemplateFunction{"trimLeft", 2, 2, trim_left},
    TemplateFunction{"trimRight", 2, 2, trim_right},
    TemplateFunction{"trimPrefix", 2, 2, trim_prefix},
    TemplateFunction{"trimSuffix", 2, 2, trim_suffix},
    TemplateFunction{"split", 2, 2, split},
    TemplateFunction{"splitToMap", 3, 3, split_to_map},
    TemplateFunction{"join", 2, 2, join},
    TemplateFunction{"replaceAll", 3, 3, replace_all},
    TemplateFunction{"indent", 2, 2, indent},
    TemplateFunction{"in", 2, 2, in_list},
    TemplateFunction{"contains", 2, 2, contains},
    TemplateFunction{"containsAll", 2, 2, contains_all},
    TemplateFunction{"containsAny", 2, 2, contains_any},
    TemplateFunction{"containsNone", 2, 2, contains_none},
    TemplateFunction{"containsNotAll", 2, 2, contains_not_all},
};

}  // namespace

std::span<const TemplateFunction> text_functions() { return kTable; }

}  // namespace gaggle::setup
