// What an entry of the region's log says.
//
// The leader stamps each command with log time and wall time; nothing else from outside enters a
// verdict. The encoding is exact: a replica that meets a kind or a field which it does not know
// must stop, for it could no longer compute what the others compute. New kinds are appended, never
// inserted.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/wire.h"
#include "placement/ledger/claim.h"
#include "placement/ledger/peer_record.h"

namespace gaggle::ledger {

/// Only time passes: what is due happens.
struct Advance {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>{};
    }
};

/// The first command of a region. The founder gets PeerNumber 1.
struct Found {
    RegionId region;
    std::string name;
    Newcomer founder;
    Serial issuer;  ///< of the first issuer's certificate; may be revoked like any other
    Policy policy;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.name, s.founder, s.issuer, s.policy);
    }
};

struct InvitationUse {
    Serial serial;
    Serial issuer;
    std::uint32_t uses_max = 1;
    WallTime expiry;  ///< 0: never
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.serial, s.issuer, s.uses_max, s.expiry);
    }
};

struct Admit {
    Newcomer who;
    InvitationUse invitation;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.who, s.invitation);
    }
};

struct Expel {
    PeerId peer;
    std::string reason;
    Bytes statement;  ///< signed; opaque here, kept for whoever must verify
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.reason, s.statement);
    }
};

/// An invitation or an issuer, by serial.
struct Revoke {
    Serial serial;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.serial);
    }
};

/// A peer says what it offers: at each start of its agent, and when that changes.
struct Offered {
    PeerNumber peer;
    StartId start;
    BootId boot;
    Offer offer;
    Description description;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.start, s.boot, s.offer, s.description);
    }
};

/// From the leader's gossip state. Has no effect when the peer has started or booted anew since.
struct PeerLost {
    PeerNumber peer;
    StartId start;
    BootId boot;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.start, s.boot);
    }
};

/// The same agent is in reach again. (A new one says Offered instead.)
struct PeerBack {
    PeerNumber peer;
    StartId start;
    BootId boot;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.start, s.boot);
    }
};

struct SetEligibility {
    PeerNumber peer;
    bool eligible = true;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.eligible);
    }
};

/// Must precede the session's first bundle. Opening it twice has no effect.
struct OpenSession {
    SessionId session;
    PeerNumber claimant;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session, s.claimant);
    }
};

struct Bundles {
    std::vector<Bundle> bundles;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bundles);
    }
};

struct AllocReport {
    AllocId alloc;
    ClientStatus client = ClientStatus::pending;
    bool healthy = false;
    bool for_good = false;  ///< failed: another peer would not mend it, so it is not rescheduled
    WallTime modified;
    Bytes status;
    Bytes services;  ///< the instances that it has now, opaque here; empty: none
    bool operator==(const AllocReport&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.client, s.healthy, s.for_good, s.modified, s.status,
                        s.services);
    }
};

struct Reports {
    PeerNumber peer;
    std::vector<AllocReport> reports;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.reports);
    }
};

/// `lease` counts from this command and is cut to Policy::eval_lease_max.
struct EvalTaken {
    EvalId eval;
    PeerNumber peer;
    Duration lease{};
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.eval, s.peer, s.lease);
    }
};

/// Which peers hold a complete copy of the slot's data. A peer keeps an older copy on the books
/// until it has a newer one or is named in `dropped`.
struct HoldersChanged {
    Slot slot;
    Generation generation;
    std::set<PeerNumber> holders;
    std::set<PeerNumber> dropped;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.slot, s.generation, s.holders, s.dropped);
    }
};

/// A stranger holds this port on the allocation's peer: it rests. A dynamic one is replaced by
/// another; with a static one the allocation is lost there, and placed anew where the port is free.
struct ReleasePort {
    AllocId alloc;
    std::uint16_t port = 0;
    std::string holder;  ///< for people: "python3 (pid 77)"
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.port, s.holder);
    }
};

/// Sent once every full copy supports the level. A replica that does not must stop.
struct RaiseFeatureLevel {
    std::uint32_t level = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.level);
    }
};

/// After a recovery; peers obey no order of a lower epoch.
struct BeginEpoch {
    Epoch epoch;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.epoch);
    }
};

/// `gctl system gc`: forget all that is finished now, whatever its age, here and on every peer.
struct Collect {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>{};
    }
};

/// `gctl alloc stop`: its slot goes to another allocation, on whichever peer a planner finds, and
/// then it is stopped. The evaluation for that is the answer.
struct StopAlloc {
    AllocId alloc;
    bool no_shutdown_delay = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.no_shutdown_delay);
    }
};

struct Command {
    using What = std::variant<Advance, Found, Admit, Expel, Revoke, Offered, PeerLost, PeerBack,
                              SetEligibility, OpenSession, Bundles, Reports, EvalTaken,
                              HoldersChanged, ReleasePort, RaiseFeatureLevel, BeginEpoch, Collect,
                              StopAlloc>;
    LogTime now;    ///< the leader's; the ledger never lets it go back
    WallTime wall;  ///< the leader's clock
    What what;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.now, s.wall, s.what);
    }
};

inline constexpr Limits kCommandLimits{
    .fields = Fields::exact, .bytes = 16U << 20U, .items = 1U << 16U, .depth = 128};

/// Fails when no replica could read it again (too long, nested too deep): the leader asks before it
/// proposes, because an entry that cannot be read stops every replica.
Result<Bytes> encode_command(const Command& command);
Result<Command> decode_command(BytesView bytes);

}  // namespace gaggle::ledger
