// What peers say to each other, one envelope for all of it.
//
// Gossip, raft and replica frames are opaque here: their folders own their formats. The rest is the
// node's own: submissions to the leader, queries to full copies, orders, evaluations to do. Every
// frame names region and epoch, and one of another region is dropped and counted. Fields that this
// version does not know are skipped.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/wire.h"
#include "gctl/node/card.h"
#include "gctl/node/query.h"
#include "gctl/node/request.h"
#include "placement/ledger/ledger.h"

namespace gaggle::node {

constexpr std::uint32_t kFrameVersion = 2;

struct GossipFrame {
    Bytes bytes;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bytes);
    }
};

struct RaftFrame {
    Bytes bytes;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bytes);
    }
};

struct ReplicaFrame {
    Bytes bytes;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bytes);
    }
};

/// To the leader: what a ledger command shall say. The leader stamps the times. The command is
/// encoded by itself, because it is read exactly where frames are read leniently.
struct Submit {
    std::uint64_t request = 0;
    Bytes what;  ///< ledger::Command::What
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.what);
    }
};

/// What became of a command, for the one that submitted it.
struct CommandResult {
    LogIndex index;  ///< of its entry
    bool refused = false;
    std::string why;
    std::optional<PeerNumber> admitted;
    std::optional<ledger::BundleAnswer> bundle;
    std::optional<EvalId> eval;  ///< of StopAlloc
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.index, s.refused, s.why, s.admitted, s.bundle, s.eval);
    }
};

/// The leader's answer, after the command was applied there.
struct Submitted {
    enum class Outcome { applied, not_leader, busy };
    friend constexpr Outcome wire_last(Outcome) { return Outcome::busy; }
    std::uint64_t request = 0;
    Outcome outcome = Outcome::not_leader;
    CommandResult result;  ///< applied
    PeerId leader;         ///< not_leader: who is, as far as known
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.outcome, s.result, s.leader);
    }
};

/// To a full copy.
struct AskQuery {
    std::uint64_t request = 0;
    Query query;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.query);
    }
};

struct AskAnswer {
    std::uint64_t request = 0;
    bool served = false;  ///< false: this peer is no full copy (any more), or too far behind
    Answer answer;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.served, s.answer);
    }
};

/// To the peer that runs an allocation, or is meant itself: what only it can do.
struct AskLocal {
    std::uint64_t request = 0;
    AllocId alloc;
    LocalQuestion what;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.alloc, s.what);
    }
};

struct LocalAnswered {
    std::uint64_t request = 0;
    Errc code = Errc::invalid;  ///< of the error
    std::string error;          ///< empty: `answer` holds
    LocalAnswer answer;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.code, s.error, s.answer);
    }
};

/// From a peer to the leader, every hello_interval: I live, this is what I obey.
struct Hello {
    StartId start;
    BootId boot;
    Epoch orders_epoch;
    LogIndex orders_index;
    std::uint64_t offer = 0;     ///< checksum64 of the encoded offer and description
    std::uint32_t expelled = 0;  ///< how many expulsions it knows
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.start, s.boot, s.orders_epoch, s.orders_index, s.offer, s.expelled);
    }
};

/// The leader's answer to a Hello.
struct HelloAnswer {
    bool leader = false;  ///< false: ask `who` instead
    PeerId who;
    PeerNumber number;          ///< yours, as the ledger has it
    bool offer_wanted = false;  ///< the ledger has another start, boot or offer: say Offered
    LogIndex applied;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.leader, s.who, s.number, s.offer_wanted, s.applied);
    }
};

/// A peer's full set of orders, pushed by the leader or answered to a Hello.
struct OrdersFrame {
    Bytes orders;  ///< PeerOrders of the ledger
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.orders);
    }
};

/// Leader to any live peer: this evaluation is yours to do.
struct DoEvaluation {
    EvalId eval;
    ledger::JobKey job;
    LogIndex since;  ///< a state not yet there does not show what it is for
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.eval, s.job, s.since);
    }
};

/// To the lobby's newcomer: admitted, or why not.
struct KnockAnswer {
    std::string error;  ///< empty: admitted
    PeerNumber number;
    Epoch epoch;
    std::string region_name;
    std::vector<std::pair<PeerId, Bytes>> cards;  ///< of peers to begin with
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.error, s.number, s.epoch, s.region_name, s.cards);
    }
};

/// An expulsion travels from peer to peer; each passes a new one on once.
struct ExpelledFrame {
    Bytes statement;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.statement);
    }
};

/// To a peer that may have the list of `owner` with this checksum.
struct AskServices {
    PeerId owner;
    std::uint64_t checksum = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.owner, s.checksum);
    }
};

struct ServicesAnswer {
    PeerId owner;
    std::uint64_t checksum = 0;  ///< of `list`; 0: the asked peer has none of it
    Bytes list;                  ///< ServiceList
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.owner, s.checksum, s.list);
    }
};

struct Frame {
    std::uint32_t version = kFrameVersion;
    RegionId region;
    Epoch epoch;
    std::variant<GossipFrame, RaftFrame, ReplicaFrame, Submit, Submitted, AskQuery, AskAnswer,
                 AskLocal, LocalAnswered, Hello, HelloAnswer, OrdersFrame, DoEvaluation,
                 ExpelledFrame, AskServices, ServicesAnswer>
        body;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.version, s.region, s.epoch, s.body);
    }
};

/// Limits of a control frame: an InstallSnapshot travels as bulk and has its own.
constexpr std::size_t kControlBytesMax = 1U << 20U;
constexpr std::size_t kBulkBytesMax = 20U << 20U;

}  // namespace gaggle::node
