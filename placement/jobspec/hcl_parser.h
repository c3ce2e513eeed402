// The parser's inside, shared by its three files: bodies, expressions, templates.
//
// Recursive descent with one token of look-ahead (two for an object's keys). A function that fails
// has reported why and returns nullptr or false; the body's loop then skips to where an item can
// begin.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "placement/jobspec/hcl_ast.h"
#include "placement/jobspec/hcl_lexer.h"

namespace gaggle::hcl {

class Parser {
  public:
    /// `depth` is how deep the text stands already, for the inside of a template.
    Parser(std::string_view source, Position start, std::size_t depth, Diagnostics& diagnostics);

    Body file();
    /// The whole text as one expression; nullptr after an error.
    ExpressionPtr alone();

  private:
    /// Something one level deeper; false in `fits` when that is too deep (reported).
    struct Deeper {
        Deeper(Parser& parser, const Token& at);
        ~Deeper() { --parser.depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;
        Parser& parser;
        bool fits;
    };
    /// Whether line ends separate; they do not within ( ) and [ ].
    struct Newlines {
        Newlines(Parser& parser, bool matter) : parser(parser), before(parser.newlines_matter_) {
            parser.newlines_matter_ = matter;
        }
        ~Newlines() { parser.newlines_matter_ = before; }
        Newlines(const Newlines&) = delete;
        Newlines& operator=(const Newlines&) = delete;
        Parser& parser;
        bool before;
    };

    // Tokens (hcl_parse.cc).
    const Token& peek();
    const Token& second();
    Token take();
    bool accept(std::string_view punctuation);
    bool expect(std::string_view punctuation, const std::string& where);
    std::nullptr_t fail(const Token& at, std::string message, std::string hint = "");
    void count_bracket(const Token& token);
    void skip_newlines();
    void skip_item(std::size_t level);

    // Bodies (hcl_parse.cc).
    void items(Body& body, const Block* inside);
    bool item(Body& body);
    bool attribute(Body& body, const Token& name);
    bool block(Body& body, const Token& type);
    bool labels(Block& block);
    bool one_line_content(Block& block);
    bool line_end(const std::string& after);

    // Expressions (hcl_parse_expression.cc).
    ExpressionPtr expression();
    ExpressionPtr binary(int strength);
    ExpressionPtr unary();
    ExpressionPtr with_steps();
    bool steps(std::vector<Step>& steps, std::size_t& height);
    ExpressionPtr step_in_brackets();
    ExpressionPtr term();
    ExpressionPtr named(const Token& name);
    ExpressionPtr call(const Token& name);
    ExpressionPtr number(const Token& token);
    ExpressionPtr parentheses();
    ExpressionPtr list();
    ExpressionPtr object();
    ExpressionPtr object_key();
    ExpressionPtr make(const Token& at, std::size_t below, decltype(Expression::form) form);

    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    const char* last_end_ = nullptr;  ///< behind the last token taken
    std::string brackets_;            ///< the open ones among the tokens taken
    bool newlines_matter_ = true;
    std::size_t depth_ = 0;
    Diagnostics& diagnostics_;
};

/// The string or template in a quoted or heredoc token; nullptr after an error
/// (hcl_parse_template.cc).
ExpressionPtr template_of(const Token& token, std::size_t depth, Diagnostics& diagnostics);

/// How a token is named in a message: "`}`", "the end of the line".
std::string shown(const Token& token);

}  // namespace gaggle::hcl
