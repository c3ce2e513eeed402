// What the agent and gctl-shim say to each other, byte for byte.
//
// One shim supervises one run of one task. It outlives agents and is older than the newest of them,
// so a new agent must understand every version up to its own; the shim never has to understand a
// newer one. Integers are little-endian, all structs are packed as written here, with no padding.
//
// The agent binds a listening Unix stream socket at <alloc>/shim/<task> and hands it to the shim as
// descriptor 3; so whoever connects later reaches the shim or learns at once that it is gone.
// Frames in both directions:
//
//     u32 length of what follows (1 to 4 MiB) | u8 kind | payload
//
//     agent to shim   hello   u32 version              answered by `state`
//                     start   StartHeader, strings     once, by the first agent; answered by
//                                                      `state` or `not_started`
//                     signal  i32 number               to the task's first process;
//                                                      0 to an engine's: its image's own
//                     kill                             SIGKILL to all its processes
//     shim to agent   state   Record                   running or exited
//                     not_started  NotStarted, text    the text: an engine's own words, or nothing
//
// What is started is one of three (LaunchKind): a process of the host, which the shim forks; a
// container that programs make and whose first process becomes the shim's child (runc: create, read
// the pid file, start; in the end remove); a container of an engine on a Unix socket (Docker,
// Podman), which the shim attaches to, starts, waits for and removes by HTTP.
//
// When the task has ended, its descendants are killed, its output is drained, the Record is made
// durable at <alloc>/exit/<task> (drafted at <alloc>/exit.new/<task>), `state` is sent to every
// agent that is connected, and the shim ends. The same file holds a Record in state `running` from
// the start on.
//
// Plain C++ without library: the shim is linked without the standard library's weight.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaggle::allocrunner::shim {

inline constexpr std::uint32_t kVersion = 2;
inline constexpr int kListenFd = 3;
inline constexpr std::uint32_t kFrameMax = 4U << 20U;
inline constexpr int kProgramTimeoutMs = 20'000;  ///< a program or an engine that does not answer
inline constexpr int kStartTimeoutMs = 10'000;    ///< a shim that is told nothing goes away

enum class Kind : std::uint8_t {
    hello = 1,
    start = 2,
    signal = 3,
    kill = 4,
    state = 16,
    not_started = 17
};

enum class LaunchKind : std::uint32_t { process = 1, container = 2, engine = 3 };

enum class RecordState : std::uint32_t { running = 1, exited = 2 };

inline constexpr std::uint32_t kRecordMagic = 0x32525347;    // "GSR2"
inline constexpr std::uint32_t kRecordMagicV1 = 0x31525347;  // "GSR1"

#pragma pack(push, 1)

struct Record {
    std::uint32_t magic = kRecordMagic;
    RecordState state = RecordState::running;
    std::uint64_t run = 0;
    std::int64_t pid = 0;
    std::int64_t started = 0;  ///< wall time in nanoseconds
    std::int64_t finished = 0;
    std::int32_t code = 0;
    std::int32_t signal = 0;
    std::uint64_t log_bytes_lost = 0;  ///< output that could not be written (full disk)
    std::uint64_t flags = 0;           ///< kOutOfMemory, kEngineLost
    std::uint64_t checksum = 0;        ///< of the bytes before it
};

/// What a shim of version 1 says and writes: no flags.
struct RecordV1 {
    std::uint32_t magic = kRecordMagicV1;
    RecordState state = RecordState::running;
    std::uint64_t run = 0;
    std::int64_t pid = 0;
    std::int64_t started = 0;
    std::int64_t finished = 0;
    std::int32_t code = 0;
    std::int32_t signal = 0;
    std::uint64_t log_bytes_lost = 0;
    std::uint64_t checksum = 0;
};

/// Followed by `groups` numbers of u32, then NUL-ended strings: executable, work directory, prefix
/// of the two logs (".../alloc/logs/<task>."), record file; network namespace, host name, three
/// files to be seen as /etc/resolv.conf, /etc/hosts and /etc/hostname, pid file, file of memory
/// events, directory of a control group to be in (these eight may be empty); then argc arguments,
/// start_argc of the program that starts, remove_argc of the one that removes, envc variables. With
/// LaunchKind::engine the arguments are the path of its socket and the container's name.
struct StartHeader {
    std::uint64_t run = 0;
    std::uint32_t argc = 0;
    std::uint32_t start_argc = 0;
    std::uint32_t remove_argc = 0;
    std::uint32_t envc = 0;
    std::uint32_t groups = 0;
    std::uint32_t uid = 0;  ///< with kSwitchUser
    std::uint32_t gid = 0;
    std::int32_t oom_score_adj = 0;  ///< with kSetOomScore
    std::uint32_t flags = 0;
    LaunchKind launch = LaunchKind::process;
    std::uint64_t files_max = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t out_number = 0;  ///< of the file to append to
    std::uint64_t err_number = 0;
    std::uint64_t nofile_soft = 0;                  ///< limit of open files for the task
    std::uint32_t patience_ms = kProgramTimeoutMs;  ///< with a program or an engine
};

struct NotStarted {
    std::int32_t error = 0;  ///< errno, where the step does not say otherwise
    std::uint32_t step = 0;  ///< Step
};

#pragma pack(pop)

static_assert(sizeof(Record) == 72 && sizeof(RecordV1) == 64 && sizeof(StartHeader) == 92 &&
              sizeof(NotStarted) == 8);

inline constexpr std::uint32_t kSwitchUser = 1;
inline constexpr std::uint32_t kSetOomScore = 2;
inline constexpr std::uint32_t kNoLogs = 4;
inline constexpr std::uint32_t kTerminal = 8;  ///< an engine's output is one stream, not framed

inline constexpr std::uint64_t kOutOfMemory = 1;  ///< the kernel killed in it for want of memory
inline constexpr std::uint64_t kEngineLost = 2;   ///< the container vanished, its end is unknown

/// Where a start can fail.
enum class Step : std::uint32_t {
    message = 1,
    logs,
    record,
    pipe,
    fork,
    limits,
    user,
    directory,
    execute,
    network,
    create,  ///< the program that makes the container; `error` is its exit code, negative: an errno
    begin,   ///< likewise the one that starts it
    engine,  ///< `error` is an HTTP status, negative: an errno
};

/// FNV-1a with 64 bits: against damage, and small enough for the shim.
inline std::uint64_t checksum(const void* bytes, std::size_t size) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (std::size_t at = 0; at < size; ++at) {
        hash ^= static_cast<const unsigned char*>(bytes)[at];
        hash *= 0x100000001b3U;
    }
    return hash;
}

template <class AnyRecord>
std::uint64_t checksum_of(const AnyRecord& record) {
    return checksum(&record, offsetof(AnyRecord, checksum));
}

inline void seal(Record& record) { record.checksum = checksum_of(record); }

template <class AnyRecord>
bool is_intact(const AnyRecord& record) {
    return record.magic == AnyRecord{}.magic && record.checksum == checksum_of(record) &&
           (record.state == RecordState::running || record.state == RecordState::exited);
}

}  // namespace gaggle::allocrunner::shim
