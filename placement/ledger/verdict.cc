#include "placement/ledger/verdict.h"

namespace gaggle::ledger {

namespace {

std::string text(const Accepted& v) { return "accepted on peer " + std::to_string(v.peer.value); }
std::string text(const StaleJob& v) { return "the job is another now: " + v.why; }
std::string text(const BadClaim& v) { return "a wrong claim: " + v.why; }
std::string text(const NotTogether&) {
    return "not placed, for all_at_once allocations come together or not at all";
}

std::string text(const SlotHeld& v) {
    return "the slot is held by " + short_text(v.by) + " on peer " + std::to_string(v.on.value);
}

std::string text(const NoFit& v) {
    std::string out = "no candidate fits";
    for (const CandidateRefusal& refusal : v.candidates)
        out += (&refusal == v.candidates.data() ? ": peer " : ", peer ") +
               std::to_string(refusal.peer.value) + " (" + refusal.why + ")";
    return out;
}

}  // namespace

std::string to_string(const Verdict& verdict) {
    return std::visit([](const auto& what) { return text(what); }, verdict);
}

}  // namespace gaggle::ledger
