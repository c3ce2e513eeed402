#include "placement/jobspec/hcl_parse.h"

#include <algorithm>
#include <set>

#include "placement/jobspec/hcl_parser.h"

namespace gaggle::hcl {

namespace {

const std::string kNestingText = std::to_string(kNestingMax);
constexpr std::size_t kShownMax = 40;  // bytes of a token in a message

}  // namespace

Body parse_body(std::string_view source, Diagnostics& diagnostics) {
    return Parser(source, Position{}, 0, diagnostics).file();
}

ExpressionPtr parse_expression(std::string_view source, Diagnostics& diagnostics) {
    return Parser(source, Position{}, 0, diagnostics).alone();
}

std::string shown(const Token& token) {
    if (token.kind == TokenKind::newline) return "the end of the line";
    if (token.kind == TokenKind::end) return "the end of the text";
    if (token.kind == TokenKind::heredoc) return "a heredoc";
    if (token.text.size() > kShownMax)
        return "a long " + std::string(token.kind == TokenKind::quoted ? "string" : "word");
    return "`" + std::string(token.text) + "`";
}

Parser::Parser(std::string_view source, Position start, std::size_t depth, Diagnostics& diagnostics)
    : tokens_(hcl_tokens(source, start, diagnostics)), depth_(depth), diagnostics_(diagnostics) {}

Parser::Deeper::Deeper(Parser& parser, const Token& at)
    : parser(parser), fits(++parser.depth_ <= kNestingMax) {
    if (!fits) parser.fail(at, "nested deeper than " + kNestingText + " levels");
}

const Token& Parser::peek() {
    if (!newlines_matter_) skip_newlines();
    return tokens_[next_];
}

const Token& Parser::second() {
    peek();
    return tokens_[std::min(next_ + 1, tokens_.size() - 1)];
}

Token Parser::take() {
    const Token token = peek();
    count_bracket(token);
    last_end_ = token.text.data() + token.text.size();
    if (token.kind != TokenKind::end) ++next_;
    return token;
}

void Parser::count_bracket(const Token& token) {
    if (token.is("{") || token.is("[") || token.is("(")) brackets_.push_back(token.text[0]);
    const bool closes = token.is("}") || token.is("]") || token.is(")");
    if (closes && !brackets_.empty()) brackets_.pop_back();
}

bool Parser::accept(std::string_view punctuation) {
    if (!peek().is(punctuation)) return false;
    take();
    return true;
}

bool Parser::expect(std::string_view punctuation, const std::string& where) {
    if (accept(punctuation)) return true;
    fail(peek(),
         "expected `" + std::string(punctuation) + "` " + where + ", found " + shown(peek()));
    return false;
}

std::nullptr_t Parser::fail(const Token& at, std::string message, std::string hint) {
    if (at.kind != TokenKind::bad) diagnostics_.error(at.at, std::move(message), std::move(hint));
    return nullptr;
}

void Parser::skip_newlines() {
    while (tokens_[next_].kind == TokenKind::newline) ++next_;
}

/// Goes to the end of the line or the `}` that ends the item that began with `level` brackets open.
void Parser::skip_item(std::size_t level) {
    while (true) {
        const Token& token = tokens_[next_];
        if (token.kind == TokenKind::end) break;
        if (token.kind == TokenKind::newline && brackets_.size() <= level) break;
        if (token.is("}")) {  // a `}` closes what was left open within it
            while (brackets_.size() > level && brackets_.back() != '{') brackets_.pop_back();
            if (brackets_.size() <= level) break;
        }
        count_bracket(token);
        ++next_;
    }
    brackets_.resize(std::min(brackets_.size(), level));
}

Body Parser::file() {
    Body body;
    items(body, nullptr);
    return body;
}

ExpressionPtr Parser::alone() {
    newlines_matter_ = false;
    ExpressionPtr whole = expression();
    if (whole == nullptr) return nullptr;
    if (peek().kind != TokenKind::end)
        return fail(peek(), "unexpected " + shown(peek()) + " after an expression");
    return whole;
}

/// Items up to the end of the text, or to the `}` of the block they are `inside`.
void Parser::items(Body& body, const Block* inside) {
    while (true) {
        skip_newlines();
        const Token& token = peek();
        if (token.kind == TokenKind::end) {
            if (inside != nullptr)
                diagnostics_.error(inside->at, "block `" + inside->type + "` is not closed",
                                   "a `}` is missing somewhere after this");
            return;
        }
        if (token.is("}")) {
            take();
            if (inside != nullptr) return;
            fail(token, "`}` closes nothing here",
                 "remove it, or look for a `{` that is missing above");
            continue;
        }
        const std::size_t level = brackets_.size();
        if (!item(body)) skip_item(level);
    }
}

bool Parser::item(Body& body) {
    const Token name = take();
    if (name.kind == TokenKind::quoted && peek().is("=")) {
        fail(name, "the name of an attribute stands without quotes: " + shown(name));
        return false;
    }
    if (name.kind != TokenKind::identifier) {
        fail(name, "expected the name of an attribute or block, found " + shown(name));
        return false;
    }
    if (accept("="))
        return attribute(body, name) && line_end("the value of `" + std::string(name.text) + "`");
    const Token& after = peek();
    if (after.is("{") || after.kind == TokenKind::quoted || after.kind == TokenKind::identifier)
        return block(body, name) && line_end("a block's `}`");
    fail(after.kind == TokenKind::bad ? after : name,
         shown(name) + " is neither an attribute nor a block: found " + shown(after) + " after it",
         after.is(":") ? "write `=` instead of `:`" : "write `name = value` or `name { ... }`");
    return false;
}

bool Parser::line_end(const std::string& after) {
    const Token& token = peek();
    if (token.kind == TokenKind::newline || token.kind == TokenKind::end) return true;
    fail(token, "expected the end of the line after " + after + ", found " + shown(token));
    return false;
}

bool Parser::attribute(Body& body, const Token& name) {
    Attribute attribute{.name = std::string(name.text), .at = name.at, .value = expression()};
    if (attribute.value == nullptr) return false;
    body.attributes.push_back(std::move(attribute));
    return true;
}

bool Parser::block(Body& body, const Token& type) {
    const Deeper deeper(*this, type);
    Block block{.type = std::string(type.text), .at = type.at};
    if (!deeper.fits || !labels(block)) return false;
    if (!expect("{", "to open block `" + block.type + "`")) return false;
    if (peek().kind == TokenKind::newline || peek().kind == TokenKind::end)
        items(block.body, &block);
    else if (!one_line_content(block))
        return false;
    body.blocks.push_back(std::move(block));
    return true;
}

bool Parser::labels(Block& block) {
    while (peek().kind == TokenKind::quoted || peek().kind == TokenKind::identifier) {
        const Token label = take();
        std::string text(label.text);
        if (label.kind == TokenKind::quoted) {
            const ExpressionPtr inside = template_of(label, depth_, diagnostics_);
            if (inside == nullptr) return false;
            const auto* literal = std::get_if<Literal>(&inside->form);
            if (literal == nullptr) {
                fail(label, "a block's label cannot have `${}` in it: " + shown(label));
                return false;
            }
            text = std::get<std::string>(literal->value.data);
        }
        block.labels.push_back({.text = std::move(text), .at = label.at});
    }
    return true;
}

/// `{ }` or `{ name = value }`; the language allows no more on one line.
bool Parser::one_line_content(Block& block) {
    if (accept("}")) return true;
    const Token name = take();
    if (name.kind != TokenKind::identifier || !accept("=")) {
        fail(name,
             "a block on one line holds one attribute at most, and no block: found " + shown(name),
             "put what is in `" + block.type + "` on lines of its own");
        return false;
    }
    if (!attribute(block.body, name)) return false;
    if (accept("}")) return true;
    fail(peek(),
         "expected `}` after the only attribute of a block on one line, found " + shown(peek()),
         "put what is in `" + block.type + "` on lines of its own");
    return false;
}

}  // namespace gaggle::hcl
