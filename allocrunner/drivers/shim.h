// The agent's side of gctl-shim: start one, find one again, talk to it.
//
// All calls are for a thread that may block. What the two say is in shim_protocol.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/drivers/driver.h"
#include "allocrunner/drivers/shim_protocol.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

/// A shim with a connection to it.
struct LiveShim {
    UniqueFd socket;            ///< non-blocking
    std::int64_t shim_pid = 0;  ///< to be waited for when it is this process's child; else 0
    shim::Record record;
};

struct ShimOrder {
    std::string shim_path;
    std::string alloc_dir;  ///< with alloc/logs, exit and shim in it
    std::string task;
    std::string title;  ///< what `ps` shows behind the program's name
    std::uint64_t run = 0;
    TaskSpec spec;
    std::uint64_t out_number = 0;  ///< log files to append to
    std::uint64_t err_number = 0;
    std::uint64_t nofile_soft = 0;  ///< limit of open files for the task; 0: the agent's
};

struct StartFailure {
    std::string error;
    bool may_pass = false;  ///< another try may work
};

/// Returns when the task runs, or will not.
std::variant<LiveShim, StartFailure> start_shim(const ShimOrder& order);

/// The shim that supervises `task`, if one is alive.
std::optional<LiveShim> adopt_shim(const std::string& alloc_dir, const std::string& task);

/// The last record; nothing when there is none or it is damaged.
std::optional<shim::Record> read_record(const std::string& alloc_dir, const std::string& task);

/// Kills what a task left behind whose shim is gone: the session that its first process led. Does
/// nothing when that process id belongs to somebody else by now.
void kill_left_behind(const shim::Record& record);

/// Errc::unavailable when the shim is gone or does not listen.
Result<void> send_signal(int socket, std::int32_t number);
Result<void> send_kill(int socket);

/// Frames out of a stream of bytes.
class FrameReader {
  public:
    struct Frame {
        shim::Kind kind{};
        Bytes payload;
    };
    void feed(BytesView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    /// Nothing when none is complete; Errc::corrupt when it cannot become one.
    Result<std::optional<Frame>> next();
    /// How many bytes are missing until more can be told; 0 when a frame is complete.
    std::size_t wanted() const;

  private:
    Bytes bytes_;
};

/// The payload of `state`; nothing when it is damaged.
std::optional<shim::Record> record_of(BytesView payload);

}  // namespace gaggle::allocrunner
