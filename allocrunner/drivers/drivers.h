// All drivers, by name, and the settings by which an operator limits them.
//
// The state machine needs only their pure half and takes it from known_driver(), which is the same
// on every peer; the agent opens one Drivers with its own settings for the other half.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

struct DriverSettings {
    bool raw_exec = true;
    std::string alloc_root;     ///< absolute
    std::string shim_path;      ///< the program gctl-shim
    std::string state_dir;      ///< absolute; what drivers keep besides allocations
    std::string runc = "runc";  ///< along PATH when it has no slash
    std::string docker_socket = "/var/run/docker.sock";
    bool docker_privileged = false;         ///< tasks may ask for `privileged`
    bool docker_volumes = true;             ///< tasks may mount paths of the host
    bool exec_root = false;                 ///< tasks of driver exec may run as root
    std::vector<std::string> caps_allowed;  ///< besides the default list; "all" allows any
    Duration image_delay = 3min;            ///< how long an image is kept that no task uses
};

class Drivers {
  public:
    explicit Drivers(const DriverSettings& settings);

    /// nullptr when there is none of that name or this peer does not offer it.
    Driver* find(std::string_view name) const;
    const std::vector<std::unique_ptr<Driver>>& all() const { return drivers_; }

  private:
    std::vector<std::unique_ptr<Driver>> drivers_;
};

/// The pure half; nullptr when no driver has that name. Lives as long as the program.
const Driver* known_driver(std::string_view name);

/// Of all that this version has, sorted.
std::vector<std::string> driver_names();
/// "docker, exec, raw_exec", for people.
std::string known_drivers();

// One for each file:
std::unique_ptr<Driver> make_raw_exec(const DriverSettings& settings);
std::unique_ptr<Driver> make_exec(const DriverSettings& settings);
std::unique_ptr<Driver> make_docker(const DriverSettings& settings);

}  // namespace gaggle::allocrunner
