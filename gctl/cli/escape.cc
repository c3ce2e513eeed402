#include "gctl/cli/escape.h"

#include <utility>

namespace gaggle::cli {

EscapeReader::Taken EscapeReader::take(std::string_view typed) {
    Taken out;
    for (const char letter : typed) {
        if (std::exchange(escaped_, false)) {
            if (letter == '.') {
                out.quit = true;
                return out;
            }
            if (letter != *escape_) out.send += *escape_;
        } else if (escape_ && at_line_start_ && letter == *escape_) {
            escaped_ = true;
            continue;
        }
        out.send += letter;
        at_line_start_ = letter == '\r' || letter == '\n';
    }
    return out;
}

}  // namespace gaggle::cli
