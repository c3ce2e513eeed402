#include "placement/jobspec/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace gaggle {

namespace {

/// Optimal string alignment distance: insert, delete, change, swap neighbours, each one step.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = a[i - 1] == b[j - 1];
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

constexpr std::size_t kListedMax = 8;
constexpr std::size_t kWordMax = 64;  // nothing that we allow is longer, so nothing near is either

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
    std::string text = diagnostic.file;
    if (diagnostic.line > 0)
        text += ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
    if (!text.empty()) text += ": ";
    text += diagnostic.severity == Diagnostic::Severity::error ? "error: " : "warning: ";
    if (diagnostic.line == 0 && !diagnostic.path.empty()) text += diagnostic.path + ": ";
    text += diagnostic.message;
    if (!diagnostic.hint.empty()) text += "; " + diagnostic.hint;
    return text;
}

std::string to_string(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) text += to_string(diagnostic) + "\n";
    return text;
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
    return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& one) {
        return one.severity == Diagnostic::Severity::error;
    });
}

void Diagnostics::error(Position at, std::string message, std::string hint) {
    ++errors_;
    add(at, std::move(message), std::move(hint), Diagnostic::Severity::error);
}

void Diagnostics::warning(Position at, std::string message, std::string hint) {
    add(at, std::move(message), std::move(hint), Diagnostic::Severity::warning);
}

void Diagnostics::add(Position at, std::string message, std::string hint,
                      Diagnostic::Severity severity) {
    if (kept_.size() >= kDiagnosticsMax) {
        ++dropped_;
        return;
    }
    kept_.push_back({.file = file_,
                     .line = at.line,
                     .column = at.column,
                     .message = std::move(message),
                     .hint = std::move(hint),
                     .severity = severity});
}

std::vector<Diagnostic> Diagnostics::take() {
    std::stable_sort(kept_.begin(), kept_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    if (dropped_ > 0)
        kept_.push_back({.file = file_,
                         .message = std::to_string(dropped_) + " more not shown",
                         .hint = "mend the ones above first",
                         .severity = errors_ > 0 ? Diagnostic::Severity::error
                                                 : Diagnostic::Severity::warning});
    return std::move(kept_);
}

std::string nearest(std::string_view word, const std::vector<std::string>& allowed) {
    if (word.size() > kWordMax) return "";
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& one : allowed) {
        const std::size_t steps = distance(word, one);
        if (steps < best_distance) {
            best = one;
            best_distance = steps;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& allowed) {
    if (const std::string near = nearest(word, allowed); !near.empty())
        return "did you mean `" + near + "`?";
    if (allowed.empty() || allowed.size() > kListedMax) return "";
    std::string text = "allowed here: ";
    for (std::size_t i = 0; i < allowed.size(); ++i)
        text += (i == 0 ? "`" : ", `") + allowed[i] + "`";
    return text;
}

}  // namespace gaggle
