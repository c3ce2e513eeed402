// The last lines of a stream that was asked for from some way before its end.
//
// The API counts in bytes, people in lines; so we ask for more bytes than the lines are likely to
// take and drop what is too much. A stream that ends is kept back and cut at its end. One that is
// followed has no end: its first piece, up to 64 KiB, is cut and everything later passes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gaggle::cli {

/// The last `lines` lines of `text`; a last one without its newline counts.
std::string_view last_lines(std::string_view text, std::size_t lines);

class Tail {
  public:
    Tail(std::size_t lines, bool follow) : lines_(lines), follow_(follow) {}

    /// How far before the end to begin for that many lines: 256 bytes each.
    static std::size_t bytes_for(std::size_t lines) { return lines * 256; }

    /// What of this piece may be shown now.
    std::string take(std::string_view piece);
    /// What was kept back, once the stream has ended.
    std::string rest() const;

  private:
    std::size_t lines_;
    bool follow_;
    bool first_ = true;
    std::string kept_;
};

}  // namespace gaggle::cli
