// The names in a folder.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace gaggle {

/// Sorted, without "." and "..". Errc::not_found when there is no such folder, else Errc::io; also
/// when reading fails on the way, where the standard library's iterator would throw.
Result<std::vector<std::string>> names_in(const std::string& folder);

}  // namespace gaggle
