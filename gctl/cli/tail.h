// The last lines of a log, and a log that is followed from its last lines on.
//
// The API counts in bytes, people in lines; so we ask for more bytes than the lines are likely to
// take, for more still when they were too few, and drop what is too much. A log that is followed
// has no end to count from: what is there already ends with the first heartbeat among the frames,
// or after as many bytes as were asked for, and everything later passes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gaggle::cli {

/// The last `lines` lines of `text`; a last one without its newline counts.
std::string_view last_lines(std::string_view text, std::size_t lines);

/// The end of a text as it is now.
struct TextEnd {
    std::string text;
    std::size_t bytes = 0;  ///< so many were asked for
};
/// At least `lines` lines of it, or all of it. `read` hands over its last so many bytes.
Result<TextEnd> read_end(
    std::size_t lines,
    const std::function<Result<void>(std::size_t bytes,
                                     const std::function<bool(std::string_view)>& piece)>& read);

/// One of Nomad's StreamFrames: a JSON object, one right behind the other in the stream.
struct LogFrame {
    std::string data;  ///< decoded; empty in a heartbeat
    bool heartbeat = false;
    std::string event;  ///< "file deleted", "file truncated"; empty: none
    std::string alloc;  ///< of `job logs`; also the next two
    std::string task;
    std::string error;       ///< why nothing more of this task comes; empty: it does
    bool caught_up = false;  ///< all that was there of this task has been sent
};

/// Takes a stream of frames apart, wherever its pieces were cut.
class FrameReader {
  public:
    /// The frames that this piece completes. `corrupt`: these are no frames.
    Result<std::vector<LogFrame>> take(std::string_view piece);

  private:
    std::string begun_;  ///< of the next frame
    int depth_ = 0;
    bool in_text_ = false;
    bool escaped_ = false;
};

class FollowedTail {
  public:
    /// `bytes`: how far before the end the log is read from.
    FollowedTail(std::size_t lines, std::size_t bytes)
        : lines_(lines), bytes_(bytes), passing_(bytes == 0) {}

    /// What may be shown now.
    std::string take(const LogFrame& frame);
    /// What was kept back, once the stream has ended.
    std::string rest();

  private:
    std::size_t lines_;
    std::size_t bytes_;
    bool passing_;
    std::string kept_;
};

}  // namespace gaggle::cli
