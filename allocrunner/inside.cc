#include "allocrunner/inside.h"

#include "allocrunner/drivers/shim.h"
#include "allocrunner/drivers/spec_file.h"

namespace gaggle::allocrunner {

namespace {

Result<Driver*> driver_of(const Drivers& drivers, const StartedTask& task) {
    if (Driver* driver = drivers.find(task.spec.driver)) return driver;
    return {Errc::unavailable, "this peer does not offer driver " + task.spec.driver + " any more"};
}

}  // namespace

Result<StartedTask> running_task(const TaskLocation& at) {
    const auto record = read_record(at.alloc_dir, at.task);
    if (!record) return {Errc::not_found, "task \"" + at.task + "\" was not started on this peer"};
    if (record->state != shim::RecordState::running)
        return {Errc::unavailable, "task \"" + at.task + "\" is not running"};
    return find_started(at);
}

Result<std::unique_ptr<ExecSession>> exec_inside(const Drivers& drivers, const TaskLocation& at,
                                                 const ExecRequest& request) {
    const StartedTask task = TRY(running_task(at));
    return TRY(driver_of(drivers, task))->exec(task, request);
}

Result<TaskUsage> usage_inside(const Drivers& drivers, const TaskLocation& at) {
    const StartedTask task = TRY(running_task(at));
    return TRY(driver_of(drivers, task))->usage(task);
}

}  // namespace gaggle::allocrunner
