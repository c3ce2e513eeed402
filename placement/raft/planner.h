// Who should vote: the commit group looks after itself.
//
// The leader asks plan() every two seconds or so and carries out what it says, one step at a
// time. The group grows 1 -> 3 -> 5 from peers that have been stable for a while, always through
// learners and one joint step, so that it never stands on two or four voters; it keeps standbys
// warm; it replaces a silent voter only by a standby that is ready, in the same joint step; it
// spreads over datacenters; and it never shrinks because of failures (Consul#5922 shows where
// that leads). What the group itself hears outranks gossip: gossip "dead" alone replaces nobody,
// gossip "alive" alone saves nobody. Pure: the same input gives the same plan, in words too. Not
// here yet: shrinking after graceful leaves, and the other voters' own opinion of a silent one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "placement/raft/configuration.h"
#include "placement/raft/input.h"

namespace gaggle::raft {

struct Policy {
    Duration standby_after = 2s;       ///< healthy for so long: may become a learner
    Duration replace_after = 60s;      ///< a voter or learner silent for so long is given up
    Duration five_after = 600s;        ///< five voters only from peers stable for so long
    std::size_t five_from_peers = 7;   ///< so many stable peers, or ...
    std::size_t five_from_spread = 5;  ///< ... so many in at least three datacenters
    std::size_t standby_all = 9;       ///< up to so many peers everybody is a standby
    std::size_t standbys = 2;          ///< beyond that so many
    Duration pause = 30s;              ///< between two replacements
    Duration spread_pause = 600s;      ///< between two steps that only improve the spread
    Duration window = 600s;
    std::size_t replacements_max = 3;  ///< in one window
    Duration catch_up = 600s;          ///< a learner that has not caught up after this is dropped
    Duration back_off = 600s;          ///< before a peer that was given up is chosen again
};

/// What the leader knows of one admitted peer, itself included.
struct Prospect {
    PeerNumber peer;
    std::string datacenter;
    enum class Seen { alive, suspect, dead, left } seen = Seen::alive;  ///< by gossip
    bool may_vote = true;                                               ///< its certificate says so
    bool withdrawn = false;  ///< it says itself that it leaves, or that its disk or log failed
    /// Healthy without a break for so long; nothing when it is not healthy now.
    std::optional<Duration> healthy_for;
    bool stable = false;     ///< healthy for long enough, see Health
    Duration silent{};       ///< members: since its last answer to the leader (Standing::silent)
    bool caught_up = false;  ///< members: Standing::caught_up; true for the leader itself
};

/// What was done before, as far as this leader did it. Kept by the caller, written by remember().
struct History {
    TimePoint leading_since;
    std::vector<TimePoint> replacements;  ///< within the last window
    std::optional<TimePoint> last_spread;
    std::map<PeerNumber, TimePoint> added;  ///< as a learner
    std::map<PeerNumber, TimePoint> given_up;
};

struct PlannerInput {
    TimePoint now;
    Configuration configuration;
    bool settled = false;  ///< Status::settled, and no change of ours is under way
    PeerNumber self;
    std::vector<Prospect> candidates;
    History history;
    Policy policy;
};

struct Nothing {
    bool operator==(const Nothing&) const = default;
};

struct Plan {
    std::variant<Nothing, AddLearner, SetVoters, DropLearner, TransferTo> step;
    std::string why;  ///< for people: what is done, or awaited, and on which grounds
    enum class Kind {
        other,
        replacement,
        spread
    } kind = Kind::other;             ///< which brake it counts for
    std::optional<PeerNumber> rests;  ///< not to be chosen again for Policy::back_off
};

Plan plan(const PlannerInput& input);

/// Notes that the group has taken the step.
void remember(History& history, const PlannerInput& input, const Plan& plan);

/// Tells stable peers from flapping ones: healthy for `stable_after`, which doubles with each
/// relapse.
class Health {
  public:
    explicit Health(Duration stable_after = 10s, Duration most = 3600s)
        : stable_after_(stable_after), most_(most) {}

    void observe(TimePoint now, PeerNumber peer, bool healthy);
    /// Nothing when it is not healthy, or unknown.
    std::optional<Duration> healthy_for(TimePoint now, PeerNumber peer) const;
    bool stable(TimePoint now, PeerNumber peer) const;

  private:
    struct Record {
        std::optional<TimePoint> since;
        Duration needed{};
    };
    Duration stable_after_;
    Duration most_;
    std::map<PeerNumber, Record> records_;
};

}  // namespace gaggle::raft
