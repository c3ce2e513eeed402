// Watches an evaluation until it is decided, and its allocations until they run, line by line.
//
// It asks the agent a few times a second and tells what has changed since it asked last, as Nomad's
// command line does. An allocation that was lost (its peer went, a stranger holds its static port)
// is followed to the one that takes its place. Nothing is lost when it is interrupted: what was
// submitted goes on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gctl/cli/context.h"
#include "gctl/cli/model.h"

namespace gaggle::cli {

class Monitor {
  public:
    Monitor(const Context& context, const Api& api, bool verbose)
        : context_(context), api_(api), verbose_(verbose) {}

    /// 0: decided, and all of it runs or is complete; 1: an allocation failed, the evaluation did
    /// not end well, or it took longer than kSettleMax; 2: some of it waits for room or for the
    /// delay of its reschedule policy, or was lost and nothing has taken its place.
    Result<int> watch(const std::string& eval_id);
    /// The same without the allocations.
    Result<int> watch_decision(const std::string& eval_id);

  private:
    Result<EvalView> decided(const std::string& eval_id);
    Result<int> settled(const EvalView& eval);
    Result<bool> still_moves(std::vector<AllocStub>& watched);
    Result<int> tell_outcome(const EvalView& eval, const std::vector<AllocStub>& watched);
    Result<const std::vector<EvalView>*> evals(const std::string& job);
    Result<const std::vector<AllocStub>*> allocs(const std::string& job);
    Result<bool> undecided(const std::string& job);
    Result<std::optional<AllocStub>> successor(const AllocStub& lost);
    Result<void> tell_room(const AllocStub& lost);
    Result<bool> tell_delay(const EvalView& eval);
    Result<std::vector<AllocStub>> tell_allocs(const std::string& eval_id);
    void tell_alloc(const AllocStub& alloc);
    /// Of a failed one, from its tasks' events; not of all when they are many.
    void tell_why(const AllocStub& alloc);
    void tell_failures(const EvalView& eval);
    void say(const std::string& text);
    void headline(const std::string& text);
    std::string shown(const std::string& id) const;

    /// What the region says of the job, asked for at most once a round, however many were lost.
    struct JobNow {
        std::optional<std::vector<EvalView>> evals;
        std::optional<std::vector<AllocStub>> allocs;
    };

    const Context& context_;
    const Api& api_;
    bool verbose_;
    bool job_told_ = false;
    std::set<std::string> evals_told_;  ///< those that wait for room or for their time
    std::size_t reasons_told_ = 0;
    std::string hint_;  ///< where to read on about the first that failed
    std::string status_;
    JobNow job_;
    std::map<std::string, std::string> clients_;  ///< allocation -> client status told last
};

}  // namespace gaggle::cli
