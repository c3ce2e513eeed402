// Regular expressions in templates: RE2, whose syntax is Go's and whose time is linear
// (docs/decisions/0012).
#include <re2/re2.h>

#include <array>
#include <charconv>

#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

constexpr std::int64_t kPatternMemoryMax = 1 << 20;

struct Pattern {
    explicit Pattern(const std::string& text) : matcher(text, options()) {}
    static re2::RE2::Options options() {
        re2::RE2::Options out;
        out.set_log_errors(false);
        out.set_max_mem(kPatternMemoryMax);
        return out;
    }
    Result<void> check() const {
        if (matcher.ok()) return {};
        return {Errc::invalid, "pattern \"" + matcher.pattern() + "\": " + matcher.error()};
    }
    re2::RE2 matcher;
};

using Groups = std::vector<re2::StringPiece>;

/// The group that `$name` or `$1` means; empty when there is none, as in Go.
std::string_view group_of(const re2::RE2& matcher, const Groups& groups, std::string_view name) {
    int number = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) {
        const auto& named = matcher.NamedCapturingGroups();
        const auto found = named.find(std::string(name));
        number = found == named.end() ? -1 : found->second;
    }
    if (number < 0 || static_cast<std::size_t>(number) >= groups.size()) return {};
    const re2::StringPiece& group = groups[static_cast<std::size_t>(number)];
    return group.data() == nullptr ? std::string_view()
                                   : std::string_view(group.data(), group.size());
}

bool is_name(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Go's Expand: $1, $name, ${name}, $$; any other dollar stays.
Result<void> expand(std::string& out, std::string_view by, const re2::RE2& matcher,
                    const Groups& groups) {
    for (std::size_t at = 0; at < by.size();) {
        const std::size_t dollar = std::min(by.find('$', at), by.size());
        TRY(append_bounded(out, by.substr(at, dollar - at)));
        at = dollar + 1;
        if (dollar >= by.size()) break;
        const std::string_view rest = by.substr(at);
        std::size_t name = 0;
        while (name < rest.size() && is_name(rest[name])) ++name;
        const std::size_t close = rest.starts_with('{') ? rest.find('}') : std::string_view::npos;
        if (rest.starts_with('$')) {
            TRY(append_bounded(out, "$"));
            at += 1;
        } else if (close != std::string_view::npos) {
            TRY(append_bounded(out, group_of(matcher, groups, rest.substr(1, close - 1))));
            at += close + 1;
        } else if (name > 0) {
            TRY(append_bounded(out, group_of(matcher, groups, rest.substr(0, name))));
            at += name;
        } else {
            TRY(append_bounded(out, "$"));
        }
    }
    return {};
}

Result<Datum> regex_match(const Arguments& in) {
    const Pattern pattern(*TRY(in.text(0)));
    TRY(pattern.check());
    return Datum{re2::RE2::PartialMatch(*TRY(in.text(1)), pattern.matcher)};
}

Result<Datum> regex_replace_all(const Arguments& in) {
    const Pattern pattern(*TRY(in.text(0)));
    TRY(pattern.check());
    const std::string& by = *TRY(in.text(1));
    const std::string& text = *TRY(in.text(2));
    Groups groups(static_cast<std::size_t>(pattern.matcher.NumberOfCapturingGroups()) + 1);
    std::string out;
    std::size_t copied = 0;  // up to here
    bool matched_before = false;
    for (std::size_t at = 0; at <= text.size();) {
        if (!pattern.matcher.Match(text, at, text.size(), re2::RE2::UNANCHORED, groups.data(),
                                   static_cast<int>(groups.size())))
            break;
        const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
        const std::size_t end = begin + groups[0].size();
        // As Go: no empty match right behind another match.
        const bool counts = begin < end || !matched_before || begin > copied;
        TRY(append_bounded(out, std::string_view(text).substr(copied, begin - copied)));
        if (counts) TRY(expand(out, by, pattern.matcher, groups));
        copied = end;
        matched_before = true;
        at = begin < end ? end : end + 1;
    }
    if (copied < text.size()) TRY(append_bounded(out, std::string_view(text).substr(copied)));
    return Datum{std::move(out)};
}

constexpr std::array kTable = {
    TemplateFunction{"regexMatch", 2, 2, regex_match},
    TemplateFunction{"regexReplaceAll", 3, 3, regex_replace_all},
};

}  // namespace

std::span<const TemplateFunction> pattern_functions() { return kTable; }

}  // namespace gaggle::setup
