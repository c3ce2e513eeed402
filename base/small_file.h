// The text of a small file, such as the kernel's below /proc and /sys.
#pragma once

#include <string>

namespace gaggle {

constexpr std::size_t kSmallFileMax = 16U << 20U;

/// What it says now, at most the first `bytes_max` bytes; empty when it cannot be read: for files
/// whose absence means that there is nothing to say.
std::string small_file(const std::string& path, std::size_t bytes_max = kSmallFileMax);

}  // namespace gaggle
