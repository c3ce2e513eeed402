// What is wrong with a text that somebody wrote, where, and what to write instead.
//
// A reader of job files goes on after an error, so that all of them are told at once; Diagnostics
// is where they gather. It keeps the first kDiagnosticsMax and counts the rest.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gaggle {

struct Diagnostic {
    enum class Severity { error, warning };

    std::string file;
    int line = 0;         ///< from 1; 0 when the job did not come from a text with lines
    int column = 0;       ///< from 1, in Unicode code points; 0 as above
    std::string message;  ///< what is wrong, with the offending word
    std::string hint;     ///< what to do about it; may be empty
    Severity severity = Severity::error;
    std::string
        path;  ///< of the block or attribute, as "group.cache.task.redis.driver"; may be empty

    bool operator==(const Diagnostic&) const = default;
};

/// "redis.nomad:4:5: error: unknown attribute `cont` in group; did you mean `count`?"
std::string to_string(const Diagnostic& diagnostic);
/// One line for each, in order.
std::string to_string(const std::vector<Diagnostic>& diagnostics);
bool has_errors(const std::vector<Diagnostic>& diagnostics);

/// A place in a text, both from 1.
struct Position {
    int line = 1;
    int column = 1;
    auto operator<=>(const Position&) const = default;
};

constexpr std::size_t kDiagnosticsMax = 100;

/// Gathers what is wrong with one file.
class Diagnostics {
  public:
    explicit Diagnostics(std::string file) : file_(std::move(file)) {}

    void error(Position at, std::string message, std::string hint = "");
    void warning(Position at, std::string message, std::string hint = "");
    /// Errors so far, the ones beyond kDiagnosticsMax included.
    std::size_t errors() const { return errors_; }
    const std::string& file() const { return file_; }
    /// All of them by position; the last one says how many more there were.
    std::vector<Diagnostic> take();

  private:
    void add(Position at, std::string message, std::string hint, Diagnostic::Severity severity);

    std::string file_;
    std::vector<Diagnostic> kept_;
    std::size_t errors_ = 0;
    std::size_t dropped_ = 0;
};

/// The one of `allowed` that was probably meant by `word`: at most a third of its letters away
/// (Damerau-Levenshtein: insert, delete, change, swap neighbours). Empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& allowed);
/// "did you mean `count`?", else the allowed words when they are few, else empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& allowed);

}  // namespace gaggle
