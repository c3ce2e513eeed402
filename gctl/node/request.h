// What the outside asks of this peer, and what it gets: the node's side of the HTTP API.
//
// Every peer takes every request. Queries, and what is about one allocation, are relayed to a peer
// that can answer; job registrations are planned here and claimed at the commit group.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "gctl/node/local.h"
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
    bool no_shutdown_delay = false;
};
struct ListMembers {};  ///< as this peer's gossip sees them
struct ExpelPeer {
    Bytes statement;  ///< crypto's Expulsion, signed by an issuer or the authority
};
struct DescribeSelf {};
struct StopAlloc {  ///< and have it replaced; answer: Registered, of which eval and index hold
    AllocId alloc;
    bool no_shutdown_delay = false;
};
/// The region forgets what is finished, and every peer removes the directories of it.
struct CollectAll {};

struct ApiRequest {
    std::uint64_t id = 0;
    std::variant<Query, RegisterJob, PlanJob, DeregisterJob, AskPeer, ListMembers, ExpelPeer,
                 DescribeSelf, StopAlloc, CollectAll>
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
        std::variant<Answer, Registered, Planned, PeerSaid, Members, SelfInfo, std::monostate>;
    std::uint64_t id = 0;
    Result<What> what;
};

}  // namespace gaggle::node
