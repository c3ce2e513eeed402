#include "allocrunner/drivers/drivers.h"

namespace gaggle::allocrunner {

Drivers::Drivers(const DriverSettings& settings) {
    drivers_.push_back(make_exec(settings));
    if (settings.raw_exec) drivers_.push_back(make_raw_exec(settings));
}

Driver* Drivers::find(std::string_view name) const {
    for (const auto& driver : drivers_)
        if (driver->name() == name) return driver.get();
    return nullptr;
}

namespace {

const Drivers& every_driver() {
    static const Drivers all(DriverSettings{});
    return all;
}

}  // namespace

const Driver* known_driver(std::string_view name) { return every_driver().find(name); }

std::string known_drivers() {
    std::string names;
    for (const auto& driver : every_driver().all()) {
        if (!names.empty()) names += ", ";
        names += driver->name();
    }
    return names;
}

}  // namespace gaggle::allocrunner
