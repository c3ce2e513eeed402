// Tasks being set up, and the templates of those that run: the thread "setup".
//
// begin() only queues. In order: artifacts (each by a gctl-fetch of its own, a few at a time), the
// dispatch payload, templates; then `done` with what the templates add to the environment. From
// then on the task's templates are watched: when a service that one asked for changes, or a file,
// it is rendered anew, and `act` says what follows once the splay is over. What is rendered is
// rendered by workers, so that nobody waits for another allocation's templates. end() cancels
// whatever is under way. All events come on that thread and must only be passed on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "allocrunner/setup/catalogue.h"
#include "allocrunner/setup/plan.h"
#include "allocrunner/setup/template_watch.h"
#include "base/result.h"

namespace gaggle::setup {

using allocrunner::SetUpEvent;
using allocrunner::SetUpFailure;
using allocrunner::SetUpKind;

/// Artifacts on their way at once; the others wait.
inline constexpr std::size_t kFetchesMax = 8;
/// Tasks being set up or watched; beyond it begin() fails the task, which may pass.
inline constexpr std::size_t kSetUpsMax = 16384;

/// What was asked and not looked at yet; beyond it the asking thread waits.
inline constexpr std::size_t kCommandsMax = 1024;

struct SetUpsConfig {
    std::string fetch_path;                       ///< the program gctl-fetch
    bool file_artifacts = false;                  ///< sources on this machine are allowed
    std::int64_t fetch_bytes_max = 100LL << 30U;  ///< as Nomad
    std::int64_t fetch_files_max = 1'000'000;     ///< entries of an archive
    Duration fetch_stall = 60s;                   ///< a server that sends nothing that long
    Duration fetch_total = 30min;                 ///< as Nomad
    /// After a start the catalogue fills by and by; who runs already is not told what it lacks.
    Duration settle = 10s;
    std::uint64_t seed = 1;  ///< of the splays
};

struct SetUpDone {
    TaskKey key;
    std::uint64_t run = 0;
    std::map<std::string, std::string> env;
    std::optional<SetUpFailure> failure;
};

struct SetUpsEvents {
    std::function<void(const TaskKey&, SetUpEvent)> note;
    std::function<void(SetUpDone)> done;
    std::function<void(const TaskKey&, ChangeAction)> act;
};

/// Has pieces of work done on threads of its own, those of one allocation in order. Must not wait.
using Workers = std::function<void(const AllocId&, std::function<void()>)>;

class SetUps {
  public:
    /// Without workers its own thread renders.
    static Result<std::unique_ptr<SetUps>> open(SetUpsConfig config, SetUpsEvents events,
                                                Workers workers = {});
    ~SetUps();  ///< as stop()
    SetUps(const SetUps&) = delete;
    SetUps& operator=(const SetUps&) = delete;

    void begin(Plan plan, SetUpKind kind, std::uint64_t run);
    void end(const TaskKey& key);
    /// Every task of it.
    void end(const AllocId& alloc);
    /// Something about services changed: who renders next looks there, at most ten times a second.
    void services(CatalogueSource source);
    /// Ends every download; running tasks and their files stay as they are.
    void stop();

  private:
    struct Impl;
    explicit SetUps(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::setup
