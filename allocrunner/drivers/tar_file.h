// An archive of one program: what an engine takes as the files of an image.
//
// The oldest common kind, ustar (POSIX.1-1988): a header of 512 bytes, the bytes filled up to a
// multiple of 512, and two empty blocks as the end. Pure.
#pragma once

#include <string>

#include "base/bytes.h"

namespace gaggle::allocrunner {

/// `name` without a leading slash, at most 99 bytes. The file is root's, mode 0755.
std::string tar_of_program(const std::string& name, BytesView bytes);

}  // namespace gaggle::allocrunner
