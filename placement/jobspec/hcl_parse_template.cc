#include <algorithm>

#include "placement/jobspec/hcl_parser.h"

namespace gaggle::hcl {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::size_t leading_blanks(std::string_view text) {
    return std::min(text.find_first_not_of(" \t"), text.size());
}

bool is_blank_line(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    return first != kNone && text[first] == '\n';
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](int shift) {
        out.push_back(static_cast<char>(0x80U | ((code >> shift) & 0x3fU)));
    };
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xc0U | (code >> 6U)));
        tail(0);
    } else if (code < 0x10000) {
        out.push_back(static_cast<char>(0xe0U | (code >> 12U)));
        tail(6);
        tail(0);
    } else {
        out.push_back(static_cast<char>(0xf0U | (code >> 18U)));
        tail(12);
        tail(6);
        tail(0);
    }
}

/// Reads the inside of one string or heredoc from left to right.
class Reader {
  public:
    Reader(const Token& token, std::size_t depth, Diagnostics& diagnostics)
        : token_(token),
          text_(token.content),
          at_(token.content_at),
          depth_(depth),
          diagnostics_(diagnostics) {}

    ExpressionPtr run() {
        indentation_ = token_.indented ? common_indentation() : 0;
        while (index_ < text_.size()) {
            if (indentation_ > 0 && line_start_ && !is_blank_line(rest()))
                skip(std::min(indentation_, leading_blanks(rest())));
            line_start_ = false;
            if (!next()) return nullptr;
        }
        return finish();
    }

  private:
    std::string_view rest() const { return text_.substr(index_); }

    void skip(std::size_t length) {
        at_ = advance(at_, text_.substr(index_, length));
        index_ += length;
    }

    bool fail(std::string message, std::string hint = "") {
        diagnostics_.error(at_, std::move(message), std::move(hint));
        return false;
    }

    void add(std::string_view text) {
        if (parts_.empty() || parts_.back().interpolation != nullptr) parts_.emplace_back();
        parts_.back().text += text;
    }

    bool next() {
        if (rest().starts_with("$${") || rest().starts_with("%%{")) {
            add(text_.substr(index_ + 1, 2));
            skip(3);
            return true;
        }
        if (rest().starts_with("${")) return interpolation();
        if (rest().starts_with("%{"))
            return fail("template directives (`%{...}`) are not supported yet",
                        "write `%%{` where the text itself is meant");
        if (token_.kind == TokenKind::quoted && rest().starts_with("\\")) return escape();
        const std::size_t run =
            std::max<std::size_t>(1, std::min(rest().find_first_of("$%\\\n"), rest().size()));
        line_start_ = text_[index_] == '\n';
        add(text_.substr(index_, run));
        skip(run);
        return true;
    }

    bool interpolation() {
        const std::size_t end = interpolation_end(text_, index_ + 2);
        if (end == kNone)
            return fail("`${` is not closed", "write `$${` where the text itself is meant");
        const std::string_view inside = text_.substr(index_ + 2, end - index_ - 3);
        if (inside.starts_with("~") || inside.ends_with("~"))
            return fail("strip markers (`~`) are not supported yet");
        skip(2);
        ExpressionPtr value = Parser(inside, at_, depth_ + 1, diagnostics_).alone();
        if (value == nullptr) return false;
        height_ = std::max(height_, value->height);
        parts_.push_back({.text = "", .interpolation = std::move(value)});
        skip(inside.size() + 1);
        return true;
    }

    bool escape() {
        static constexpr std::string_view kPlain = "nrt\"\\";
        static constexpr std::string_view kMeaning = "\n\r\t\"\\";
        const char kind = index_ + 1 < text_.size() ? text_[index_ + 1] : '\0';
        if (const std::size_t which = kPlain.find(kind); kind != '\0' && which != kNone) {
            add(kMeaning.substr(which, 1));
            skip(2);
            return true;
        }
        if (kind == 'u' || kind == 'U') return unicode(kind == 'u' ? 4 : 8);
        return fail(
            "unknown escape `" + std::string(rest().substr(0, 2)) + "`",
            "known are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN; a backslash itself is \\\\");
    }

    bool unicode(std::size_t digits) {
        const std::string_view hex = text_.substr(index_ + 2, digits);
        const bool all_hex = hex.find_first_not_of("0123456789abcdefABCDEF") == kNone;
        const std::uint32_t code =
            all_hex && hex.size() == digits
                ? static_cast<std::uint32_t>(std::stoul(std::string(hex), nullptr, 16))
                : 0xffffffffU;
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return fail("`" + std::string(rest().substr(0, digits + 2)) + "` is not a character",
                        "write four hexadecimal digits after \\u, eight after \\U");
        std::string text;
        append_utf8(text, code);
        add(text);
        skip(digits + 2);
        return true;
    }

    /// Blanks that all lines have in front; lines that begin inside a `${}` and blank ones not
    /// counted.
    std::size_t common_indentation() const {
        std::size_t common = kNone;
        for (std::size_t line = 0; line < text_.size();) {
            if (!is_blank_line(text_.substr(line)))
                common = std::min(common, leading_blanks(text_.substr(line)));
            std::size_t at = line;
            while (at < text_.size() && text_[at] != '\n') {
                const std::string_view here = text_.substr(at);
                if (here.starts_with("$${"))
                    at += 3;
                else if (here.starts_with("${"))
                    at = std::min(interpolation_end(text_, at + 2), text_.size());
                else
                    ++at;
            }
            line = at + 1;
        }
        return common == kNone ? 0 : common;
    }

    ExpressionPtr finish() {
        if (parts_.empty()) parts_.emplace_back();
        const bool literal = parts_.size() == 1 && parts_[0].interpolation == nullptr;
        Expression whole{.at = token_.at, .height = height_ + 1};
        if (literal)
            whole.form = Literal{Value{std::move(parts_[0].text)}};
        else
            whole.form = Template{std::move(parts_)};
        if (whole.height <= kNestingMax) return std::make_unique<Expression>(std::move(whole));
        fail("template nested deeper than " + std::to_string(kNestingMax) + " levels");
        return nullptr;
    }

    const Token& token_;
    std::string_view text_;
    std::size_t index_ = 0;
    Position at_;
    std::size_t depth_;
    std::size_t indentation_ = 0;
    std::size_t height_ = 0;
    bool line_start_ = true;
    std::vector<TemplatePart> parts_;
    Diagnostics& diagnostics_;
};

}  // namespace

ExpressionPtr template_of(const Token& token, std::size_t depth, Diagnostics& diagnostics) {
    return Reader(token, depth, diagnostics).run();
}

}  // namespace gaggle::hcl
