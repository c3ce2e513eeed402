// One entry being applied: the only place where the tables change.
//
// A Step lives for one apply(). Its on() handlers decide, one per kind of command, grouped in files
// by theme (apply_region.cc, apply_peer.cc, apply_report.cc, apply_bundle.cc); its helpers keep
// every record's indexes and modify stamps right. Internal to this folder.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "placement/ledger/ledger.h"
#include "placement/ledger/tables.h"

namespace gaggle::ledger {

class Draft;

class Step {
  public:
    Step(Tables& tables, WallTime wall, Applied& out)
        : state_(tables.state), tables_(tables), indexes_(tables.indexes), wall_(wall), out_(out) {}

    /// What became due since the entry before: lost allocations, waits, leases, ports, old records.
    void pass_time();
    void on(const Command::What& what);
    /// Wakes what was blocked, recounts the jobs that were touched, stamps the tables.
    void finish();

  private:
    // --- apply_region.cc
    void on(const Advance&) {}
    void on(const Found& found);
    void on(const Admit& admit);
    void on(const Expel& expel);
    void on(const Revoke& revoke);
    void on(const OpenSession& open);
    void on(const RaiseFeatureLevel& raise);
    void on(const BeginEpoch& begin);
    void enrol(const Newcomer& who, const Serial& invitation);

    // --- apply_peer.cc
    void on(const Offered& offered);
    void on(const PeerLost& lost);
    void on(const PeerBack& back);
    void on(const SetEligibility& set);
    /// The peer, if it may act and its agent and machine are those that the command means; else
    /// refuses.
    PeerRecord* same_start(PeerNumber peer, const StartId& start, const BootId& boot);
    void become(PeerRecord& peer, PeerStatus status, const std::string& reason);
    void doom_allocs(const PeerRecord& peer);
    void welcome_back(PeerRecord& peer, bool rebooted);
    void revive(AllocRecord& alloc, PeerRecord& peer);
    void wake_system_jobs(PeerNumber peer);

    // --- apply_report.cc
    void on(const Reports& reports);
    void on(const HoldersChanged& changed);
    void on(const ReleasePort& release);
    void rest(PeerRecord& peer, std::uint16_t port, Duration span, const std::string& holder);
    void on(const StopAlloc& stop);
    void take_report(AllocRecord& alloc, const AllocReport& report);
    void list(AllocRecord& alloc, const Bytes& instances);
    void lose(AllocRecord& alloc, const std::string& reason);

    // --- apply_bundle.cc
    void on(const Bundles& bundles);
    BundleAnswer judge(const Bundle& bundle);
    void carry_out(const Bundle& bundle, BundleAnswer& answer);
    void accept_claims(const Bundle& bundle, const Draft& draft,
                       const std::vector<Verdict>& verdicts);
    void add_alloc(const Bundle& bundle, const Claim& claim, const Accepted& accepted);
    void stop_alloc(AllocRecord& alloc, Desired desired, const std::string& reason);
    void end_shutdown_delay(AllocRecord& alloc);
    void update_in_place(const AllocId& id, const JobKey& job);

    // --- jobs.cc
    /// Why not, with nothing done; or nothing.
    std::optional<std::string> register_job(const JobKey& key, const RegisterJob& registration);
    std::optional<std::string> deregister_job(const JobKey& key, const Deregister& how);
    void add_version(const JobKey& key, JobRecord& record, Job job, bool stopped);
    void recount(const JobKey& key);
    void set_queued(const JobKey& key, const std::map<std::string, std::uint32_t>& queued);
    void drop_old_versions(const JobKey& key, JobRecord& record);

    // --- collect.cc
    void on(const Collect&);
    void collect(bool whatever_age);
    bool forget_evals();  ///< false: there may be more
    bool forget_allocs();
    bool forget_jobs();
    bool old(LogTime changed, Duration kept) const;
    bool is_past(const JobKey& key) const;
    bool needed(const AllocRecord& alloc) const;

    // --- evaluations.cc
    void on(const EvalTaken& taken);
    void open_for(const Bundle& bundle);
    void end_evaluation(EvalRecord& eval, const EvalEnd& end, LogIndex planned_at);
    void queue_rest(EvalRecord& eval, const EvalEnd& end, LogIndex planned_at);
    void follow_up(EvalRecord& eval, const EvalEnd& end);
    void await(const EvalId& follow_up, const EvalEnd& end);
    void cancel_evals(const JobKey& job, EvalStatus status, const EvalId& but,
                      const std::string& why);
    /// Somebody must look at the job, unless somebody is about to anyway.
    void want_evaluation(const JobKey& job, Trigger trigger, std::optional<PeerNumber> peer);
    EvalRecord& add_eval(const EvalId& id, const JobKey& job, Trigger trigger);
    void wake_blocked();
    EvalId mint_eval();

    // --- step.cc
    void refuse(std::string why);
    const JobVersion* live_version(
        const JobKey& job) const;  ///< nullptr when it is gone or stopped
    /// Change records only so: `edit` may change anything but ids, slot and peer.
    template <class Edit>
    void change(AllocRecord& alloc, Edit edit) {
        indexes_.remove(alloc);
        edit(alloc);
        indexes_.add(alloc);
        stamp(alloc);
    }
    template <class Edit>
    void change(EvalRecord& eval, Edit edit) {
        const bool was_workable = eval.workable();
        indexes_.remove(eval);
        edit(eval);
        if (eval.workable() && !was_workable) eval.since = out_.index;
        indexes_.add(eval);
        stamp(eval);
    }
    void stamp(AllocRecord& alloc);
    void stamp(EvalRecord& eval);
    void stamp(PeerRecord& peer);
    void orders_change(PeerNumber peer);
    void set_client(AllocRecord& alloc,
                    ClientStatus status);  ///< frees resources and slot when it ends
    void vacate(const AllocRecord& alloc);
    void make_room();

    State& state_;
    Tables& tables_;
    Indexes& indexes_;
    WallTime wall_;
    Applied& out_;
    std::uint64_t minted_ = 0;
    bool room_made_ = false;
    std::set<JobKey> touched_;  ///< jobs to recount
};

}  // namespace gaggle::ledger
