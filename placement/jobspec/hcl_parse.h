// HCL2 text to its tree.
//
// After an error the parser goes on with the next attribute or block, so one reading tells all that
// is wrong; what it could not read is left out of the tree. Any bytes are answered with a tree and
// diagnostics, in time and depth bounded by their number.
// Source: the HCL native syntax specification (github.com/hashicorp/hcl, hclsyntax/spec.md).
#pragma once

#include <string_view>

#include "placement/jobspec/hcl_ast.h"

namespace gaggle::hcl {

Body parse_body(std::string_view source, Diagnostics& diagnostics);

/// One expression that takes up the whole text; nullptr after an error.
ExpressionPtr parse_expression(std::string_view source, Diagnostics& diagnostics);

}  // namespace gaggle::hcl
