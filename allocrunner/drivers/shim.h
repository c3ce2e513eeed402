// The agent's side of gctl-shim: start one, find one again, talk to it.
//
// All calls are for a thread that may block. What the two say is in shim_protocol.h.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/drivers/launch.h"
#include "allocrunner/drivers/shim_protocol.h"
#include "allocrunner/drivers/task_spec.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

/// A shim that this process started, with a connection to it.
struct LiveShim {
    UniqueFd socket;            ///< non-blocking
    std::int64_t shim_pid = 0;  ///< to be waited for
    shim::Record record;
};

struct ShimOrder {
    std::string shim_path;
    std::string alloc_dir;  ///< with alloc/logs, exit and shim in it
    std::string task;
    std::string title;  ///< what `ps` shows behind the program's name; no other task has it
    std::uint64_t run = 0;
    TaskSpec spec;
    Launch launch;                 ///< what the spec's driver made ready
    std::uint64_t out_number = 0;  ///< log files to append to
    std::uint64_t err_number = 0;
    std::uint64_t nofile_soft = 0;  ///< limit of open files for the task; 0: the agent's
    std::uint32_t patience_ms = shim::kProgramTimeoutMs;  ///< with a program or an engine
};

struct StartFailure {
    std::string error;
    bool may_pass = false;  ///< another try may work
};

/// Returns when the task runs, or will not.
std::variant<LiveShim, StartFailure> start_shim(const ShimOrder& order);

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

/// What became of an attempt to reach the shim of a task.
enum class ShimReach {
    reached,
    gone,     ///< nobody listens: it ended or was killed
    not_now,  ///< it is there, but for now it cannot be called (no descriptors, queue full) or it
              ///< does not answer; to be tried again, and never to be taken for dead
};

/// A connection over which a shim was asked how its task is.
struct ShimCall {
    ShimReach reach = ShimReach::not_now;
    UniqueFd socket;     ///< non-blocking; only when reached
    FrameReader reader;  ///< what came of its answer so far
};

/// Asks and does not wait for the answer.
ShimCall call_shim(const std::string& alloc_dir, const std::string& task);

/// The answer to the call, when it comes within `patience`. Without one `call.reach` says why:
/// gone, or not_now, and then the answer can come later over the same socket. Requires that it was
/// reached.
std::optional<shim::Record> hear_shim(ShimCall& call, Duration patience);

/// The last record; nothing when there is none or it is damaged.
std::optional<shim::Record> read_record(const std::string& alloc_dir, const std::string& task);

/// Kills what tasks left behind whose shims are gone: the session that the first process of each
/// led. Does nothing when that process id belongs to somebody else by now. Looks at all processes
/// of the machine once, for however many.
void kill_left_behind(const std::vector<shim::Record>& records);
inline void kill_left_behind(const shim::Record& record) { kill_left_behind(std::vector{record}); }

/// Kills supervisors themselves that hear nothing any more (stopped, or hanging): each gctl-shim
/// that was started with one of these titles. Its task goes with it or is found as left behind.
/// Looks at all processes once, as above.
void kill_shims(const std::set<std::string>& titles);

/// Errc::unavailable when the shim is gone or does not listen.
Result<void> send_hello(int socket);
Result<void> send_signal(int socket, std::int32_t number);
Result<void> send_kill(int socket);

/// The payload of `state`; nothing when it is damaged.
std::optional<shim::Record> record_of(BytesView payload);

}  // namespace gaggle::allocrunner
