// Does it fit? The one function that both a planner and the ledger ask.
//
// Nomad's workers and its plan applier judged differently, and plans were refused again and again;
// here the answer comes from one place. It knows amounts, ports, drivers and eligibility, integers
// only; attributes and constraints are the planner's alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "placement/fit/capacity.h"

namespace gaggle {

/// One peer's books: what it offers and what accepted allocations took of it.
struct Books {
    Offer offer;
    Amounts used;
    std::set<std::uint16_t> ports;  ///< taken on the host
    std::map<std::uint16_t, std::string> strangers;  ///< who has those that no allocation has
    bool eligible = true;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.offer, s.used, s.ports, s.strangers, s.eligible);
    }
};

/// Why not, in the words that Nomad's metrics use: "memory", "cpu", "cores", "disk", "network:
/// reserved port collision http=80 (held by nginx)", "missing driver raw_exec", "ineligible".
/// Nothing when it fits.
std::optional<std::string> misfit(const Books& books, const Ask& ask);
inline bool fits(const Books& books, const Ask& ask) { return !misfit(books, ask); }

struct AssignedPort {
    std::string label;
    std::uint16_t value = 0;
    std::int64_t to = 0;
    bool operator==(const AssignedPort&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.label, s.value, s.to);
    }
};

/// Takes `ask` from the books and gives the ports, static ones as asked, dynamic ones the first
/// free at or after a place that `salt` decides (so that neighbours do not race for the same
/// number). Requires fits().
std::vector<AssignedPort> take(Books& books, const Ask& ask, std::uint64_t salt);
/// Gives back what take() took.
void give_back(Books& books, const Ask& ask, const std::vector<AssignedPort>& ports);

}  // namespace gaggle
