#include "gctl/cli/console.h"

#include <iterator>

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

std::string Console::tint(std::size_t which, const std::string& text) const {
    static constexpr const char* kTints[] = {"36", "33", "32", "35", "34", "96", "93", "92", "95"};
    if (!colour_) return text;
    return "\x1b[" + std::string(kTints[which % std::size(kTints)]) + "m" + text + "\x1b[0m";
}

}  // namespace gaggle::cli
