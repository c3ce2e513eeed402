// Who is here: SWIM with Lifeguard, as one pure state machine.
//
// Each period one member is pinged; when it does not answer in time, a few others are asked to try,
// and when that fails too it is accused. The accused hears of it and refutes with a higher
// incarnation, or is called dead when its time is up (Das, Gupta, Motivala: SWIM, DSN 2002; Dadgar,
// Phillips, Currey: Lifeguard, DSN-W 2018). News rides on the probes, is pushed to a few at once,
// and is repaired by digests. Capacity records of members travel the same way and are opaque here.
//
// It knows no job, no socket and no key: signing is given to it, cards (the signed blob with
// identity, address and certificate) are opaque and pulled by hash, frames leave as bytes.
//
// Deviations from the papers, with reasons:
// - SUSPECT is an event of its own (stop placing), DEAD a later one (act): see Config for the
//   times.
// - Rumours are pushed at once as well as piggybacked, so spread does not wait for periods.
// - A refused TCP connect seen by two is evidence that the agent is gone (not its machine).
// - Another's word that a member died makes one that we hold alive a suspect first: after a healed
//   partition both sides are full of such words, and each subject deserves to hear them and refute.
// - When many turn suspect together, nobody is buried for a while (cut hold).
// - A stop of our own (SIGSTOP, a frozen machine) is no evidence about others: their time is
//   prolonged.
// - Observers are random (round robin) as in the paper; rings are a later issue and replace
//   targets.h.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "gossip/awareness.h"
#include "gossip/broadcast.h"
#include "gossip/members.h"
#include "gossip/message.h"
#include "gossip/pending.h"
#include "gossip/probe.h"
#include "gossip/suspicion.h"
#include "gossip/targets.h"

namespace gaggle::gossip {

/// Who we are. `card` is at most kCardBytesMax.
struct Self {
    PeerId peer;
    StartId start;
    BootId boot;
    Bytes card;
    /// Our signature over the message (Ed25519; pure, given by the caller).
    std::function<Bytes(BytesView message)> sign;
    /// True when `card` is a valid card of `peer` and `signature` is made by its key over
    /// `message`.
    std::function<bool(const PeerId& peer, BytesView card, BytesView message, BytesView signature)>
        verify;
};

/// The defaults are for a LAN. A host that falls silent is first probed after 0.8 s on average
/// (1.58 periods, SWIM section 5) and the round ends 0.5 s later: SUSPECT after about 1.3 s. Others
/// confirm within a few periods, so DEAD comes suspicion_min after the first accusation: about 9.3
/// s. Measured on tests/gossip/network.h (2 to 30 members, 30 seeds each, no loss): SUSPECT
/// everywhere after 0.7 to 1.0 s in the median, 1.9 s at most; DEAD after 8.7 to 9.0 s, 9.9 s at
/// most.
struct Config {
    Duration probe_interval = 500ms;
    Duration probe_timeout = 200ms;  ///< then helpers are asked; they nack at 80 % of another one
    int helpers = 3;                 ///< k of ping-req
    int awareness_limit = 8;         ///< S of Lifeguard
    SuspicionBounds suspicion{.min = 8s, .max = 24s};
    int confirmations = 2;          ///< wanted beyond the first accuser
    Duration death_grace = 3s;      ///< to refute, for one freshly suspect whom another calls dead
    int retransmit_multiplier = 4;  ///< times ceil(log10(n + 1)) sends per rumour
    int push_fanout = 3;            ///< members told at once
    Duration push_interval = 20ms;  ///< at most one push in this time
    Duration gossip_interval = 200ms;  ///< until what is left to tell is pushed again
    Duration digest_first = 500ms;  ///< after joining; then twice as long each time up to the next
    Duration digest_min = 5s;       ///< between two anti-entropy exchanges of ours, uniformly
    Duration digest_max = 10s;
    Duration dead_probe_interval = 5s;
    Duration knock_interval = 500ms;  ///< first repeat to a peer that was introduced and is silent
    Duration capacity_interval = 200ms;
    Duration cut_window = 3s;
    Duration cut_hold = 15s;
    std::size_t cut_members_min = 3;
    std::size_t cut_percent = 20;
    Duration pause = 1s;  ///< a wakeup that late means that we ourselves were stopped
};

// Inputs
// ---------------------------------------------------------------------------------------------

struct Tick {};
/// A frame from an authenticated peer, which need not be a member that we know.
struct Received {
    PeerId from;
    Bytes bytes;
};
/// A seed, or a peer read from disk or from the ledger. Never forgotten. `card` must be checked.
struct Introduce {
    PeerId peer;
    Bytes card;
};
struct SetCard {
    Bytes card;
};  ///< our own, at most kCardBytesMax
struct SetCapacity {
    Bytes record;
};  ///< our own, at most kCapacityBytesMax
/// Answer to a connect test. `refused` only when the machine answered that nothing listens there.
struct ConnectResult {
    PeerId peer;
    bool refused = false;
};
struct ConnectionLost {
    PeerId peer;
};                     ///< a hint: leads to a test and an early probe only
struct Leave {};       ///< for good
struct Restarting {};  ///< the agent ends and will be back
using Input = std::variant<Tick, Received, Introduce, SetCard, SetCapacity, ConnectResult,
                           ConnectionLost, Leave, Restarting>;

// Effects
// --------------------------------------------------------------------------------------------

/// May be lost, doubled or reordered. `to` may be a peer without a known card that has just written
/// to us: answer on its connection or drop.
struct Send {
    PeerId to;
    Bytes bytes;
};

/// State, a flag, the start or the boot of a member changed.
struct MemberChanged {
    PeerId peer;
    std::optional<MemberState> from;  ///< nullopt: it was not known before
    MemberState to = MemberState::alive;
    bool agent_restarted = false;   ///< another start than before
    bool machine_rebooted = false;  ///< another boot than before
    Member member;
};
/// A card that we did not have; comes before the first MemberChanged of that peer.
struct CardLearned {
    PeerId peer;
    Bytes card;
};
struct CapacityChanged {
    PeerId peer;
    Bytes record;
    Duration age{0};
};
/// Somebody accused us; this is our new incarnation.
struct SelfRefuted {
    Incarnation incarnation;
};
/// True: we know of others, and none of them is alive.
struct Isolated {
    bool isolated = false;
};
/// Many turned suspect together; nobody is declared dead here before `until`.
struct PartitionSuspected {
    std::size_t suspects = 0;
    std::size_t members = 0;
    TimePoint until;
};
using Event = std::variant<MemberChanged, CardLearned, CapacityChanged, SelfRefuted, Isolated,
                           PartitionSuspected>;

struct Effects {
    std::vector<Send> sends;
    std::vector<PeerId> connect_tests;  ///< try a bare TCP connect, answer with ConnectResult
    std::vector<Event> events;
};

/// What went wrong outside, counted since the start.
struct Counters {
    std::uint64_t malformed = 0;       ///< frames that did not decode
    std::uint64_t bad_signatures = 0;  ///< records dropped
    std::uint64_t late_acks = 0;       ///< after the deadline, or of another start
    std::uint64_t over_limit = 0;      ///< things dropped because a table was full
};

class Swim {
  public:
    Swim(Self self, Config config, Rng rng);

