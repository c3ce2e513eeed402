// A template's text as tokens.
//
// Outside the delimiters everything is text; `{{- ` and ` -}}` take the blanks beside it; a comment
// is nothing. Inside, strings, raw strings, characters and numbers are Go's. Whether a token
// follows the one before it without a blank is kept, for `$x.Name` and `$x .Name` differ.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "allocrunner/setup/template_ast.h"

namespace gaggle::setup {

struct Token {
    enum class Kind {
        text,
        open,
        close,
        word,      ///< an identifier or keyword
        field,     ///< .Name, without its dot
        variable,  ///< $name, with its dollar
        dot,
        literal,
        pipe,
        comma,
        left,
        right,
        declare,  ///< :=
        assign,   ///< =
        end
    };
    Kind kind = Kind::end;
    Place place;
    std::string text;
    Datum literal;
    bool glued = false;  ///< no blank before it
};

struct Delimiters {
    std::string left = "{{";
    std::string right = "}}";
};

/// The last token is `end`. Errc::invalid says where: "line 2, column 7: ...".
Result<std::vector<Token>> lex_template(std::string_view text, const Delimiters& delimiters);

Error error_at(Place place, const std::string& why);

}  // namespace gaggle::setup
