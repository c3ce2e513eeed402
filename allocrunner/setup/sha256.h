// SHA-256, for templates (sha256Hex).
#pragma once

#include <string>

#include "base/bytes.h"

namespace gaggle::setup {

/// Lower-case hexadecimal.
std::string sha256_hex(BytesView bytes);

}  // namespace gaggle::setup
