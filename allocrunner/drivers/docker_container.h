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
    bool joins_namespaces = false;          ///< the engine takes the path of a network namespace
};

inline constexpr const char* kOwnerLabel = "gaggle.root";

/// The options of driver docker.
std::span<const Option> docker_options();

/// The mistakes that the option table cannot see.
Result<void> judge_docker(const Value::Map& config);

/// Errc::invalid for what cannot be, Errc::denied for what this peer's operator does not allow.
Result<Value> container_body(const TaskSpec& spec, const ContainerFacts& facts);

/// "registry.example.com:5000/a/b:1.2@sha256:..." taken apart.
struct ImageName {
    std::string repository;
    std::string tag;  ///< "latest" when neither tag nor digest is written; empty with a digest
    std::string digest;
    std::string whole() const;
};

/// Errc::invalid for a name that is none.
Result<ImageName> image_name(std::string_view text);

}  // namespace gaggle::allocrunner
