// Images: made to be there before a container needs them, and removed when nobody does any more.
//
// Only images that this agent fetched or loaded are ever removed, each once no container has used
// it for a while. Their names are kept in a file, so that a restarted agent goes on with them.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "allocrunner/drivers/docker_container.h"
#include "allocrunner/drivers/image_name.h"

namespace gaggle::allocrunner {

class DockerImages {
  public:
    DockerImages(std::string socket, std::string file, Duration keep)
        : socket_(std::move(socket)), file_(std::move(file)), keep_(keep) {}

    /// Blocks as long as a download takes, or until it is cancelled. Errc::not_found when there is
    /// no such image, Errc::denied when the registry wants other credentials, else what may pass.
    Result<void> make_present(const TaskSpec& spec, const FetchWatch& watch);

    /// Tasks with the same key need the same image from the same place. Errc::invalid.
    static Result<std::string> key_of(const TaskSpec& spec);

    /// An image of these files, made here when it is not: `archive` gives them as a tar file.
    Result<void> provide(const std::string& name, const std::function<std::string()>& archive);

    /// To be called now and then, by one thread. Only who needs an image that is just being removed
    /// waits for it.
    void collect();

  private:
    Result<void> load(const TaskSpec& spec, const std::string& file, const FetchWatch& watch);
    Result<void> pull(const ImageName& name, const ConfigReader& options, const FetchWatch& watch);
    Result<bool> is_here(const std::string& name, const std::function<bool()>& cancelled = {});
    void mark(const std::string& name, bool ours);
    std::vector<std::string> ours();
    void remove_if_old(const std::string& name);
    void read_file();
    void write_file();

    std::string socket_;
    std::string file_;
    Duration keep_;
    std::mutex mutex_;  // guards what follows
    bool read_ = false;
    std::map<std::string, TimePoint> ours_;  ///< name -> when it was last seen in use
    std::string removing_;                   ///< a name; empty: none
    std::condition_variable removed_;        ///< when `removing_` changed
};

}  // namespace gaggle::allocrunner
