#include "allocrunner/alloc_index.h"

namespace gaggle::allocrunner {

void AllocIndex::update(const AllocId& id, const Standing& standing) {
    const auto [known, is_new] = standings_.try_emplace(id, standing);
    if (!is_new) {
        if (known->second == standing) return;
        take(id, known->second);
        known->second = standing;
    }
    put(id, standing);
}

void AllocIndex::erase(const AllocId& id) {
    const auto known = standings_.find(id);
    if (known == standings_.end()) return;
    take(id, known->second);
    standings_.erase(known);
}

void AllocIndex::put(const AllocId& id, const Standing& standing) {
    if (standing.due) due_.emplace(*standing.due, id);
    if (standing.finished) finished_.emplace(*standing.finished, id);
    if (standing.awaits) awaited_.insert(*standing.awaits);
    if (standing.waiting) waiting_.insert(id);
    if (standing.live) live_.insert(id);
}

void AllocIndex::take(const AllocId& id, const Standing& standing) {
    if (standing.due) due_.erase({*standing.due, id});
    if (standing.finished) finished_.erase({*standing.finished, id});
    if (standing.awaits) awaited_.erase(awaited_.find(*standing.awaits));
    if (standing.waiting) waiting_.erase(id);
    if (standing.live) live_.erase(id);
}

std::vector<AllocId> AllocIndex::due(TimePoint now) const {
    std::vector<AllocId> out;
    for (auto one = due_.begin(); one != due_.end() && one->first <= now; ++one)
        out.push_back(one->second);
    return out;
}

std::optional<TimePoint> AllocIndex::next_due() const {
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

}  // namespace gaggle::allocrunner
