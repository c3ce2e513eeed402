// What the outside asks of this peer, and what it gets: the node's side of the HTTP API.
//
// Every peer takes every request. Queries and log reads are relayed to a peer that can answer; job
// registrations are planned here and claimed at the commit group.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "gctl/node/query.h"
#include "placement/jobspec/job.h"
#include "placement/scheduler/plan.h"

namespace gaggle::node {

struct RegisterJob {
    Job job;
    std::optional<std::uint64_t>
        check_index;  ///< EnforceIndex: the job's modify index, 0: must be new
};
struct PlanJob {  ///< what would happen; changes nothing
    Job job;
};
struct DeregisterJob {
    std::string name_space;
    std::string id;
    bool purge = false;
};
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
struct ReadLogs {
    AllocId alloc;  ///< in full
    std::string task;
    bool error_stream = false;     ///< stderr instead of stdout
    std::optional<LogPlace> from;  ///< where the last chunk ended; none: see `offset`
    bool from_end = false;         ///< `offset` counts back from the end instead of from the start
    std::uint64_t offset = 0;
    std::uint32_t bytes_max = 64 * 1024;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.task, s.error_stream, s.from, s.from_end, s.offset, s.bytes_max);
    }
};
struct ListMembers {};  ///< as this peer's gossip sees them
struct ExpelPeer {
    Bytes statement;  ///< crypto's Expulsion, signed by an issuer or the authority
};
struct DescribeSelf {};

struct ApiRequest {
    std::uint64_t id = 0;
    std::variant<Query, RegisterJob, PlanJob, DeregisterJob, ReadLogs, ListMembers, ExpelPeer,
                 DescribeSelf>
        what;
};

/// The caller went away (closed its connection): forget the request.
struct CancelRequest {
    std::uint64_t id = 0;
};

struct Registered {  ///< also of a deregistration
    EvalId eval;
    std::uint64_t eval_index = 0;
    std::uint64_t job_modify_index = 0;
    std::uint64_t index = 0;
    std::vector<std::string> warnings;
};
struct Planned {
    Plan plan;
    std::uint64_t job_modify_index = 0;  ///< of the job now; 0: it is new
    std::optional<Job> present;          ///< the job as it is registered now
    bool present_stopped = false;
    std::map<PeerNumber, std::string> names;  ///< of the peers that the plan speaks of
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
struct MemberInfo {
    PeerId id;
    PeerNumber number;
    std::string name;
    std::string region;
    std::string state;  ///< alive, suspect, dead, left
    bool agent_gone = false;
    Endpoint endpoint;
    Description description;
    PeerState peer_state;
    Duration state_age{};  ///< of the capacity record
    std::uint64_t incarnation = 0;
};
struct Members {
    PeerId self;
    std::vector<MemberInfo> members;
};
struct SelfInfo {
    MemberInfo member;
    RegionStatus region;
};

struct ApiReply {
    using What =
        std::variant<Answer, Registered, Planned, LogChunk, Members, SelfInfo, std::monostate>;
    std::uint64_t id = 0;
    Result<What> what;
};

}  // namespace gaggle::node
