#include "allocrunner/drivers/drivers.h"

namespace gaggle::allocrunner {

Drivers::Drivers(const DriverSettings& settings) {
    drivers_.push_back(make_docker(settings));
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

std::vector<std::string> driver_names() {
    std::vector<std::string> names;
    for (const auto& driver : every_driver().all()) names.emplace_back(driver->name());
    return names;
}

std::string known_drivers() {
    std::string names;
    for (const std::string& name : driver_names()) names += (names.empty() ? "" : ", ") + name;
    return names;
}

}  // namespace gaggle::allocrunner