    /// The only way in. `now` must not go backwards (checked).
    [[nodiscard]] Effects step(TimePoint now, const Input& input);
    /// Latest moment for the next Tick; nullopt when only an input can change anything.
    std::optional<TimePoint> next_wakeup() const;

    const Members& members() const { return members_; }  ///< all others
    Member own() const;                                  ///< ourselves, in the same form
    const Counters& counters() const { return counters_; }
    int health() const { return awareness_.score(); }  ///< 0 is well

  private:
    struct Capacity {
        Bytes record;
        std::uint64_t version = 0;
        TimePoint set_at{};
    };
    struct Contact {
        TimePoint knock_at{};
        Duration wait{0};
    };
    struct ConnectTest {
        StartId start;
        TimePoint asked_at{};
    };
    /// One frame while it is taken in: who told us, and what to answer at its end.
    struct Frame {
        PeerId from;
        bool answerable = true;  ///< false for corrections: none corrects a correction
        bool is_news = true;     ///< false for answers: most others will know
        bool show_self = false;  ///< the sender is wrong about us
        Records corrections;
        std::set<PeerId> wanted_records;
        std::set<PeerId> wanted_cards;
    };

    // swim.cc: inputs, timers, our own record
    void on(const Tick&) {}
    void on(const Received& received);
    void on(const Introduce& introduce);
    void on(const SetCard& set);
    void on(const SetCapacity& set);
    void on(const ConnectResult& result);
    void on(const ConnectionLost& lost);
    void on(const Leave&);
    void on(const Restarting&);
    void advance();
    void forgive_pause(Duration late);
    void start_timers();
    void publish_capacity();
    void sign_own(Standing standing, Incarnation incarnation);
    void announce(Standing standing);
    void note_isolation();

