// MD5, for templates (md5sum): a name for things, no protection.
#pragma once

#include <string>

#include "base/bytes.h"

namespace gaggle::setup {

/// Lower-case hexadecimal.
std::string md5_hex(BytesView bytes);

}  // namespace gaggle::setup
