// A template as a tree: what the parser makes and the renderer walks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "allocrunner/setup/datum.h"

namespace gaggle::setup {

/// In the template's text, from 1; columns are bytes.
struct Place {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
};

struct Pipeline;

/// One word of a command, with the fields that are taken of it: `$x.Name`, `(index . 0).Port`.
struct Operand {
    enum class Kind { literal, dot, variable, function, group };
    Kind kind = Kind::literal;
    Place place;
    Datum literal;
    std::string name;  ///< of a function, or of a variable with its dollar
    std::vector<std::string> fields;
    std::vector<Pipeline> group;  ///< one, for a pipeline in parentheses
};

struct Command {
    std::vector<Operand> words;  ///< at least one
};

struct Pipeline {
    Place place;
    std::vector<std::string> declared;  ///< `$x :=`; two only for range
    bool assigns = false;               ///< `$x =`: the variable is there already
    std::vector<Command> commands;
};

struct Statement {
    enum class Kind { text, print, branch, with, range, call, stop, next };
    Kind kind = Kind::text;
    Place place;
    std::string text;   ///< of text; the name that is called
    Pipeline pipeline;  ///< no commands: `template "name"` without an argument
    std::vector<Statement> body;
    std::vector<Statement> otherwise;
};

using Block = std::vector<Statement>;

struct ParsedTemplate {
    Block main;
    std::map<std::string, Block> named;  ///< of define and block
};

}  // namespace gaggle::setup
