#include <algorithm>

#include "allocrunner/set_up_plan.h"
#include "allocrunner/task_event.h"
#include "allocrunner/task_links.h"
#include "allocrunner/task_set_ups.h"
#include "placement/jobspec/signals.h"

namespace gaggle::allocrunner {

namespace {

/// Why the script counts as failed; nothing when it does not.
std::optional<std::string> objection(const ChangeScript& script, const Result<ExecEnd>& end) {
    const std::string what = "change_script " + script.command;
    if (!end.ok()) return what + ": " + end.error().detail;
    if (end->timed_out) return what + ": killed after " + for_people(script.timeout);
    if (end->exit_code == 0) return std::nullopt;
    return what + " ended with " + std::to_string(end->exit_code) +
           (end->output.empty() ? "" : ": " + end->output);
}

}  // namespace

Result<std::unique_ptr<TaskSetUps>> TaskSetUps::open(setup::SetUpsConfig config,
                                                     setup::Workers workers, RunScript run_script,
                                                     std::function<void(Input)> deliver) {
    std::unique_ptr<TaskSetUps> out(new TaskSetUps(std::move(run_script), std::move(deliver)));
    TaskSetUps* raw = out.get();  // lives longer than the thread
    const setup::SetUpsEvents events{
        .note = [raw](const setup::TaskKey& key,
                      const SetUpEvent& event) { raw->note(key, event); },
        .done =
            [raw](setup::SetUpDone done) {
                raw->deliver_(
                    {wall_clock(), TaskSetUpDone{done.key.alloc, done.key.task, done.run,
                                                 std::move(done.env), std::move(done.failure)}});
            },
        .act = [raw](const setup::TaskKey& key,
                     const setup::ChangeAction& action) { raw->act(key, action); }};
    out->set_ups_ = TRY(setup::SetUps::open(std::move(config), events, std::move(workers)));
    return out;
}

void TaskSetUps::begin(const SetUpTask& work) {
    set_ups_->begin(set_up_plan(work), work.kind, work.run);
}
void TaskSetUps::end(const EndSetUp& work) { set_ups_->end({work.alloc, work.task}); }
void TaskSetUps::end(const AllocId& alloc) { set_ups_->end(alloc); }
void TaskSetUps::stop() {
    if (set_ups_) set_ups_->stop();
}

void TaskSetUps::note(const setup::TaskKey& key, const SetUpEvent& event) {
    const WallTime wall = wall_clock();
    deliver_({wall, TaskNote{key.alloc, key.task, event_set_up(wall, event)}});
}

void TaskSetUps::act(const setup::TaskKey& key, const setup::ChangeAction& action) {
    for (const ChangeScript& script : action.scripts) run(key, script);
    if (!action.restart && action.signals.empty()) return;
    TemplatesChanged changed{.alloc = key.alloc, .task = key.task, .restart = action.restart};
    for (const std::string& name : action.signals)
        if (const auto number = signal_number(name)) changed.signals.push_back(*number);
    deliver_({wall_clock(), std::move(changed)});
}

void TaskSetUps::run(const setup::TaskKey& key, const ChangeScript& script) {
    run_script_(key, script, [this, key, script](const Result<ExecEnd>& end) {
        const auto wrong = objection(script, end);
        const std::string text = wrong ? *wrong : "change_script " + script.command + " ran";
        note(key, {SetUpEvent::Kind::templates, text});
        if (!wrong || !script.fail_on_error) return;
        TemplatesChanged changed{.alloc = key.alloc, .task = key.task};
        changed.fatal = *wrong;
        deliver_({wall_clock(), std::move(changed)});
    });
}

}  // namespace gaggle::allocrunner
