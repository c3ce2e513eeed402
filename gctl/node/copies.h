// Copies of what runs here, on others, and of what runs elsewhere, here: gossip, ledger and replica
// meet.
//
// The peer that runs an allocation of a group with `replicas = N` chooses N holders among the peers
// in reach and keeps them as long as it can. Who holds is said to the ledger once per writer; how
// fresh a copy is, is asked of its holder when somebody wants to know. A new allocation whose data
// is not here has it fetched before it starts.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "allocrunner/replica/replica.h"
#include "gctl/node/courier.h"
#include "gctl/node/directory.h"
#include "gctl/node/outbox.h"
#include "gctl/node/query.h"

namespace gaggle::node {

constexpr Duration kHoldersInterval = 1s;  ///< between two looks at who should hold
constexpr Duration kCopyAgePatience = 1500ms;

replica::Lineage lineage_of(const ledger::Slot& slot);

/// An allocation that runs here and is to be copied.
struct Copied {
    replica::Lineage lineage;
    Generation generation;
    AllocId alloc;
    std::size_t replicas = 0;
};

class Copies {
  public:
    using Ages = std::function<void(Now, std::vector<CopyState>, Outbox&)>;

    Copies(PeerId self, const SigningKey& signing, const Directory& directory, Courier& courier);

    void set_number(PeerNumber number) { number_ = number; }
    void on(Now now, const replica::Input& input, Outbox& out);
    /// The full set of what runs here and is to be copied.
    void running(Now now, const std::vector<Copied>& now_running, Outbox& out);
    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;

    bool holds(const replica::Lineage& lineage) const {
        return replica_.newest(lineage).has_value();
    }
    enum class Fetched { under_way, here, nowhere };
    /// Has the newest copy brought here for this allocation; `here` and `nowhere` are final until
    /// forget_fetch(), or until another allocation asks.
    Fetched fetch(Now now, const replica::Lineage& lineage, const AllocId& alloc, Outbox& out);
    void forget_fetch(const replica::Lineage& lineage) { fetches_.erase(lineage); }
    /// True once after a fetch ended: orders that waited for it can be obeyed.
    bool take_fetched() { return std::exchange(fetched_, false); }

    /// Asks the holders how fresh their copies are, and calls back with what is known in the end.
    void ages(Now now, const replica::Lineage& lineage,
              const std::vector<ledger::PeerRecord>& holders, Ages done, Outbox& out);

  private:
    void absorb(Now now, replica::Effects effects, Outbox& out);
    void news(Now now, const replica::CopyComplete& event, Outbox& out);
    void news(Now now, const replica::HolderConfirmed& event, Outbox& out);
    void news(Now now, const replica::CopyHeard& event, Outbox& out);
    void news(Now now, const replica::FetchDone& event, Outbox& out);
    void news(Now now, const replica::Trouble& event, Outbox& out);
    std::set<PeerId> choose(const replica::Lineage& lineage, std::size_t wanted,
                            const std::set<PeerId>& present) const;
    void say_holding(Now now, const replica::Lineage& lineage, Generation generation, Outbox& out);

    PeerId self_;
    PeerNumber number_;
    const Directory& directory_;
    Courier& courier_;
    replica::Replica replica_;
    struct Source {
        Copied what;
        std::set<PeerId> holders;
    };
    std::map<replica::Lineage, Source> sources_;
    TimePoint due_{};
    std::map<replica::Lineage, Generation> said_;  ///< to the ledger: held here
    struct Fetch {
        AllocId alloc;
        Fetched state = Fetched::under_way;
    };
    std::map<replica::Lineage, Fetch> fetches_;
    bool fetched_ = false;
    struct Asking {
        replica::Lineage lineage;
        std::map<PeerId, CopyState> states;
        std::set<PeerId> waiting;
        TimePoint deadline;
        Ages done;
    };
    std::vector<Asking> asking_;
};

}  // namespace gaggle::node
