// A command that runs inside a task: its input, output, terminal and end.
//
// read() and resize() are for one thread; write() and close_input() may be called from another one
// meanwhile. Destroying the session kills a command that still runs; that and resize() may block.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace gaggle::allocrunner {

struct TerminalSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
    bool operator==(const TerminalSize&) const = default;
};

struct ExecRequest {
    std::vector<std::string> argv;           ///< argv[0] is looked for along the task's PATH
    std::map<std::string, std::string> env;  ///< in addition to the task's own
    std::optional<TerminalSize> terminal;    ///< with one, all output is `out`
};

struct ExecOutput {
    Bytes out;
    Bytes err;
    std::optional<std::int64_t> exit_code;  ///< set: it has ended (128 + n: by signal n)
};

class ExecSession {
  public:
    ExecSession() = default;
    virtual ~ExecSession() = default;
    ExecSession(const ExecSession&) = delete;
    ExecSession& operator=(const ExecSession&) = delete;

    /// Waits at most `patience` for output or the end; nothing of both when it has passed. Once
    /// there is an exit code, no output follows.
    virtual Result<ExecOutput> read(Duration patience) = 0;

    /// Hands over what fits without waiting; how many bytes that were. A command that has ended
    /// or closed its input takes all and forgets it.
    virtual Result<std::size_t> write(BytesView bytes) = 0;
    virtual void close_input() = 0;
    virtual void resize(TerminalSize size) = 0;
};

/// A command's whole output and how it ended.
struct ExecEnd {
    std::string output;           ///< of both streams, the first `output_max` bytes
    std::int64_t exit_code = -1;  ///< -1: killed when its time was over
    bool timed_out = false;
};

/// Reads until the command has ended, for at most `timeout`; then it is killed. `cancelled` is
/// asked every 100 ms: once it says so the command is killed, too, and the error is of code
/// unavailable.
Result<ExecEnd> run_to_end(std::unique_ptr<ExecSession> session, Duration timeout,
                           std::size_t output_max,
                           const std::function<bool()>& cancelled = nullptr);

}  // namespace gaggle::allocrunner
