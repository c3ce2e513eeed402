#include "placement/jobspec/hcl_lexer.h"

#include <algorithm>
#include <array>
#include <string>

namespace gaggle {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_identifier(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool continues_identifier(char c) { return begins_identifier(c) || is_digit(c) || c == '-'; }

/// Length of a comment at `at` without its line end; 0 when there is none.
std::size_t comment_length(std::string_view source, std::size_t at) {
    const std::string_view rest = source.substr(at);
    if (rest.starts_with("/*")) {
        const std::size_t end = rest.find("*/", 2);
        return end == kNone ? rest.size() : end + 2;
    }
    if (!rest.starts_with("#") && !rest.starts_with("//")) return 0;
    const std::size_t end = rest.find('\n');
    return end == kNone ? rest.size() : end;
}

/// Walks strings and interpolations inside one another. `levels` holds '"' for a string, and for an
/// interpolation '{' once for each brace that is open in it.
std::size_t close_of(std::string_view source, std::size_t at, std::string levels) {
    while (at < source.size()) {
        const char c = source[at];
        if (levels.size() > kTemplateNestingMax) return kNone;
        if (levels.back() == '"') {
            const bool opens = (c == '$' || c == '%') && source.substr(at + 1, 1) == "{";
            const bool escaped = (c == '$' || c == '%') &&
                                 source.substr(at + 1, 1) == std::string_view(&c, 1) &&
                                 source.substr(at + 2, 1) == "{";
            if (c == '\n') return kNone;
            if (c == '"') levels.pop_back();
            if (opens) levels.push_back('{');
            at += escaped ? 3 : opens || c == '\\' ? 2 : 1;
        } else {
            if (const std::size_t comment = comment_length(source, at); comment > 0) {
                at += comment;
                continue;
            }
            if (c == '"' || c == '{') levels.push_back(c);
            if (c == '}') levels.pop_back();
            ++at;
        }
        if (levels.empty()) return at;
    }
    return kNone;
}

class Lexer {
  public:
    Lexer(std::string_view source, Position start, Diagnostics& diagnostics)
        : source_(source), position_(start), diagnostics_(diagnostics) {}

    std::vector<Token> run() {
        // After so many errors the rest is noise, and each unclosed string may cost a walk to the
        // end.
        while (at_ < source_.size() && bad_ < kDiagnosticsMax) next();
        push(TokenKind::end, 0);
        return std::move(tokens_);
    }

  private:
    void next() {
        const char c = source_[at_];
        if (c == ' ' || c == '\t' || (c == '\r' && source_.substr(at_ + 1, 1) == "\n"))
            return skip(1);
        if (const std::size_t length = comment_length(source_, at_); length > 0)
            return comment(length);
        if (c == '\n') return push(TokenKind::newline, 1);
        if (begins_identifier(c))
            return push(TokenKind::identifier, length_of(continues_identifier));
        if (is_digit(c)) return push(TokenKind::number, number_length());
        if (c == '"') return quoted();
        if (source_.substr(at_).starts_with("<<")) return heredoc();
        punctuation();
    }

    void push(TokenKind kind, std::size_t length) {
        tokens_.push_back({.kind = kind, .text = source_.substr(at_, length), .at = position_});
        skip(length);
    }

    void skip(std::size_t length) {
        position_ = advance(position_, source_.substr(at_, length));
        at_ += length;
    }

    void bad(std::size_t length, std::string message, std::string hint = "") {
        diagnostics_.error(position_, std::move(message), std::move(hint));
        ++bad_;
        push(TokenKind::bad, length);
    }

    void comment(std::size_t length) {
        const std::string_view text = source_.substr(at_, length);
        if (text.starts_with("/*") && (length < 4 || !text.ends_with("*/")))
            return bad(length, "comment is not closed", "end it with `*/`");
        skip(length);
    }

    std::size_t length_of(bool (*belongs)(char)) const {
        std::size_t end = at_;
        while (end < source_.size() && belongs(source_[end])) ++end;
        return end - at_;
    }

    std::size_t number_length() const {
        const auto digits = [&](std::size_t from) {
            while (from < source_.size() && is_digit(source_[from])) ++from;
            return from;
        };
        const auto peek = [&](std::size_t i) { return i < source_.size() ? source_[i] : '\0'; };
        std::size_t end = digits(at_);
        if (peek(end) == '.' && is_digit(peek(end + 1))) end = digits(end + 1);
        if (peek(end) == 'e' || peek(end) == 'E') {
            const std::size_t sign = peek(end + 1) == '+' || peek(end + 1) == '-' ? 1 : 0;
            if (is_digit(peek(end + 1 + sign))) end = digits(end + 1 + sign);
        }
        return end - at_;
    }

    void quoted() {
        const std::size_t end = close_of(source_, at_ + 1, "\"");
        if (end == kNone) {
            const std::size_t line = source_.find('\n', at_);
            return bad((line == kNone ? source_.size() : line) - at_,
                       "string is not closed on its line",
                       "end it with `\"` and each `${` in it with `}`; a heredoc (<<EOF) may have "
                       "several lines");
        }
        Token token{
            .kind = TokenKind::quoted, .text = source_.substr(at_, end - at_), .at = position_};
        token.content = token.text.substr(1, token.text.size() - 2);
        token.content_at = {position_.line, position_.column + 1};
        tokens_.push_back(token);
        skip(token.text.size());
    }

    void heredoc() {
        Token token{.kind = TokenKind::heredoc, .at = position_};
        std::size_t word = at_ + 2;
        token.indented = source_.substr(word, 1) == "-";
        if (token.indented) ++word;
        std::size_t word_end = word;
        while (word_end < source_.size() && continues_identifier(source_[word_end])) ++word_end;
        const std::string_view marker = source_.substr(word, word_end - word);
        const std::size_t line_end = source_.find('\n', word_end);
        const std::string_view after =
            source_.substr(word_end, line_end == kNone ? kNone : line_end - word_end);
        if (marker.empty() || !begins_identifier(marker.front()) || (after != "" && after != "\r"))
            return bad(2, "`<<` begins no heredoc here", "write `<<EOF` and end the line there");
        std::size_t line = line_end == kNone ? source_.size() : line_end + 1;
        const std::size_t begin = line;
        while (line < source_.size()) {
            const std::size_t end = std::min(source_.find('\n', line), source_.size());
            if (trimmed(source_.substr(line, end - line)) == marker) {
                const std::size_t stop = source_.find(marker, line) + marker.size();
                token.text = source_.substr(at_, stop - at_);
                token.content = source_.substr(begin, line - begin);
                token.content_at = {position_.line + 1, 1};
                tokens_.push_back(token);
                return skip(token.text.size());
            }
            line = end + 1;
        }
        bad(source_.size() - at_, "heredoc `" + std::string(marker) + "` is not closed",
            "end it with a line that says only " + std::string(marker));
    }

    static std::string_view trimmed(std::string_view line) {
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == kNone) return "";
        return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    }

    void punctuation() {
        static constexpr std::array<std::string_view, 8> kLong{
            "...", "==", "!=", "<=", ">=", "&&", "||", "=>"};
        for (const std::string_view one : kLong)
            if (source_.substr(at_).starts_with(one))
                return push(TokenKind::punctuation, one.size());
        const char c = source_[at_];
        if (std::string_view("{}[]()=,.:?+-*/%<>!").find(c) != kNone)
            return push(TokenKind::punctuation, 1);
        const bool shown = c > ' ' && c < 0x7f;
        bad(1,
            shown ? "unexpected character `" + std::string(1, c) + "`"
                  : "unexpected control character",
            c == '\'' ? "strings are written with double quotes" : "");
    }

    std::string_view source_;
    std::size_t at_ = 0;
    std::size_t bad_ = 0;
    Position position_;
    Diagnostics& diagnostics_;
    std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> hcl_tokens(std::string_view source, Position start, Diagnostics& diagnostics) {
    return Lexer(source, start, diagnostics).run();
}

Position advance(Position at, std::string_view text) {
    for (const char c : text) {
        if (c == '\n')
            at = {at.line + 1, 1};
        else if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U)
            ++at.column;
    }
    return at;
}

std::size_t interpolation_end(std::string_view source, std::size_t from) {
    return close_of(source, from, "{");
}

std::size_t invalid_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned c = byte(i);
        const std::size_t length = c < 0x80                ? 1
                                   : c >= 0xc2 && c < 0xe0 ? 2
                                   : c >= 0xe0 && c < 0xf0 ? 3
                                   : c >= 0xf0 && c < 0xf5 ? 4
                                                           : 0;
        if (length == 0) return i;
        for (std::size_t k = 1; k < length; ++k)
            if ((byte(i + k) & 0xc0U) != 0x80U) return i;
        const unsigned second = byte(i + 1);
        const bool overlong = (c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90);
        const bool surrogate = c == 0xed && second >= 0xa0;
        const bool beyond = c == 0xf4 && second >= 0x90;
        if (overlong || surrogate || beyond) return i;
        i += length;
    }
    return kNone;
}

}  // namespace gaggle
