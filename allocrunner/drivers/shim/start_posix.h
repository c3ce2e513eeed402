// From the agent's `start` message to a running process.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "allocrunner/drivers/shim_protocol.h"

namespace gaggle::allocrunner::shim {

/// Ignored by the shim, as usual in the task.
inline constexpr int kIgnored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT};

/// Where a task sees the files of its network.
inline constexpr const char* kNetworkFiles[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/hostname"};

/// The message taken apart; pointers into its bytes.
struct Start {
    StartHeader header;
    const std::uint32_t* groups = nullptr;
    const char* executable = nullptr;
    const char* work_dir = nullptr;
    const char* log_prefix = nullptr;
    const char* record_file = nullptr;
    const char* netns = nullptr;  ///< this and all below may be empty
    const char* hostname = nullptr;
    const char* network_files[3] = {};  ///< to be seen at kNetworkFiles
    const char* pid_file = nullptr;
    const char* oom_file = nullptr;
    const char* group = nullptr;  ///< control group, of a plain process
    char** argv = nullptr;  ///< all lists are from malloc, ended by nullptr
    char** start_argv = nullptr;
    char** remove_argv = nullptr;
    char** envp = nullptr;
};

/// False when the bytes are not such a message.
bool parse_start(char* bytes, std::size_t size, Start& out);

/// The two output pipes of a task, -1 each when logs are off.
struct Pipes {
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    bool open(bool logs);
    /// The ends that the task has.
    void close_its_ends() const;
};

/// Kills every process of a control group. Nothing happens where that cannot be asked for at once.
void kill_group(const char* group);

/// In a child: input from nowhere, output to the descriptors (-1: nowhere), signals and the limit
/// of open files as a task expects them. False with errno.
bool be_ordinary(const StartHeader& header, int out, int err);

/// The process with its output in two pipes (-1 when logs are off); -1 with `why` when it could not
/// be started.
pid_t launch(const Start& start, int& out_pipe, int& err_pipe, NotStarted& why);

}  // namespace gaggle::allocrunner::shim
