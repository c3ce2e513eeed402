// A query's answer from the ledger: filtering and nothing else.
#pragma once

#include "gctl/node/query.h"
#include "placement/ledger/ledger.h"

namespace gaggle::node {

/// Fills index, found and the records that the query asks for; not what depends on the replica
/// (known_leader, last_contact, region). The index is at least 1, as Nomad's clients expect.
Answer answer_from(const ledger::Ledger& ledger, const Query& query);

/// Only the index that a blocking query of this kind waits on; cheap, for it is asked at every
/// change.
std::uint64_t index_of(const ledger::Ledger& ledger, const Query& query);

}  // namespace gaggle::node
