// Where a command writes, and in which colours.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gaggle::cli {

enum class Tone { plain, good, bad, warn, faint, strong };

class Console {
  public:
    using Sink = std::function<void(std::string_view)>;
    Console(Sink out, Sink err, bool colour)
        : out_(std::move(out)), err_(std::move(err)), colour_(colour) {}

    /// To standard output, as it is.
    void print(std::string_view text) { out_(text); }
    void line(const std::string& text = "") { out_(text + "\n"); }
    void print_error(std::string_view text) { err_(text); }
    /// To standard error, so that what is piped on stays clean.
    void note(const std::string& text) { err_(text + "\n"); }

    bool colour() const { return colour_; }
    /// `text` in that colour, or as it is where there are no colours.
    std::string paint(Tone tone, const std::string& text) const;
    /// The same in one of a few colours that are easy to tell apart, the `which`th of them.
    std::string tint(std::size_t which, const std::string& text) const;

  private:
    Sink out_, err_;
    bool colour_;
};

}  // namespace gaggle::cli
