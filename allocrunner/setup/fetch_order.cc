#include "allocrunner/setup/fetch_order.h"

#include <charconv>

namespace gaggle::setup {

namespace {

/// The next word, taken off with the blank behind it.
std::string_view word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view out = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return out;
}

bool number(std::string_view text, std::int64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<FetchLine> fetch_line(std::string_view line) {
    const std::string_view kind = word(line);
    FetchLine out;
    if (kind == "progress") {
        if (!number(word(line), out.bytes) || !number(word(line), out.of)) return std::nullopt;
        return out;
    }
    if (kind == "failed") {
        const std::string_view may_pass = word(line);
        if (may_pass != "0" && may_pass != "1") return std::nullopt;
        out.may_pass = may_pass == "1";
        out.kind = FetchLine::Kind::failed;
    } else if (kind == "done") {
        out.kind = FetchLine::Kind::done;
    } else {
        return std::nullopt;
    }
    out.text = line;
    return out;
}

}  // namespace gaggle::setup
