// Every script under tests/golden/raft, compared to the last line; UPDATE=1 rewrites them.
//
// Other people's bugs (reference: consensus.md 2.12), and which test of ours is about each:
//   commit of an old term by counting      figure8
//   vote forgotten, given twice, retried   votes, nemesis
//   unpersisted tail, A-B-A with the disk  disk_race, "journal: ..."
//   acknowledged before the fsync          one_voter, nemesis (power cuts)
//   doubled, overtaking, shorter appends   repair, nemesis
//   a whole window lost                    repair
//   nack about what is settled             "progress: ..."
//   linear probing                         "log: a long divergent tail ..."
//   commit of a stale tail                 "the commit index follows only ..."
//   lost when the leader steps down        quorum_check
//   one change at a time, removed leader   membership
//   a learner votes                        learner_votes
//   configurations cut off                 configurations_cut, "log: two configurations ..."
//   configuration in snapshots             snapshot_joint
//   a majority of either side              "elections: ...", "commit: ...", nemesis
//   2 -> 1, joint stuck                    nemesis (one to five voters)
//   pre-vote and the leader itself         gone, "a voter whose leader restarts ..."
//   a returning or removed one disturbs    quorum_check, nemesis
//   ids used again                         "a founding ...", membership
//   transfer: target dies, writes          transfer
//   snapshot twice, old, covered           snapshot
//   stale reads                            reads, "reads: ...", nemesis
//   damage spreads                         "a damaged entry is refused ..."
//   whole disk lost                        "a replica that lost what it acknowledged ..."
//   partial and one-way partitions         nemesis
// Open: sessions and exactly-once (the ledger's), recovery that meets the old majority (no
// recovery yet), repair of one damaged entry from others, metastable overload, handing over from a
// slow disk, relaying for a peer that cannot be reached.
#include "tests/golden.h"

#include <memory>

#include "tests/placement/raft/script.h"

namespace gaggle::raft::test {

TEST_CASE("raft: the golden scripts") {
    golden::run_folder("raft", [] {
        auto script = std::make_shared<Script>();  // shared by the copies of one handler
        return [script](const golden::Directive& line) { return script->run(line); };
    });
}

}  // namespace gaggle::raft::test
