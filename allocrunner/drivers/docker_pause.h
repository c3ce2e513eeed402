// The container by which Docker's containers join an allocation's network.
//
// Docker joins no network namespace by its path, only that of another container. So an allocation
// with docker tasks gets one more container, whose one process (gctl-shim --pause) enters the
// allocation's namespace and sleeps: whoever joins the container is where it stands. The namespace
// itself belongs to no engine: it is made before, held by a mount as always, and outlives this
// container, which is made anew whenever a task starts and it is not there. Its image is made here
// of gctl-shim alone; no registry is asked.
#pragma once

#include <mutex>
#include <string>

#include "allocrunner/drivers/docker_images.h"
#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

/// "pause_<allocation>": no task's container is called so (container_name.h).
std::string pause_name(const std::string& alloc);

struct PauseFacts {
    std::string netns;     ///< path of the allocation's namespace
    std::string hostname;  ///< of all containers that join; empty: the machine's
    std::string owner;     ///< of the label kOwnerLabel
};

/// The body of POST /containers/create. Pure.
Value pause_body(const PauseFacts& facts, const std::string& alloc, const std::string& image);

class DockerPause {
  public:
    DockerPause(std::string socket, std::string shim_path, DockerImages& images)
        : socket_(std::move(socket)), shim_path_(std::move(shim_path)), images_(images) {}

    /// It runs, and stands in the namespace. Blocks; calls for one allocation must not overlap.
    /// Errors of code unavailable, timeout or io may pass.
    Result<void> make_present(const std::string& alloc, PauseFacts facts);
    /// Fine when there is none. Containers that joined it run on where they are.
    Result<void> remove(const std::string& alloc) const;

  private:
    struct Found {
        bool runs = false;
        std::int64_t pid = 0;
    };
    Result<std::string> image();
    Result<Found> look_for(const std::string& name) const;
    Result<void> start(const std::string& name, const Value& body) const;
    Result<void> wait_until_inside(const std::string& name, const std::string& netns) const;
    std::string complaint(const std::string& name) const;

    std::string socket_;
    std::string shim_path_;
    DockerImages& images_;  // of the same driver
    std::mutex making_;     // of the image, and guards what follows
    std::string image_;     ///< its name, once the program was read
};

}  // namespace gaggle::allocrunner
