// A command inside a task that somebody types to: what travels, and what is asked of the machine.
//
// The peer that was asked over HTTP (the near one) drives; the peer that runs the task (the far
// one) answers. Both directions are streams of bytes counted from 0, carried by questions that are
// repeated until they are answered, so nothing is lost or doubled on frames that may be. ExecRead
// names how far output has arrived, which lets the far side forget it and read on; ExecWrite is
// answered once the command has taken its bytes. So each side holds one window at most, and a slow
// terminal slows the command. A session whose near side is silent is over, and its command is
// killed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace gaggle::node {

constexpr std::size_t kExecWindow = 256U << 10U;     ///< bytes of output not yet taken
constexpr std::size_t kExecPiecesMax = 128U << 10U;  ///< bytes of output in one answer
constexpr std::size_t kExecInputMax = 64U << 10U;    ///< bytes of input given and not yet taken
constexpr std::size_t kExecArguments = 1'000;
constexpr std::size_t kExecSessionsMax = 64;  ///< on one peer
constexpr Duration kExecHold = 4s;            ///< a question waits that long for its answer
constexpr Duration kExecSilence = 20s;        ///< of the near side; then the session is over

/// Given by the near peer, and unique on it over all its lives.
struct ExecNumber {
    WallTime began;
    std::uint64_t exchange = 0;
    auto operator<=>(const ExecNumber&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.began, s.exchange);
    }
};

struct ExecSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
    bool operator==(const ExecSize&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.rows, s.columns);
    }
};

// --- questions

/// Answer: Done, once the command runs.
struct ExecStart {
    ExecNumber session;
    std::string task;
    std::vector<std::string> argv;
    std::optional<ExecSize> terminal;  ///< with one, all output is standard output
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session, s.task, s.argv, s.terminal);
    }
};

/// Answer: ExecTaken.
struct ExecWrite {
    ExecNumber session;
    std::uint64_t offset = 0;  ///< of the first byte
    Bytes data;
    bool close = false;  ///< behind these bytes
    std::optional<ExecSize> size;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session, s.offset, s.data, s.close, s.size);
    }
};

/// Answer: ExecOutput, when there is some or kExecHold has passed.
struct ExecRead {
    ExecNumber session;
    std::uint64_t offset = 0;  ///< all before it has arrived
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session, s.offset);
    }
};

/// Kills the command if it still runs. Answer: Done, also for a session that is not there.
struct ExecStop {
    ExecNumber session;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session);
    }
};

// --- answers

struct ExecTaken {
    std::uint64_t offset = 0;  ///< the next byte that is wanted
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.offset);
    }
};

struct ExecPiece {
    bool error_stream = false;
    Bytes data;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.error_stream, s.data);
    }
};

struct ExecOutput {
    std::uint64_t offset = 0;          ///< of the first byte of the first piece
    std::vector<ExecPiece> pieces;     ///< both streams in the order in which they were read
    std::optional<std::int64_t> exit;  ///< it has ended, and this was all of its output
    std::string error;                 ///< with `exit`: it did not end by itself
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.offset, s.pieces, s.exit, s.error);
    }
};

// --- the machine's side

/// One session on the far peer, for its worker.
using ExecKey = std::pair<PeerId, ExecNumber>;

struct ExecBegin {  ///< Answer: ExecBegan, later ExecSaid and, unless killed, ExecEnded
    AllocId alloc;
    std::string task;
    std::vector<std::string> argv;
    std::optional<ExecSize> terminal;
};
struct ExecInput {  ///< Answer: ExecConsumed
    Bytes data;
    bool close = false;
};
struct ExecResize {
    ExecSize size;
};
struct ExecMore {  ///< output may be read until so many bytes in all
    std::uint64_t until = 0;
};
struct ExecKill {};  ///< nothing is heard of it any more

struct ExecWork {
    ExecKey session;
    std::variant<ExecBegin, ExecInput, ExecResize, ExecMore, ExecKill> what;
};

struct ExecBegan {
    std::optional<Error> error;
};
struct ExecSaid {
    bool error_stream = false;
    Bytes data;
};
struct ExecConsumed {
    std::uint64_t bytes = 0;  ///< of the input, in all
};
struct ExecEnded {
    std::int64_t code = 0;
    std::string error;  ///< empty: it ended by itself
};

struct ExecNews {
    ExecKey session;
    std::variant<ExecBegan, ExecSaid, ExecConsumed, ExecEnded> what;
};

}  // namespace gaggle::node
