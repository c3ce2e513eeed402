// One peer, whole, as one pure state machine.
//
// Gossip, raft, ledger, scheduler and runner do not know each other; here they are wired together.
// Time and one input go in, effects come out, the same ones for the same inputs. The agent drives
// this object with real sockets, disk and processes, and the simulator drives the same object with
// fakes. The node decides little itself: each part named below is a small class of its own, and the
// functions of this class only carry things from one to the other.
#pragma once

#include <functional>
#include <optional>

#include "allocrunner/order.h"
#include "crypto/certificate.h"
#include "crypto/identity.h"
#include "gctl/node/admission.h"
#include "gctl/node/board.h"
#include "gctl/node/catalogue.h"
#include "gctl/node/claimant.h"
#include "gctl/node/copies.h"
#include "gctl/node/courier.h"
#include "gctl/node/directory.h"
#include "gctl/node/durable_keys.h"
#include "gctl/node/exec_desk.h"
#include "gctl/node/group.h"
#include "gctl/node/keeper.h"
#include "gctl/node/local_desk.h"
#include "gctl/node/presence.h"
#include "gctl/node/runs.h"
#include "gctl/node/steward.h"
#include "gctl/node/writer.h"
#include "gossip/swim.h"

namespace gaggle::node {

struct Config {
    SigningKey signing;
    PublicKey authority;
    RegionId region;
    std::string region_name = "global";
    Epoch epoch{1};
    Certificate certificate;  ///< our own
    PeerNumber number;        ///< 0: not known yet
    Endpoint endpoint;
    StartId start;
    BootId boot;
    Offer offer;
    Description description;
    allocrunner::Host host;
    allocrunner::Config collection;
    gossip::Config gossip;
    GroupConfig group;  ///< region and epoch are filled in from here
    /// Checks a signature; a simulator may remember answers. Empty: crypto's own.
    std::function<bool(const PublicKey&, BytesView message, BytesView signature)> check_signature;
};

/// What was durable when the agent ended.
struct Durable {
    std::optional<raft::ReplicaId> replica;  ///< nothing: a spare
    /// A replica of ours that must never speak again, for its disk forgot what it had acknowledged.
    std::optional<raft::ReplicaId> forgotten;
    raft::Restored raft;
    std::map<std::string, Bytes> keys;
};

/// What gossip's signatures are domain-separated by.
inline constexpr std::string_view kGossipLabel = "gaggle gossip 1";

/// What an expelled peer's log and API say.
inline constexpr const char* kSelfExpelled =
    "this peer was expelled from its region: no other peer admits it any more. Stop this agent; to "
    "come back, join anew with an empty --data-dir and a new invitation (gctl cluster invite)";

class Node {
  public:
    Node(Config config, Rng rng);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Once, before the first step.
    [[nodiscard]] Effects start(Now now, Durable durable);
    /// The only way in. `now.time` must not go backwards (checked).
    [[nodiscard]] Effects step(Now now, const Input& input);
    /// Latest moment for the next Tick.
    TimePoint next_wakeup() const;

    // For drivers that look inside: the simulator's checkers, `agent/self`.
    const Group& group() const { return group_; }
    const Runs& runs() const { return runs_; }
    const Directory& directory() const { return directory_; }
    const Catalogue& catalogue() const { return catalogue_; }
    Role role() const;

  private:
    // --- inputs (node.cc)
    void on(Now now, const Tick&);
    void on(Now now, const FrameReceived& received);
    void on(Now now, const Knocked& knocked);
    void on(Now now, const Stored& stored);
    void on(Now now, const ConnectTested& tested);
    void on(Now now, const LinkClosed& closed);
    void on(Now now, const DoneLocally& done);
    void on(Now now, const ExecNews& news);
    void on(Now now, const DriversFound& found);
    void on(Now now, const Restarting&);
    void on(Now now, const ApiRequest& request);
    void on(Now now, const CancelRequest& cancel);
    void on(Now now, const allocrunner::Input& input);
    void on(Now now, const replica::Input& input);

    // --- frames, from others and from ourselves (route.cc)
    void route(Now now, const PeerId& from, Frame& frame);
    void take(Now now, const PeerId& from, GossipFrame& frame);
    void take(Now now, const PeerId& from, RaftFrame& frame);
    void take(Now now, const PeerId& from, ReplicaFrame& frame);
    void take(Now now, const PeerId& from, Submit& frame);
    void take(Now now, const PeerId& from, Submitted& frame);
    void take(Now now, const PeerId& from, AskQuery& frame);
    void take(Now now, const PeerId& from, AskAnswer& frame);
    void take(Now now, const PeerId& from, AskLocal& frame);
    void take(Now now, const PeerId& from, LocalAnswered& frame);
    void take(Now now, const PeerId& from, Hello& frame);
    void take(Now now, const PeerId& from, HelloAnswer& frame);
    void take(Now now, const PeerId& from, OrdersFrame& frame);
    void take(Now now, const PeerId& from, DoEvaluation& frame);
    void take(Now now, const PeerId& from, ExpelledFrame& frame);
    void take(Now now, const PeerId& from, AskServices& frame);
    void take(Now now, const PeerId& from, ServicesAnswer& frame);

