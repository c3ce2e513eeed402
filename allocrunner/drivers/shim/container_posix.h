// A container that programs make and remove (runc), and whose first process is the shim's child.
#pragma once

#include "allocrunner/drivers/shim/start_posix.h"

namespace gaggle::allocrunner::shim {

/// Its first process, made and waiting to be let go, with its output in two pipes. -1 with `why`,
/// and then nothing of it is left. The shim must be the subreaper of what it starts.
pid_t create_container(const Start& start, int& out_pipe, int& err_pipe, NotStarted& why);

/// Lets the first process go. False with `why`.
bool begin_container(const Start& start, NotStarted& why);

/// What is left of it; fine when nothing is.
void remove_container(const Start& start);

/// Whether the kernel killed something in it for want of memory; to be asked before it is removed.
bool ran_out_of_memory(const Start& start);

}  // namespace gaggle::allocrunner::shim
