// From the agent's `start` message to a running process.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "allocrunner/drivers/shim_protocol.h"

namespace gaggle::allocrunner::shim {

/// Ignored by the shim, as usual in the task.
inline constexpr int kIgnored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT};

/// The message taken apart; pointers into its bytes.
struct Start {
    StartHeader header;
    const std::uint32_t* groups = nullptr;
    const char* executable = nullptr;
    const char* work_dir = nullptr;
    const char* log_prefix = nullptr;
    const char* record_file = nullptr;
    char** argv = nullptr;  ///< both from malloc, ended by nullptr
    char** envp = nullptr;
};

/// False when the bytes are not such a message.
bool parse_start(char* bytes, std::size_t size, Start& out);

/// The process with its output in two pipes (-1 when logs are off); -1 with `why` when it could not
/// be started.
pid_t launch(const Start& start, int& out_pipe, int& err_pipe, NotStarted& why);

}  // namespace gaggle::allocrunner::shim
