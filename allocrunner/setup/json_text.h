// A template's value as JSON, byte for byte as Go's encoding/json writes it.
#pragma once

#include <string>

#include "allocrunner/setup/datum.h"

namespace gaggle::setup {

struct JsonStyle {
    bool indented = false;      ///< by two blanks a level
    bool escapes_html = false;  ///< < > & as \u003c ...
};

/// Errc::invalid when it would be larger than a text may be.
Result<std::string> json_text(const Datum& value, JsonStyle style);

}  // namespace gaggle::setup
