#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "placement/jobspec/convert.h"
#include "placement/jobspec/hcl_parser.h"

namespace gaggle::hcl {

namespace {

/// How tightly an operator binds its sides; 0 for what is none.
int strength_of(const Token& token) {
    static constexpr std::array<std::array<std::string_view, 4>, 6> kLevels{
        {{"||"}, {"&&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"+", "-"}, {"*", "/", "%"}}};
    if (token.kind != TokenKind::punctuation) return 0;
    for (std::size_t level = 0; level < kLevels.size(); ++level)
        for (const std::string_view one : kLevels[level])
            if (!one.empty() && token.text == one) return static_cast<int>(level) + 1;
    return 0;
}

std::size_t height_of(const ExpressionPtr& one) { return one == nullptr ? 0 : one->height; }

}  // namespace

ExpressionPtr Parser::make(const Token& at, std::size_t below, decltype(Expression::form) form) {
    if (below >= kNestingMax)
        return fail(at, "expression with more than " + std::to_string(kNestingMax) + " levels",
                    "split it into several variables");
    return std::make_unique<Expression>(Expression{at.at, below + 1, std::move(form)});
}

ExpressionPtr Parser::expression() {
    const Token first = peek();
    const Deeper deeper(*this, first);
    if (!deeper.fits) return nullptr;
    ExpressionPtr condition = binary(1);
    if (condition == nullptr || !accept("?")) return condition;
    ExpressionPtr yes = expression();
    if (yes == nullptr || !expect(":", "between the two sides of `?`")) return nullptr;
    ExpressionPtr no = expression();
    if (no == nullptr) return nullptr;
    const std::size_t below = std::max({condition->height, yes->height, no->height});
    return make(first, below, Conditional{std::move(condition), std::move(yes), std::move(no)});
}

ExpressionPtr Parser::binary(int strength) {
    const Token first = peek();
    ExpressionPtr left = unary();
    while (left != nullptr) {
        const int found = strength_of(peek());
        if (found < strength || found == 0) return left;
        const Token operation = take();
        ExpressionPtr right = binary(found + 1);
        if (right == nullptr) return nullptr;
        const std::size_t below = std::max(left->height, right->height);
        left = make(first, below,
                    Binary{std::string(operation.text), std::move(left), std::move(right)});
    }
    return nullptr;
}

ExpressionPtr Parser::unary() {
    const Token first = peek();
    if (!first.is("-") && !first.is("!")) return with_steps();
    const Deeper deeper(*this, first);
    if (!deeper.fits) return nullptr;
    take();
    ExpressionPtr operand = unary();
    if (operand == nullptr) return nullptr;
    const std::size_t below = operand->height;
    return make(first, below, Unary{first.text[0], std::move(operand)});
}

ExpressionPtr Parser::with_steps() {
    const Token first = peek();
    ExpressionPtr from = term();
    if (from == nullptr) return nullptr;
    std::vector<Step> way;
    std::size_t below = from->height;
    if (!steps(way, below)) return nullptr;
    if (way.empty()) return from;
    if (auto* traversal = std::get_if<Traversal>(&from->form)) {
        const auto length = static_cast<std::size_t>(last_end_ - first.text.data());
        return make(
            first, below,
            Traversal{traversal->root, std::move(way), std::string(first.text.data(), length)});
    }
    return make(first, below, Access{std::move(from), std::move(way)});
}

bool Parser::steps(std::vector<Step>& steps, std::size_t& height) {
    while (peek().is(".") || peek().is("[")) {
        const Token at = take();
        ExpressionPtr index;
        if (peek().is("*")) {
            fail(peek(), "splat expressions (`*`) are not supported yet");
        } else if (at.is("[")) {
            index = step_in_brackets();
        } else if (const Token name = take(); name.kind == TokenKind::identifier) {
            index = make(name, 0, Literal{Value{std::string(name.text)}});
        } else if (name.kind == TokenKind::number) {
            index = number(name);
        } else {
            fail(name, "expected a name after `.`, found " + shown(name));
        }
        if (index == nullptr) return false;
        height = std::max(height, index->height);
        steps.push_back({.at = at.at, .index = std::move(index)});
    }
    return true;
}

ExpressionPtr Parser::step_in_brackets() {
    const Newlines quiet(*this, false);
    ExpressionPtr index = expression();
    if (index != nullptr && !expect("]", "after an index")) return nullptr;
    return index;
}

ExpressionPtr Parser::term() {
    const Token token = peek();
    if (token.is("(")) return parentheses();
    if (token.is("[")) return list();
    if (token.is("{")) return object();
    if (token.kind == TokenKind::newline || token.kind == TokenKind::end || token.is("}"))
        return fail(token, "a value is missing here");
    take();
    if (token.kind == TokenKind::number) return number(token);
    if (token.kind == TokenKind::identifier) return named(token);
    if (token.kind == TokenKind::quoted || token.kind == TokenKind::heredoc)
        return template_of(token, depth_, diagnostics_);
    return fail(token, "expected a value, found " + shown(token));
}

ExpressionPtr Parser::named(const Token& name) {
    if (name.text == "true") return make(name, 0, Literal{Value{true}});
    if (name.text == "false") return make(name, 0, Literal{Value{false}});
    if (name.text == "null") return make(name, 0, Literal{Value{}});
    if (peek().is("(")) return call(name);
    return make(name, 0, Traversal{std::string(name.text), {}, std::string(name.text)});
}

ExpressionPtr Parser::call(const Token& name) {
    const Newlines quiet(*this, false);
    take();
    Call call{.name = std::string(name.text)};
    std::size_t below = 0;
    while (!accept(")")) {
        ExpressionPtr argument = expression();
        if (argument == nullptr) return nullptr;
        below = std::max(below, argument->height);
        call.arguments.push_back(std::move(argument));
        if (!peek().is(")") && !expect(",", "between arguments of `" + call.name + "`"))
            return nullptr;
    }
    return make(name, below, std::move(call));
}

ExpressionPtr Parser::number(const Token& token) {
    const char* const end = token.text.data() + token.text.size();
    std::int64_t whole = 0;
    const auto as_whole = std::from_chars(token.text.data(), end, whole);
    if (as_whole.ec == std::errc{} && as_whole.ptr == end)
        return make(token, 0, Literal{Value{whole}});
    double real = 0;
    const auto as_real = std::from_chars(token.text.data(), end, real);
    if (as_real.ec != std::errc{} || as_real.ptr != end)
        return fail(token, "number out of range: " + shown(token));
    return make(token, 0, Literal{normalized(real)});
}

ExpressionPtr Parser::parentheses() {
    const Newlines quiet(*this, false);
    take();
    ExpressionPtr inside = expression();
    if (inside == nullptr || !expect(")", "to close `(`")) return nullptr;
    return inside;
}

ExpressionPtr Parser::list() {
    const Newlines quiet(*this, false);
    const Token open = take();
    if (peek().text == "for") return fail(peek(), "for-expressions are not supported yet");
    ListOf list;
    std::size_t below = 0;
    while (!accept("]")) {
        ExpressionPtr item = expression();
        if (item == nullptr) return nullptr;
        below = std::max(below, item->height);
        list.items.push_back(std::move(item));
        if (peek().is("]") || accept(",")) continue;
        return fail(peek(), "expected `,` or `]` in a list, found " + shown(peek()),
                    "items of a list are separated by commas");
    }
    return make(open, below, std::move(list));
}

ExpressionPtr Parser::object() {
    const Newlines separate(*this, true);
    const Token open = take();
    skip_newlines();
    if (peek().text == "for" && !second().is("=") && !second().is(":"))
        return fail(peek(), "for-expressions are not supported yet");
    ObjectOf object;
    std::size_t below = 0;
    while (!accept("}")) {
        ExpressionPtr key = object_key();
        if (key == nullptr) return nullptr;
        if (!accept("=") && !accept(":"))
            return fail(peek(), "expected `=` after a key, found " + shown(peek()));
        ExpressionPtr value = expression();
        if (value == nullptr) return nullptr;
        below = std::max({below, height_of(key), height_of(value)});
        object.items.emplace_back(std::move(key), std::move(value));
        const bool separated = accept(",") || peek().kind == TokenKind::newline;
        skip_newlines();
        if (!separated && !peek().is("}"))
            return fail(peek(),
                        "expected `,`, a line end or `}` in an object, found " + shown(peek()));
    }
    return make(open, below, std::move(object));
}

/// A bare name is itself, not a reference.
ExpressionPtr Parser::object_key() {
    const Token name = peek();
    if (name.kind != TokenKind::identifier || !(second().is("=") || second().is(":")))
        return expression();
    take();
    return make(name, 0, Literal{Value{std::string(name.text)}});
}

}  // namespace gaggle::hcl
