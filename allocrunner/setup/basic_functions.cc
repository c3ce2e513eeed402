// The functions that come with Go's text/template.
#include <array>

#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

/// True when the first equals any of the others.
Result<Datum> eq(const Arguments& in) {
    for (std::size_t at = 1; at < in.size(); ++at)
        if (TRY(equal(in[0], in[at]))) return Datum{true};
    return Datum{false};
}
Result<Datum> ne(const Arguments& in) { return Datum{!TRY(equal(in[0], in[1]))}; }
Result<Datum> lt(const Arguments& in) { return Datum{TRY(compare(in[0], in[1])) < 0}; }
Result<Datum> le(const Arguments& in) { return Datum{TRY(compare(in[0], in[1])) <= 0}; }
Result<Datum> gt(const Arguments& in) { return Datum{TRY(compare(in[0], in[1])) > 0}; }
Result<Datum> ge(const Arguments& in) { return Datum{TRY(compare(in[0], in[1])) >= 0}; }
Result<Datum> negate(const Arguments& in) { return Datum{!is_true(in[0])}; }

Result<Datum> len(const Arguments& in) {
    const Datum& of = in[0];
    if (const auto* text = of.text()) return Datum{static_cast<std::int64_t>(text->size())};
    if (const auto* list = of.list()) return Datum{static_cast<std::int64_t>(list->size())};
    if (const auto* map = of.map()) return Datum{static_cast<std::int64_t>(map->fields.size())};
    return Error{Errc::invalid, std::string(kind_of(of)) + " has no length"};
}

Result<std::size_t> position(const Arguments& in, std::size_t at, std::size_t last) {
    const std::int64_t asked = TRY(in.whole(at));
    if (asked < 0 || static_cast<std::uint64_t>(asked) > last)
        return {Errc::invalid, std::to_string(asked) + " is out of range"};
    return static_cast<std::size_t>(asked);
}

Result<Datum> entry_of(const Datum& of, const Arguments& in, std::size_t at) {
    if (const DatumMap* map = of.map()) {
        const auto found = map->fields.find(*TRY(in.text(at)));
        return found == map->fields.end() ? Datum{} : found->second;
    }
    const DatumList* list = of.list();
    const std::string* text = of.text();
    if (list == nullptr && text == nullptr)
        return Error{Errc::invalid, std::string("cannot index ") + kind_of(of)};
    const std::size_t size = list != nullptr ? list->size() : text->size();
    if (size == 0) return Error{Errc::invalid, "it is empty; test it with if or with first"};
    const std::size_t which = TRY(position(in, at, size - 1));
    if (list != nullptr) return (*list)[which];
    return Datum{static_cast<std::int64_t>(static_cast<unsigned char>((*text)[which]))};
}

Result<Datum> index(const Arguments& in) {
    Datum out = in[0];
    for (std::size_t at = 1; at < in.size(); ++at) out = TRY(entry_of(out, in, at));
    return out;
}

Result<Datum> slice(const Arguments& in) {
    const DatumList* list = in[0].list();
    const std::string* text = in[0].text();
    if (list == nullptr && text == nullptr)
        return Error{Errc::invalid, std::string("cannot slice ") + kind_of(in[0])};
    const std::size_t size = list != nullptr ? list->size() : text->size();
    const std::size_t from = in.size() > 1 ? TRY(position(in, 1, size)) : 0;
    const std::size_t to = in.size() > 2 ? TRY(position(in, 2, size)) : size;
    if (from > to) return Error{Errc::invalid, "the slice ends before it begins"};
    if (text != nullptr) return Datum{text->substr(from, to - from)};
    return Datum::of(DatumList(list->begin() + static_cast<std::ptrdiff_t>(from),
                               list->begin() + static_cast<std::ptrdiff_t>(to)));
}

/// As Sprint: a blank between two that are both no strings.
Result<Datum> print(const Arguments& in) {
    std::string out;
    for (std::size_t at = 0; at < in.size(); ++at) {
        const bool blank = at > 0 && in[at].text() == nullptr && in[at - 1].text() == nullptr;
        TRY(append_bounded(out, (blank ? " " : "") + TRY(to_text(in[at]))));
    }
    return Datum{std::move(out)};
}

/// As Sprintln: a blank between all, and a line's end.
Result<Datum> print_line(const Arguments& in) {
    std::string out;
    for (std::size_t at = 0; at < in.size(); ++at)
        TRY(append_bounded(out, (at > 0 ? " " : "") + TRY(to_text(in[at]))));
    return Datum{out + "\n"};
}

Result<Datum> print_formatted(const Arguments& in) {
    return Datum{TRY(go_printf(*TRY(in.text(0)), in.values.subspan(1)))};
}

Result<Datum> html(const Arguments& in) {
    const std::string text = TRY(to_text(in[0]));
    std::string out;
    for (const char c : text) {
        const char* name = c == '&'    ? "&amp;"
                           : c == '<'  ? "&lt;"
                           : c == '>'  ? "&gt;"
                           : c == '"'  ? "&#34;"
                           : c == '\'' ? "&#39;"
                                       : nullptr;
        TRY(append_bounded(out,
                           name != nullptr ? std::string_view(name) : std::string_view(&c, 1)));
    }
    return Datum{std::move(out)};
}

Result<Datum> url_query(const Arguments& in) {
    constexpr std::string_view kPlain = "-_.~";
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const std::string text = TRY(to_text(in[0]));
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const char coded[] = {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
        if (letter || kPlain.find(c) != std::string_view::npos)
            out += c;
        else
            TRY(append_bounded(out, c == ' ' ? std::string_view("+") : std::string_view(coded, 3)));
    }
    return Datum{std::move(out)};
}

constexpr int kAny = TemplateFunction::kAny;
constexpr std::array kTable = {
    TemplateFunction{"eq", 2, kAny, eq},
    TemplateFunction{"ne", 2, 2, ne},
    TemplateFunction{"lt", 2, 2, lt},
    TemplateFunction{"le", 2, 2, le},
    TemplateFunction{"gt", 2, 2, gt},
    TemplateFunction{"ge", 2, 2, ge},
    TemplateFunction{"not", 1, 1, negate},
    TemplateFunction{"len", 1, 1, len},
    TemplateFunction{"index", 1, kAny, index},
    TemplateFunction{"slice", 1, 3, slice},
    TemplateFunction{"print", 0, kAny, print},
    TemplateFunction{"println", 0, kAny, print_line},
    TemplateFunction{"printf", 1, kAny, print_formatted},
    TemplateFunction{"html", 1, 1, html},
    TemplateFunction{"urlquery", 1, 1, url_query},
};

}  // namespace

std::span<const TemplateFunction> basic_functions() { return kTable; }

}  // namespace gaggle::setup
