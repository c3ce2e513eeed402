// What Nomad's users type that is not here under that name, and what they should do instead.
//
// One table: commands that are called otherwise here, commands whose answer another one gives, and
// what is not built yet. Guessing the nearest word would send them astray.
#pragma once

#include <string>
#include <vector>

namespace gaggle::cli {

/// For a command line that begins with `words` (without the program's name; options with two
/// dashes): what to do instead, to follow a semicolon. The longest entry that fits; empty: none.
std::string nomad_hint(const std::vector<std::string>& words);

}  // namespace gaggle::cli
