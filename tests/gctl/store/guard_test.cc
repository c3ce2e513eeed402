#include "gctl/store/guard.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "tests/gctl/store/model.h"

namespace gaggle::store {

namespace {

Witness sample() {
    return {.counter = 7,
            .span = {.writes = 50, .first = {3}, .last = {20}},
            .membership = member(4),
            .hard = {{6}, raft::ReplicaId{2}}};
}

Witness at_write(std::uint64_t writes) {
    Witness out = sample();
    out.span.writes = writes;
    return out;
}

Witness with_hard(raft::HardState hard) {
    Witness out = sample();
    out.hard = hard;
    return out;
}

Witness of_replica(std::uint64_t replica, Term term) {
    Witness out = sample();
    out.membership = member(replica);
    out.hard = {term, {}};
    return out;
}

}  // namespace

TEST_CASE("a slot is 4 KiB and comes back as it went") {
    const Bytes slot = encode_slot(sample());
    CHECK(slot.size() == 4096);
    CHECK(decode_slot(slot) == sample());
    CHECK(decode_slot(encode_slot({})) == Witness{});
}

TEST_CASE("a damaged slot is none") {
    const Bytes good = encode_slot(sample());
    Rng rng(3);
    for (int round = 0; round < 20'000; ++round) {
        Bytes slot = good;
        for (std::uint64_t left = 1 + rng.below(3); left > 0; --left)
            slot[rng.below(100)] ^= static_cast<std::uint8_t>(1 + rng.below(255));
        if (rng.chance(0.1)) slot.resize(rng.below(4096));
        if (slot == good) continue;
        const auto read = decode_slot(slot);
        // Behind the record is padding, which may be anything.
        CHECK((!read || *read == sample()));
    }
}

TEST_CASE("a log behind the guard has amnesia") {
    struct Row {
        const char* what;
        std::optional<Witness> guard;
        Witness log;
        bool amnesia;
    };
    const Row rows[] = {
        {"both at the same write", sample(), sample(), false},
        {"a crash between log and guard", sample(), at_write(51), false},
        {"the log has lost a write", sample(), at_write(49), true},
        {"no slot can be read", std::nullopt, sample(), true},
        {"the log has an older term", sample(), with_hard({{5}, {}}), true},
        {"the log has forgotten its vote", sample(), with_hard({{6}, {}}), true},
        {"the log has another vote", sample(), with_hard({{6}, raft::ReplicaId{3}}), true},
        {"the log has voted since", with_hard({{6}, {}}), sample(), false},
        {"a new replica began in an older term", sample(), of_replica(9, {1}), false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(amnesia(row.guard, row.log).has_value() == row.amnesia);
    }
    CHECK(*amnesia(sample(), at_write(49)) ==
          "the log ends at write 49 with entry 20, the guard has seen write 50 with entry 20: "
          "acknowledged writes are gone");
}

}  // namespace gaggle::store
