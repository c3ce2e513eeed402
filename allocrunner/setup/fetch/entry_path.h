// Names and links in an archive, judged before anything is made of them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gaggle::setup {

/// The name without "." and doubled slashes; empty: the archive's own root. Errc::denied when it is
/// absolute or has "..".
Result<std::string> entry_path(std::string_view name);

/// Errc::denied when a link at `path` (an entry_path) would lead out of the archive's root.
Result<void> check_link(const std::string& path, std::string_view target);

}  // namespace gaggle::setup