    /// To all peers, and to the one that it is about.
    void spread_expulsion(Now now, const Bytes& statement);

    // --- gossip's news (route_gossip.cc)
    void gossip(Now now, const gossip::Input& input);
    void news(Now now, const gossip::MemberChanged& changed);
    void news(Now now, const gossip::CardLearned& learned);
    void news(Now now, const gossip::CapacityChanged& changed);
    void news(Now now, const gossip::SelfRefuted& refuted);
    void news(Now now, const gossip::Isolated& isolated);
    void news(Now now, const gossip::PartitionSuspected& suspected);
    void learn_card(Now now, const PeerId& peer, BytesView card);
    void agent_gone(Now now, const PeerId& peer);
    void publish_state(Now now);
    void save_roster();

    // --- the commit group's (route_group.cc)
    void act(Now now, GroupOutput output);
    void end_replica(Now now, const std::string& why);
    void store_failed(Now now, const std::string& why);
    void role_changed(Now now);
    PeerId leader_of_group() const;
    void learn_from_ledger(Now now, const ledger::Applied& applied);
    void learn_everybody(Now now);
    void send_raft(const raft::Message& message);

    // --- requests (route_api.cc)
    void serve(Now now, std::uint64_t id, const Query& query);
    void serve(Now now, std::uint64_t id, const RegisterJob& what);
    void serve(Now now, std::uint64_t id, const PlanJob& what);
    void serve(Now now, std::uint64_t id, const DeregisterJob& what);
    void serve(Now now, std::uint64_t id, const AskPeer& what);
    void serve(Now now, std::uint64_t id, const ListMembers& what);
    void serve(Now now, std::uint64_t id, const ExpelPeer& what);
    void serve(Now now, std::uint64_t id, const DescribeSelf& what);
    void serve(Now now, std::uint64_t id, const CollectAll& what);
    void submit_for(Now now, std::uint64_t id, const ledger::Command::What& what);
    void serve(Now now, std::uint64_t id, const StopAlloc& what);
    MemberInfo member_info(Now now, const PeerId& id, const Known& known) const;
    void add_ages(Now now, std::uint64_t id, Answer answer, Outbox& out);

    // --- what only one peer can do (route_local.cc)
    void ask_peer(Now now, std::uint64_t id, const AskPeer& what, const PeerId& peer);
    /// Carried out here, for whoever asked: by a worker, unless there is an overload that knows
    /// better and says `desk_.done`.
    template <class What>
    void here(Now now, std::uint64_t work, const AllocId& alloc, const What& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const CommandTask& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const CollectDirs& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const ListChecks& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const ExecStart& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const ExecWrite& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const ExecRead& what);
    void here(Now now, std::uint64_t work, const AllocId& alloc, const ExecStop& what);

    Bytes own_card() const;
    void describe_anew(Now now);
    /// Works off what we sent to ourselves, starts the next write, and gives everything out.
    Effects finish(Now now);

    Config config_;
    PeerId self_;
    Outbox out_;
    TimePoint last_{};
    Directory directory_;
    Writer writer_;
    Courier courier_;
    Group group_;
    Board board_;
    Claimant claimant_;
    Keeper keeper_;
    Steward steward_;
    Copies copies_;
    Runs runs_;
    Presence presence_;
    Admission admission_;
    LocalDesk desk_;
    ExecDesk exec_{desk_};
    gossip::Swim swim_;
    Catalogue catalogue_;

    /// Who submitted what is being proposed here.
    struct Proposal {
        PeerId from;
        std::uint64_t request = 0;
    };
    std::map<std::uint64_t, Proposal> proposals_;
    std::set<std::pair<PeerId, std::uint64_t>>
        proposed_;  ///< so that a repeated Submit is proposed once
    std::uint64_t next_proposal_ = 1;
    std::optional<ledger::Found> founding_;       ///< proposed once by the founder
    std::map<raft::ReplicaId, PeerId> replicas_;  ///< whom raft messages were heard from
    std::map<std::uint64_t, std::uint64_t>
        api_asks_;            ///< API request -> the courier's, to cancel it
    Bytes published_;         ///< our last capacity record
    TimePoint services_due_;  ///< not before, our list of services is made again
    std::optional<TimePoint> roster_due_;
    raft::ReplicaId ended_;   ///< of ours up to this one: over for good, also when called upon
    bool beginning_ = false;  ///< a replica's birth is being made durable
    std::uint64_t dropped_frames_ = 0;  ///< malformed, of another region, or from the wrong peer
};

}  // namespace gaggle::node
