// Tokens to a tree, with Go's checks: every function and variable that is used must be known.
#pragma once

#include <functional>
#include <string_view>

#include "allocrunner/setup/template_lexer.h"

namespace gaggle::setup {

/// Parentheses and control structures inside one another.
constexpr int kTemplateNestingMax = 100;

/// Errc::invalid with line and column. `is_function` says which names are functions.
Result<ParsedTemplate> parse_template(std::string_view text, const Delimiters& delimiters,
                                      const std::function<bool(const std::string&)>& is_function);

}  // namespace gaggle::setup
