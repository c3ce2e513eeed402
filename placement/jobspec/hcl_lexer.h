// HCL2 text to tokens.
//
// A string with templates in it is one token here, found by its closing quote: the parser reads its
// inside by lexing that part again. So the lexer has no modes, and its only stack (strings inside
// `${}` inside strings) is explicit and bounded. Line ends are tokens; comments are not.
// Source: the HCL native syntax specification (github.com/hashicorp/hcl, hclsyntax/spec.md).
#pragma once

#include <string_view>
#include <vector>

#include "placement/jobspec/diagnostic.h"

namespace gaggle {

enum class TokenKind {
    identifier,
    number,
    quoted,       ///< "...", `content` without the quotes
    heredoc,      ///< <<X ... X, `content` is the lines between
    punctuation,  ///< operators, brackets, separators
    newline,
    bad,  ///< already reported
    end,
};

/// Views into the source, which must live longer.
struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;     ///< as written
    std::string_view content;  ///< of quoted and heredoc
    Position at;
    Position content_at;
    bool indented = false;  ///< heredoc: opened by <<-

    bool is(std::string_view punctuation) const {
        return kind == TokenKind::punctuation && text == punctuation;
    }
};

/// Tokens of `source`, which stands at `start` in its file; the last one is `end`. What is not HCL
/// is reported and becomes `bad` tokens.
std::vector<Token> hcl_tokens(std::string_view source, Position start, Diagnostics& diagnostics);

/// The place just behind `text`, which begins at `at`.
Position advance(Position at, std::string_view text);

/// Index just behind the `}` that closes the interpolation whose inside begins at `from`; npos when
/// there is none, or when strings are nested deeper than kTemplateNestingMax.
std::size_t interpolation_end(std::string_view source, std::size_t from);

constexpr std::size_t kTemplateNestingMax = 64;

/// Index of the first byte that is not well-formed UTF-8; npos when all is.
std::size_t invalid_utf8(std::string_view text);

}  // namespace gaggle
