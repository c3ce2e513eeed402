// The replicated books of a region: every full copy computes the same verdicts from the same log.
//
// apply() is total and deterministic. It knows integers only, no clock and no chance; a wrong
// command is an answer, never an abort; only an entry that this version cannot read stops the
// replica. Optimism lives outside: claimants plan on stale views, and here a slot is given once and
// a peer's offer is never overspent (DESIGN section 7, reference/consensus.md section 4.2). Not
// here: constraints, scores, gossip, Raft.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "placement/ledger/command.h"
#include "placement/ledger/records.h"
#include "placement/ledger/verdict.h"

namespace gaggle::ledger {

inline constexpr std::uint32_t kFeatureLevel = 1;  ///< highest set of rules that this version knows

/// What blocking queries wait on.
enum class Table { jobs, allocs, evals, peers, services };
constexpr Table wire_last(Table) { return Table::services; }

/// What an entry did, for the one that proposed it and for those who must act.
struct Applied {
    LogIndex index;
    bool upgrade_needed = false;  ///< nothing was applied and this replica must stop; `why` says it
    std::string why;       ///< also: why a command had no effect ("peer 3 has started anew since")
    bool refused = false;  ///< the command (not a claim in it) had no effect
    std::optional<PeerNumber> admitted;   ///< the answer to Found and Admit
    std::vector<BundleAnswer> answers;    ///< the answer to Bundles, in their order
    std::optional<EvalId> eval;           ///< the answer to StopAlloc
    std::set<PeerNumber> orders_changed;  ///< push orders_for() to these
    std::vector<EvalId> evaluations;      ///< have become workable: hand them out
    std::set<JobKey> jobs;                ///< changed records, by table
    std::set<AllocId> allocs;
    std::set<EvalId> evals;
    std::set<PeerNumber> peers;
    bool keyring_changed = false;  ///< somebody was admitted, got a new key, or was expelled
};

/// All that a peer is to run. Never a stream of changes: a peer takes it whole, if (epoch, index)
/// is not lower.
struct PeerOrders {
    Epoch epoch;
    LogIndex index;                   ///< applied index of the copy that says so
    LogIndex change_index;            ///< of the last change of this peer's set
    LogIndex collected;               ///< when it grows, what is finished there goes at once
    std::vector<AllocRecord> allocs;  ///< unsettled ones, by id, without what the peer said of them
    std::vector<std::pair<JobKey, JobVersion>> jobs;  ///< what they run, each once
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.epoch, s.index, s.change_index, s.collected, s.allocs, s.jobs);
    }
};

struct Tables;  // the data and its indexes: tables.h

class Ledger {
  public:
    Ledger();
    ~Ledger();
    Ledger(Ledger&&) noexcept;
    Ledger& operator=(Ledger&&) noexcept;

    /// Requires `index` above all that was applied before (gaps are Raft's own entries).
    Applied apply(LogIndex index, BytesView command);

    /// Equal ledgers give equal bytes.
    Bytes snapshot() const;
    /// Fails with `corrupt` when the bytes are damaged, of another version, or contradict
    /// themselves.
    static Result<Ledger> restore(BytesView bytes);

    // --- the region
    bool founded() const;
    RegionId region() const;
    const std::string& region_name() const;
    Epoch epoch() const;
    const Policy& policy() const;
    LogIndex applied() const;
    LogTime time() const;
    /// When something becomes due by time alone; the leader then proposes Advance (or anything
    /// else).
    std::optional<LogTime> next_deadline() const;
    /// Last change of the table; 0 when it was never touched.
    LogIndex table_index(Table table) const;

    // --- tables, and nullptr for what is not there; pointers are valid until the next apply()
    const std::map<JobKey, JobRecord>& jobs() const;
    const std::map<AllocId, AllocRecord>& allocs() const;
    const std::map<EvalId, EvalRecord>& evals() const;
    const std::map<PeerNumber, PeerRecord>& peers() const;
    const std::map<Slot, SlotRecord>& slots() const;
    const JobRecord* job(const JobKey& key) const;
    const JobVersion* job_version(const JobKey& key, std::uint64_t version) const;
    const AllocRecord* alloc(const AllocId& id) const;
    const EvalRecord* eval(const EvalId& id) const;
    const PeerRecord* peer(PeerNumber number) const;
    const PeerRecord* peer(const PeerId& id) const;
    const SlotRecord* slot(const Slot& slot) const;
    const std::set<AllocId>& allocs_of(const JobKey& key) const;
    const std::set<AllocId>& allocs_on(PeerNumber peer) const;
    const std::set<EvalId>& evals_of(const JobKey& key) const;
    /// Pending ones that nobody has taken and that need not wait.
    const std::set<EvalId>& workable() const;
    bool revoked(const Serial& serial) const;
    /// Signed statements about expelled peers, for whoever must verify.
    const std::map<PeerId, Bytes>& expulsions() const;

    PeerOrders orders_for(PeerNumber peer) const;

    /// The first contradiction in the books, or nothing: a peer overspent, a port given twice, a
    /// slot with two holders, an index that lies. Costs a walk over everything; for tests, the
    /// simulator and restore().
    std::optional<std::string> contradiction() const;

  private:
    explicit Ledger(std::unique_ptr<Tables> tables);
    std::unique_ptr<Tables> tables_;
};

}  // namespace gaggle::ledger
