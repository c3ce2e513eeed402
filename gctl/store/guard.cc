#include "gctl/store/guard.h"

#include "base/hash.h"
#include "base/wire.h"

namespace gaggle::store {

namespace {

constexpr std::string_view kSlotName = "guard";

std::string shown(const raft::HardState& hard) {
    return "term " + std::to_string(hard.term.value) +
           (hard.vote ? " with a vote for " + std::to_string(hard.vote->value) : " without a vote");
}

}  // namespace

Bytes encode_slot(const Witness& witness) {
    const std::string record = sealed(kSlotName, encode(witness));
    INVARIANT(record.size() <= kGuardSlotBytes - 2);
    Bytes slot(kGuardSlotBytes);
    slot[0] = static_cast<std::uint8_t>(record.size() & 0xffU);
    slot[1] = static_cast<std::uint8_t>(record.size() >> 8U);
    std::copy(record.begin(), record.end(), slot.begin() + 2);
    return slot;
}

std::optional<Witness> decode_slot(BytesView slot) {
    if (slot.size() != kGuardSlotBytes) return std::nullopt;
    const std::size_t length = slot[0] | std::size_t{slot[1]} << 8U;
    if (length > kGuardSlotBytes - 2) return std::nullopt;
    const auto value = unsealed(kSlotName, as_text(slot.subspan(2, length)));
    if (!value.ok()) return std::nullopt;
    auto witness = decode<Witness>(*value, "guard", kRecordLimits);
    if (!witness.ok()) return std::nullopt;
    return std::move(*witness);
}

std::optional<std::string> amnesia(const std::optional<Witness>& guard, const Witness& log) {
    if (!guard) return "both slots of the guard are missing or damaged";
    if (guard->span.writes > log.span.writes)
        return "the log ends at write " + std::to_string(log.span.writes) + " with entry " +
               std::to_string(log.span.last.value) + ", the guard has seen write " +
               std::to_string(guard->span.writes) + " with entry " +
               std::to_string(guard->span.last.value) + ": acknowledged writes are gone";
    if (guard->membership != log.membership) return std::nullopt;  // of an earlier replica
    const bool older = log.hard.term < guard->hard.term;
    const bool other_vote =
        log.hard.term == guard->hard.term && guard->hard.vote && log.hard.vote != guard->hard.vote;
    if (older || other_vote)
        return "the log is at " + shown(log.hard) + ", the guard has seen " + shown(guard->hard);
    return std::nullopt;
}

}  // namespace gaggle::store
