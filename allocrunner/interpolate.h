// ${name} in strings that only the peer can fill in.
//
// Known names are replaced; an unknown one stays as it is written, as in Nomad, so that a shell in
// the task may still see it. `${env["odd name"]}`, `${attr[...]}` and `${meta[...]}` reach names
// with other characters; `$${` is a plain `${`.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "placement/jobspec/value.h"

namespace gaggle::allocrunner {

using Names = std::map<std::string, std::string>;

std::string interpolate(std::string_view text, const Names& names);
/// Every string in it, at any depth; map keys stay.
Value interpolate(const Value& value, const Names& names);
Value::Map interpolate(const Value::Map& values, const Names& names);

}  // namespace gaggle::allocrunner
