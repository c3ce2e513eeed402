// What gctl-fetch gives up before it reads the first foreign byte.
//
// It and all that it starts may write beneath one directory only (Landlock, from Linux 5.19 on; a
// kernel without it does without, and that is said), of root's rights keep those over files' owners
// and modes alone, gain no rights by running a program, leave no core dump, write no file larger
// than allowed. Reading is not restricted.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace gaggle::setup {

/// False when the kernel has no Landlock.
Result<bool> enter_sandbox(const std::string& writable, std::int64_t bytes_max);

}  // namespace gaggle::setup
