#include "gctl/cli/console.h"

namespace gaggle::cli {

namespace {

/// Select Graphic Rendition codes (ECMA-48 section 8.3.117).
const char* code_of(Tone tone) {
    switch (tone) {
        case Tone::plain: return "";
        case Tone::good: return "\x1b[32m";
        case Tone::bad: return "\x1b[31m";
        case Tone::warn: return "\x1b[33m";
        case Tone::faint: return "\x1b[2m";
        case Tone::strong: return "\x1b[1m";
    }
    return "";
}

}  // namespace

std::string Console::paint(Tone tone, const std::string& text) const {
    if (!colour_ || tone == Tone::plain || text.empty()) return text;
    return code_of(tone) + text + "\x1b[0m";
}

}  // namespace gaggle::cli
