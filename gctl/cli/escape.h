// The way out of a terminal whose every key belongs to the task: the escape character at the
// beginning of a line, then a dot.
//
// As ssh has it: the character twice is the character, and anything else behind it is sent with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gaggle::cli {

class EscapeReader {
  public:
    /// No character: everything is sent.
    explicit EscapeReader(std::optional<char> escape) : escape_(escape) {}

    struct Taken {
        std::string send;
        bool quit = false;  ///< what comes behind it is dropped
    };
    Taken take(std::string_view typed);

  private:
    std::optional<char> escape_;
    bool at_line_start_ = true;
    bool escaped_ = false;
};

}  // namespace gaggle::cli
