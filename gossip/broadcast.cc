#include "gossip/broadcast.h"

#include <algorithm>

namespace gaggle::gossip {

Broadcast::Rank Broadcast::rank(const Rumour& rumour, const Slot& slot) {
    return {rumour.topic == Topic::capacity, slot.told, ~slot.born, rumour};
}

void Broadcast::add(const Rumour& rumour) {
    forget(rumour);
    const Slot& slot = slots_[rumour] = {.told = 0, .born = ++births_};
    order_.insert(rank(rumour, slot));
}

void Broadcast::forget(const Rumour& rumour) {
    const auto found = slots_.find(rumour);
    if (found == slots_.end()) return;
    order_.erase(rank(rumour, found->second));
    slots_.erase(found);
}

std::vector<Rumour> Broadcast::take(std::size_t budget, std::size_t times_max, const Size& size) {
    std::vector<Rumour> taken;
    std::vector<Rumour> void_ones;
    for (const auto& [late, told, age, rumour] : order_) {
        const std::size_t bytes = size(rumour);
        if (bytes == 0) {
            void_ones.push_back(rumour);
        } else {
            if (bytes > budget) break;
            budget -= bytes;
            taken.push_back(rumour);
        }
    }
    for (const auto& rumour : void_ones) forget(rumour);
    for (const auto& rumour : taken) {
        Slot& slot = slots_.at(rumour);
        order_.erase(rank(rumour, slot));
        if (++slot.told >= times_max)
            slots_.erase(rumour);
        else
            order_.insert(rank(rumour, slot));
    }
    return taken;
}

std::size_t transmissions(int multiplier, std::size_t members) {
    std::size_t decades = 0;  // ceil(log10(members + 1)) without floating point
    for (std::size_t reach = 1; reach < members + 1; reach *= 10) ++decades;
    return static_cast<std::size_t>(multiplier) * std::max<std::size_t>(1, decades);
}

}  // namespace gaggle::gossip
