#include "allocrunner/setup/template_lexer.h"

#include <optional>

#include "allocrunner/setup/go_literal.h"

namespace gaggle::setup {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
    return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
  public:
    Lexer(std::string_view text, const Delimiters& delimiters)
        : text_(text), left_(delimiters.left), right_(delimiters.right) {}

    Result<std::vector<Token>> run() {
        while (at_ < text_.size()) {
            take_text();
            if (at_ >= text_.size()) break;
            TRY(take_action());
        }
        add(Token::Kind::end);
        return std::move(tokens_);
    }

  private:
    bool next_is(std::string_view wanted) const { return text_.substr(at_).starts_with(wanted); }
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    void skip(std::size_t count) {
        for (; count > 0 && at_ < text_.size(); --count, ++at_) {
            ++place_.column;
            if (text_[at_] == '\n') place_ = {place_.line + 1, 1};
        }
    }
    Error wrong(const std::string& why) const { return error_at(place_, why); }

    Token& add(Token::Kind kind, std::size_t bytes = 0, std::string text = {}) {
        tokens_.push_back(
            {.kind = kind, .place = place_, .text = std::move(text), .glued = glued_});
        glued_ = true;
        skip(bytes);
        return tokens_.back();
    }

    void take_text() {
        if (trim_next_)
            while (at_ < text_.size() && is_blank(text_[at_])) skip(1);
        trim_next_ = false;
        const std::size_t end = std::min(text_.find(left_, at_), text_.size());
        std::string_view part = text_.substr(at_, end - at_);
        const std::string_view after = text_.substr(std::min(end + left_.size(), text_.size()));
        if (end < text_.size() && after.size() > 1 && after[0] == '-' && is_blank(after[1]))
            while (!part.empty() && is_blank(part.back())) part.remove_suffix(1);
        if (!part.empty()) add(Token::Kind::text, 0, std::string(part));
        skip(end - at_);
    }

    /// Bytes of the right delimiter here with its trim mark; 0: none.
    std::size_t right_here() const {
        if (next_is(right_)) return right_.size();
        std::size_t ahead = 0;
        while (is_blank(peek(ahead))) ++ahead;
        if (ahead == 0 || peek(ahead) != '-') return 0;
        return text_.substr(at_ + ahead + 1).starts_with(right_) ? ahead + 1 + right_.size() : 0;
    }

    void take_right(std::size_t bytes) {
        trim_next_ = bytes > right_.size();
        skip(bytes);
    }

    Result<void> take_action() {
        const Place start = place_;
        add(Token::Kind::open, left_.size());
        if (peek() == '-' && is_blank(peek(1))) skip(2);
        if (next_is("/*")) return take_comment();
        glued_ = false;
        for (;;) {
            if (const std::size_t bytes = right_here(); bytes > 0) {
                add(Token::Kind::close);
                take_right(bytes);
                return {};
            }
            if (at_ >= text_.size())
                return error_at(start, "the action that begins here is not closed with " + right_);
            if (is_blank(peek())) {
                skip(1);
                glued_ = false;
                continue;
            }
            TRY(take_token());
        }
    }

    Result<void> take_comment() {
        const Place start = tokens_.back().place;
        tokens_.pop_back();
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return error_at(start, "the comment is not closed");
        skip(end + 2 - at_);
        const std::size_t bytes = right_here();
        if (bytes == 0)
            return error_at(start, "the comment ends before its action does; write */" + right_);
        take_right(bytes);
        return {};
    }

    Result<void> take_token() {
        const char c = peek();
        switch (c) {
            case '|': add(Token::Kind::pipe, 1); return {};
            case ',': add(Token::Kind::comma, 1); return {};
            case '(': add(Token::Kind::left, 1); return {};
            case ')': add(Token::Kind::right, 1); return {};
            case '=': add(Token::Kind::assign, 1); return {};
            case '"':
            case '`':
            case '\'': return take_quoted();
            default: break;
        }
        if (next_is(":=")) return add(Token::Kind::declare, 2), Result<void>();
        if (c == '$' || is_name(c)) {
            if (!is_digit(c)) return take_name();
            return take_number();
        }
        if (c == '.' && is_name(peek(1)) && !is_digit(peek(1))) return take_name();
        if (c == '.' && !is_digit(peek(1))) return add(Token::Kind::dot, 1), Result<void>();
        if (c == '.' || c == '-' || c == '+') return take_number();
        return wrong(std::string("unexpected ") + (c >= ' ' ? std::string(1, c) : "control byte") +
                     " in an action");
    }

    Result<void> take_name() {
        std::size_t bytes = 1;
        while (is_name(peek(bytes))) ++bytes;
        const std::string name(text_.substr(at_, bytes));
        if (name[0] == '$')
            add(Token::Kind::variable, bytes, name);
        else if (name[0] == '.')
            add(Token::Kind::field, bytes, name.substr(1));
        else
            add(Token::Kind::word, bytes, name);
        return {};
    }

    Result<void> take_number() {
        std::size_t bytes = 1;
        for (;; ++bytes) {
            const char c = peek(bytes);
            const char before = static_cast<char>(peek(bytes - 1) | 0x20);
            const bool sign = (c == '+' || c == '-') && (before == 'e' || before == 'p');
            if (!sign && c != '.' && !is_name(c)) break;
        }
        const std::string_view written = text_.substr(at_, bytes);
        const auto number = go_number(written);
        if (!number) return wrong("\"" + std::string(written) + "\" is no number");
        add(Token::Kind::literal, bytes).literal = *number;
        return {};
    }

    Result<void> take_quoted() {
        const char quote = peek();
        std::size_t bytes = 1;
        while (peek(bytes) != quote) {
            const bool broken = quote != '`' && peek(bytes) == '\n';
            if (at_ + bytes >= text_.size() || broken) return wrong("a string that is not closed");
            bytes += quote != '`' && peek(bytes) == '\\' ? 2 : 1;
        }
        ++bytes;
        const std::string_view written = text_.substr(at_, bytes);
        const auto value = go_string(written);
        if (!value) return wrong("bad escape in " + std::string(written));
        Datum literal{*value};
        if (quote == '\'') {
            const auto rune = only_rune(*value);
            if (!rune) return wrong(std::string(written) + " is not one character");
            literal = {*rune};
        }
        add(Token::Kind::literal, bytes).literal = std::move(literal);
        return {};
    }

    std::string_view text_;
    const std::string& left_;
    const std::string& right_;
    std::size_t at_ = 0;
    Place place_;
    bool glued_ = false;
    bool trim_next_ = false;  ///< the action before said -}}
    std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> lex_template(std::string_view text, const Delimiters& delimiters) {
    return Lexer(text, delimiters).run();
}

Error error_at(Place place, const std::string& why) {
    return {Errc::invalid, "line " + std::to_string(place.line) + ", column " +
                               std::to_string(place.column) + ": " + why};
}

}  // namespace gaggle::setup
