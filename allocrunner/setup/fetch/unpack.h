// An archive into a Tree.
#pragma once

#include <string>

#include "allocrunner/setup/fetch/tree.h"
#include "base/result.h"

namespace gaggle::setup {

/// `kind` is one that archive_kind() gives; `file_name` names the result of a single packed file.
/// Errc::denied with the entry's name for what may not be in an archive: paths and links that lead
/// out, devices, files that run with another's rights, too much of anything. Errc::corrupt when it
/// cannot be read.
Result<void> unpack(int archive, const std::string& kind, const std::string& file_name, Tree& to);

}  // namespace gaggle::setup
