// What only one peer can do: read the logs and files of an allocation that it runs.
//
// Any peer takes the request over HTTP (AskPeer) and asks the one that runs the allocation; that
// one answers itself or has a worker do it (DoLocally), and the answer goes back the same way. A
// new question is a new alternative at the end of both variants and a function that carries it out:
// a worker's (gctl/agent/local_worker.h), or an overload of Node::here for what the node does
// itself. Questions are repeated until they are answered, so each must do no harm twice, or be
// among those that count once (`counts_once`), whose answers are remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "allocrunner/alloc_files.h"
#include "allocrunner/alloc_status.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "gctl/node/exec.h"
#include "gctl/node/figures.h"

namespace gaggle::node {

constexpr std::uint32_t kChunkBytesMax = 256U << 10U;  ///< of one answer: a control frame holds it
constexpr std::size_t kFilesListedMax = 10'000;        ///< of one directory

// --- questions

/// A place in a task's log stream: its files are numbered, and old ones go.
struct LogPlace {
    std::uint64_t file = 0;
    std::uint64_t offset = 0;
    auto operator<=>(const LogPlace&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.file, s.offset);
    }
};

/// Answer: LogChunk.
struct ReadLogs {
    std::string task;
    bool error_stream = false;     ///< stderr instead of stdout
    std::optional<LogPlace> from;  ///< where the last chunk ended; none: see `offset`
    bool from_end = false;         ///< `offset` counts back from the end instead of from the start
    std::uint64_t offset = 0;
    std::uint32_t bytes_max = 64 * 1024;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.task, s.error_stream, s.from, s.from_end, s.offset, s.bytes_max);
    }
};

/// Paths are relative to the allocation's directory. Answer: FileList.
struct ListFiles {
    std::string path;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.path);
    }
};

/// Answer: FileList of one.
struct StatFile {
    std::string path;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.path);
    }
};

/// Answer: FileChunk.
struct ReadFile {
    std::string path;
    bool from_end = false;  ///< `offset` counts back from the end instead of from the start
    std::uint64_t offset = 0;
    std::uint32_t bytes_max = 64 * 1024;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.path, s.from_end, s.offset, s.bytes_max);
    }
};

/// What somebody asks of the allocation's tasks (the runner's TaskCommand). Answer: Done.
struct CommandTask {
    enum class Kind { restart, restart_all, signal };
    friend constexpr Kind wire_last(Kind) { return Kind::signal; }
    std::string task;  ///< empty: all
    Kind kind = Kind::restart;
    std::int64_t signal = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.task, s.kind, s.signal);
    }
};

/// The allocation's directory is to go now, or, when none is meant, those of all that are finished
/// (the runner's CollectFinished). Answer: Done; Errc::not_found when there is nothing to collect.
struct CollectDirs {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

/// What the checks of the allocation's services said last. Answer: CheckList.
struct ListChecks {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

using LocalQuestion =
    std::variant<ReadLogs, ListFiles, StatFile, ReadFile, ExecStart, ExecWrite, ExecRead, ExecStop,
                 MeasureAlloc, MeasureHost, MeasurePeer, CommandTask, CollectDirs,
                 ListChecks>;

/// It must not be done twice, so its answer is remembered for whoever did not get it; and only a
/// peer that may submit jobs may ask it.
bool counts_once(const LocalQuestion& question);

// --- answers

/// It was done, and there is nothing to say.
struct Done {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

struct LogChunk {
    LogPlace from;          ///< of the first byte
    LogPlace next;          ///< where to read on
    bool skipped = false;   ///< older bytes were rotated away before they could be read
    std::string file_name;  ///< as the API's frames name it: "alloc/logs/redis.stdout.0"
    Bytes data;             ///< empty: nothing more for now
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.from, s.next, s.skipped, s.file_name, s.data);
    }
};

struct FileList {
    std::vector<allocrunner::FileInfo> files;  ///< by name
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.files);
    }
};

struct CheckList {
    std::string name;  ///< of the allocation: "job.group[0]"
    std::vector<allocrunner::CheckHealth> checks;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.checks);
    }
};

using allocrunner::FileChunk;

using LocalAnswer = std::variant<Done, LogChunk, FileList, FileChunk, ExecTaken, ExecOutput,
                                 AllocFigures, HostFigures, PeerFigures, CheckList>;

// --- the API's side

/// Of the API, to the peer that runs `alloc`.
struct AskPeer {
    AllocId alloc;  ///< in full; empty: it is about the machine
    PeerId peer;    ///< known already, or meant itself; empty: whoever runs `alloc`, or this peer
    LocalQuestion what;
};
struct PeerSaid {
    PeerId peer;
    LocalAnswer what;
};

}  // namespace gaggle::node
