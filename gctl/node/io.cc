#include "gctl/node/io.h"

namespace gaggle::node {

void take_drivers(const DriversFound& found, Offer& offer, Description& description) {
    offer.drivers.clear();
    for (const auto& [name, health] : found.drivers)
        if (health.healthy) offer.drivers.push_back(name);
    description.drivers = found.drivers;
    auto& attributes = description.attributes;
    std::erase_if(attributes, [](const auto& one) { return one.first.starts_with("driver."); });
    attributes.insert(found.attributes.begin(), found.attributes.end());
}

}  // namespace gaggle::node
