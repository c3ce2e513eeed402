#include "gctl/cli/tail.h"

namespace gaggle::cli {

std::string_view last_lines(std::string_view text, std::size_t lines) {
    std::size_t at = text.size();
    if (at > 0 && text[at - 1] == '\n') --at;
    for (; lines > 0; --lines) {
        if (at == 0) return text;
        const auto before = text.rfind('\n', at - 1);
        if (before == std::string_view::npos) return text;
        at = before;
    }
    return at == text.size() ? std::string_view() : text.substr(at + 1);
}

std::string Tail::take(std::string_view piece) {
    if (!follow_) {
        kept_ += piece;
        return "";
    }
    if (!first_) return std::string(piece);
    first_ = false;
    return std::string(last_lines(piece, lines_));
}

std::string Tail::rest() const { return std::string(last_lines(kept_, lines_)); }

}  // namespace gaggle::cli