    // swim_probe.cc: the failure detector
    void end_round();
    void start_round();
    void ask_helpers();
    void probe_a_dead_one();
    void answer_late_relays();
    void test_connect(const Entry& entry);
    void on(Frame& frame, const Ping& ping);
    void on(Frame& frame, const PingRequest& request);
    void on(Frame& frame, const Ack& ack);
    void on(Frame& frame, const Nack& nack);

    // swim_accuse.cc: suspicion and death
    void accuse(Entry& entry, Charge kind, bool refused);
    void charge(Entry& entry, const Accusation& accusation, Voice voice);
    void weigh_death(Entry& entry, Voice voice);
    void weigh_refusal(Entry& entry, const Accusation& accusation);
    void bury_overdue();
    TimePoint death_of(const Entry& entry) const;
    void note_cut(const PeerId& peer);
    void report(const Entry& entry, const std::optional<Member>& before);

    // swim_learn.cc: records that come in
    void learn(Frame& frame, const Announcement& announcement);
    void learn(Frame& frame, const Accusation& accusation);
    void learn(Frame& frame, const CapacityRumour& rumour);
    void learn_card(Frame& frame, const PeerId& peer, const Bytes& card);
    void welcome(Frame& frame, const Announcement& announcement, const Bytes& card);
    void renew(Frame& frame, Entry& entry, const Announcement& announcement);
    void want_card(Frame& frame, const Entry& entry);
    void retry_unproven(Frame& frame, const PeerId& about);
    void wait_for_proof(Frame& frame, const Accusation& accusation, const PeerId& missing);
    void hear_own(Frame& frame, const Announcement& announcement);
    void hear_accused(Frame& frame, const Accusation& accusation);
    void correct(Frame& frame, const Entry& entry);
    template <class Record>
    bool proven(const Record& record, const PeerId& signer, BytesView card);
    const Bytes* card_of(const PeerId& peer) const;

    // swim_spread.cc: what goes out
    void send(const PeerId& to, Body body, Records records = {});
    void spread(const PeerId& subject, Topic topic);
    void push(std::size_t fanout, const PeerId& but = {});
    void push_if_due(const PeerId& but = {});
    Records rumours(std::size_t budget);
    Records told(const Rumour& rumour) const;
    Records all_about(const PeerId& peer) const;

    // swim_repair.cc: digests, wants, cards, knocks
    void finish(Frame& frame, std::size_t sends_before);
    bool may_ask(const PeerId& peer);
    void ask_again();
    void knock(const PeerId& peer);
    void knock_due();
    void send_digest(const PeerId& to);
    void send_want(const PeerId& to, const std::set<PeerId>& records,
                   const std::set<PeerId>& cards);
    void send_answer(const PeerId& to, const Records& records);
    void compare(Frame& frame, const DigestEntry& theirs, Records& newer);
    void on(Frame& frame, const Digest& digest);
    void on(Frame& frame, const Want& want);
    void on(Frame& frame, const Cards& cards);
    void on(Frame&, const Push&) {}
    void on(Frame&, const Correction&) {}
    void on(Frame&, const Answer&) {}
    DigestEntry summary(const Member& member, std::size_t accusers) const;

    Self self_;
    Config config_;
    Rng rng_;
    TimePoint now_{};  ///< of the step under way
    Effects out_;      ///< of the step under way

    Announcement own_;
    Capacity capacity_;
    std::optional<Bytes> next_capacity_;  ///< waits for capacity_interval to pass
    std::map<PeerId, Bytes> contacts_;    ///< introduced; never forgotten
    std::map<PeerId, Contact> knocks_;    ///< contacts that are not members yet

    Members members_;
    Awareness awareness_;
    Broadcast broadcast_;
    Targets targets_;
    Pending pending_;
    Relays relays_;
    std::optional<Probe> probe_;
    std::uint64_t sequence_ = 0;
    std::map<PeerId, ConnectTest> connect_tests_;
    std::map<PeerId, TimePoint> recent_suspects_;  ///< within cut_window
    TimePoint hold_until_ = TimePoint::min();

    std::optional<TimePoint> round_at_;  ///< when the present round ends and the next begins
    std::optional<TimePoint> digest_at_;
    std::optional<TimePoint> dead_probe_at_;
    std::optional<TimePoint> push_at_;
    TimePoint pushed_at_ = TimePoint::min();
    std::map<PeerId, TimePoint> asked_;         ///< for records, when last
    TimePoint digested_at_ = TimePoint::min();  ///< last with one back from the dead
    Duration digest_wait_;                      ///< grows from digest_first to digest_min
    bool isolated_ = false;
    Counters counters_;
};

}  // namespace gaggle::gossip
