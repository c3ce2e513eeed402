// What an HCL2 text says, before anything is evaluated: bodies of attributes and blocks,
// expressions.
//
// The tree owns its text. No expression is higher than kJobNestingMax (the parser sees to it), so
// every walk over it, its destructor included, may recurse.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "placement/jobspec/diagnostic.h"
#include "placement/jobspec/value.h"

namespace gaggle::hcl {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// Nesting of blocks, and apart from that of an expression.
constexpr std::size_t kNestingMax = 64;

struct Literal {
    Value value;
};

/// A piece of text, or an expression in `${}`.
struct TemplatePart {
    std::string text;
    ExpressionPtr interpolation;
};
struct Template {
    std::vector<TemplatePart> parts;
};

/// `.name`, `.0` or `[index]`.
struct Step {
    Position at;
    ExpressionPtr index;
};
/// A name and the way from it: `var.sizes["small"].cpu`, `attr.kernel.name`, `NOMAD_PORT_http`.
struct Traversal {
    std::string root;
    std::vector<Step> steps;
    std::string source;  ///< as written
};
/// The same from a value that is written out: `[1, 2][0]`.
struct Access {
    ExpressionPtr from;
    std::vector<Step> steps;
};

struct ListOf {
    std::vector<ExpressionPtr> items;
};
struct ObjectOf {
    std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};

struct Unary {
    char operation;  ///< '-' or '!'
    ExpressionPtr operand;
};
struct Binary {
    std::string operation;  ///< as written: + - * / % == != < <= > >= && ||
    ExpressionPtr left, right;
};
struct Conditional {
    ExpressionPtr condition, yes, no;
};
struct Call {
    std::string name;
    std::vector<ExpressionPtr> arguments;
};

struct Expression {
    Position at;
    std::size_t height = 1;
    std::variant<Literal, Template, Traversal, Access, ListOf, ObjectOf, Unary, Binary, Conditional,
                 Call>
        form;
};

struct Attribute {
    std::string name;
    Position at;
    ExpressionPtr value;
};

struct Label {
    std::string text;
    Position at;
};

struct Block;
struct Body {
    std::vector<Attribute> attributes;
    std::vector<Block> blocks;
};

struct Block {
    std::string type;
    Position at;
    std::vector<Label> labels;
    Body body;
};

}  // namespace gaggle::hcl
