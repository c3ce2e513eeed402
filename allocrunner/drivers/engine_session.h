// A command inside a container, run by the engine: one connection that became a plain stream.
#pragma once

#include <string>

#include "allocrunner/drivers/exec_session.h"

namespace gaggle::allocrunner {

/// Output comes in frames of 8 bytes of head (stream, three zeros, length in network order) and
/// that many bytes; with a terminal it comes as it is. Pure.
class StreamFrames {
  public:
    /// Appends to `out` or `err` what `bytes` bring.
    void feed(BytesView bytes, ExecOutput& to);

  private:
    std::uint8_t head_[8] = {};
    std::size_t have_ = 0;
    std::uint32_t left_ = 0;
};

/// Starts the exec of that id (POST /containers/<name>/exec made it). Errc::unavailable, timeout.
Result<std::unique_ptr<ExecSession>> start_engine_session(const std::string& socket,
                                                          const std::string& exec, bool terminal);

}  // namespace gaggle::allocrunner
