// What the ledger holds about peers, and the rules of the region that an operator may set.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "base/bytes.h"
#include "base/time.h"
#include "placement/fit/fits.h"
#include "placement/ledger/keys.h"

namespace gaggle::ledger {

/// All spans are of log time.
struct Policy {
    Duration lost_after =
        10s;  ///< from "the peer is lost" to "its allocations are", unless the job says
    Duration eval_lease_max = 60s;  ///< longest time that a peer may sit on an evaluation
    Duration session_kept = 1h;     ///< since its last bundle
    Duration port_rest = 10min;     ///< of a port that a stranger was found on
    Duration finished_kept = 1h;    ///< evaluations and allocations that nobody needs (Nomad: 1 h)
    Duration job_kept = 4h;         ///< stopped jobs (Nomad: 4 h)
    std::uint32_t versions_kept = 6;  ///< of a job
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lost_after, s.eval_lease_max, s.session_kept, s.port_rest,
                        s.finished_kept, s.job_kept, s.versions_kept);
    }
};

/// Who a newcomer is, as the leader verified it.
struct Newcomer {
    PeerId id;
    Bytes public_key;
    Bytes curve_key;
    Bytes certificate;  ///< opaque here; given to whoever must verify
    std::string name;
    std::string datacenter;
    std::uint64_t rights = 0;  ///< bits as in the certificate; not judged here
    bool operator==(const Newcomer&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.id, s.public_key, s.curve_key, s.certificate, s.name, s.datacenter,
                        s.rights);
    }
};

struct PeerRecord {
    PeerNumber number;
    Newcomer who;
    Serial invitation;  ///< by which it came; empty for the founder
    PeerStatus status = PeerStatus::initializing;
    std::string status_reason;
    bool eligible = true;  ///< as the operator set it; placement also wants `ready`
    StartId start;
    BootId boot;
    Description description;
    Books books;  ///< `books.eligible` is `eligible` and `ready` together
    std::map<std::uint16_t, LogTime>
        resting;            ///< ports held by strangers, until when; also in books.ports
    LogIndex orders_index;  ///< of the last change of its orders
    LogIndex create_index;
    LogIndex modify_index;
    WallTime admitted;
    LogTime status_changed;
    Amounts free() const {
        Amounts left = books.offer.total;
        return left -= books.used;
    }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.number, s.who, s.invitation, s.status, s.status_reason, s.eligible,
                        s.start, s.boot, s.description, s.books, s.resting, s.orders_index,
                        s.create_index, s.modify_index, s.admitted, s.status_changed);
    }
};

}  // namespace gaggle::ledger
