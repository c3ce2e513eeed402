// From a task of driver docker to what the Engine API is asked to create.
//
// Pure: the config and its surroundings to the JSON body of POST /containers/create, with the
// operator's limits judged on the way. The allocation's directories are mounted at /alloc, /local
// and /secrets, paths of the job are taken to be below the task's directory.
#pragma once

#include <string>
#include <vector>

#include "allocrunner/drivers/driver.h"
#include "allocrunner/drivers/driver_config.h"

namespace gaggle::allocrunner {

struct ContainerFacts {
    std::string alloc_dir;  ///< on the host, with alloc/ in it
    std::string cpus;       ///< of its own, "2-3"; empty: any
    std::string owner;      ///< of the label "gaggle.root": this agent's alloc root
    bool privileged_allowed = false;
    bool volumes_allowed = true;            ///< paths of the host outside the allocation
    std::vector<std::string> caps_allowed;  ///< besides the default list
    /// The engine's words for the allocation's network, when it has one of its own:
    /// "container:<name>", with Podman "ns:<path>".
    std::string joins;
    std::string hosts_file;  ///< in place of the allocation's; empty: that
};

inline constexpr const char* kOwnerLabel = "gaggle.root";

/// The options of driver docker.
std::span<const Option> docker_options();

/// The mistakes that the option table cannot see.
Result<void> judge_docker(const Value::Map& config);

/// The container is in the allocation's own network: there is one, and the config names no other.
bool joins_network(const TaskSpec& spec);

/// The text of a hosts file with `extra_hosts` ("name:address") behind it. Errc::invalid.
Result<std::string> with_extra_hosts(std::string hosts, const TaskSpec& spec);

/// Errc::invalid for what cannot be, Errc::denied for what this peer's operator does not allow.
Result<Value> container_body(const TaskSpec& spec, const ContainerFacts& facts);

}  // namespace gaggle::allocrunner
