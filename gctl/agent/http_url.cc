#include <string_view>

#include "base/bytes.h"
#include "gctl/agent/http.h"

namespace gaggle {

std::string url_decoded(std::string_view text, UrlPart part) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+' && part == UrlPart::query) {
            out += ' ';
            continue;
        }
        const auto byte = text[at] == '%' && at + 2 < text.size() ? from_hex(text.substr(at + 1, 2))
                                                                  : std::nullopt;
        if (byte && byte->size() == 1) {
            out += static_cast<char>(byte->front());
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out;
}

}  // namespace gaggle
