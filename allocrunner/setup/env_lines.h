// Lines `NAME=value`, as a template with env = true gives them.
//
// The rules are those of Nomad's parser (go-envparse): "export " before a name and blanks around
// both sides go; "..." knows escapes, '...' knows none, both may stand anywhere in a value; `#`
// outside of quotes begins a comment; a line that is empty or a comment is skipped.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gaggle::setup {

/// Of a name that is given twice the last one counts. Errc::invalid names the line, not the value,
/// which may be a secret.
Result<std::map<std::string, std::string>> parse_env_lines(std::string_view text);

}  // namespace gaggle::setup
