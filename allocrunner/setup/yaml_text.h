// A template's value as YAML: blocks, with keys in their order, as Go's yaml package lays them out.
#pragma once

#include <string>

#include "allocrunner/setup/datum.h"

namespace gaggle::setup {

/// Without a line's end at the end. Texts that YAML would read as something else are quoted.
/// Errc::invalid when it would be larger than a text may be.
Result<std::string> yaml_text(const Datum& value);

}  // namespace gaggle::setup
