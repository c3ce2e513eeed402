// Setting tasks up, between the core's words and the folder setup's: orders in, Inputs out.
//
// What setup/ does on its thread comes back as TaskNote, TaskSetUpDone and TemplatesChanged. A
// change_script runs inside its task through `run_script`; only its failure is the core's concern.
#pragma once

#include <functional>
#include <memory>

#include "allocrunner/drivers/exec_session.h"
#include "allocrunner/effects.h"
#include "allocrunner/input.h"
#include "allocrunner/setup/set_ups.h"

namespace gaggle::allocrunner {

class TaskSetUps {
  public:
    /// Runs a command inside a running task and says how it ended, later and on any thread.
    using RunScript = std::function<void(const setup::TaskKey& task, const ChangeScript& script,
                                         std::function<void(const Result<ExecEnd>&)> ended)>;

    static Result<std::unique_ptr<TaskSetUps>> open(setup::SetUpsConfig config,
                                                    setup::Workers workers, RunScript run_script,
                                                    std::function<void(Input)> deliver);
    ~TaskSetUps() { stop(); }
    TaskSetUps(const TaskSetUps&) = delete;
    TaskSetUps& operator=(const TaskSetUps&) = delete;

    void begin(const SetUpTask& work);
    void end(const EndSetUp& work);
    void end(const AllocId& alloc);
    /// Something about services changed.
    void services(setup::CatalogueSource source) { set_ups_->services(std::move(source)); }
    void stop();

  private:
    TaskSetUps(RunScript run_script, std::function<void(Input)> deliver)
        : run_script_(std::move(run_script)), deliver_(std::move(deliver)) {}
    void act(const setup::TaskKey& key, const setup::ChangeAction& action);
    void run(const setup::TaskKey& key, const ChangeScript& script);
    void note(const setup::TaskKey& key, const SetUpEvent& event);

    RunScript run_script_;
    std::function<void(Input)> deliver_;
    std::unique_ptr<setup::SetUps> set_ups_;
};

}  // namespace gaggle::allocrunner
