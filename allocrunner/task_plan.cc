#include "allocrunner/task_plan.h"

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/interpolate.h"
#include "allocrunner/task_env.h"
#include "placement/jobspec/signals.h"
#include "placement/jobspec/task_name.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kTaskNameMax = 128;

TaskDirs dirs_seen(const TaskPlan& plan) {
    const Driver* driver = known_driver(plan.task.driver);
    const bool own = driver != nullptr && driver->has_own_root();
    return own ? inside_dirs() : task_dirs(plan.host, plan.order.alloc, plan.task.name);
}

Environment environment_of(const TaskPlan& plan) {
    const Driver* driver = known_driver(plan.task.driver);
    if (driver == nullptr || driver->takes_host_environment())
        return task_environment(plan.host, plan.order, plan.task, dirs_seen(plan), plan.network);
    Host bare = plan.host;
    bare.environment.clear();
    return task_environment(bare, plan.order, plan.task, dirs_seen(plan), plan.network);
}

TaskContext context_of(const TaskPlan& plan, Environment environment) {
    const Order& order = plan.order;
    TaskContext about{.task = plan.task.name,
                      .task_dir = task_dirs(plan.host, order.alloc, plan.task.name).task,
                      .user = {},
                      .env = std::move(environment),
                      .logs = plan.task.logs,
                      .resources = plan.task.resources,
                      .ports = {},
                      .network = plan.network ? plan.network->tasks : TaskNetwork{},
                      .labels = {{"job", order.job.id},
                                 {"namespace", order.job.name_space},
                                 {"group", order.group.name},
                                 {"alloc_name", order.name}}};
    for (const AssignedPort& port : order.ports)
        about.ports.push_back({.label = port.label,
                               .host_ip = plan.host.ip,
                               .host = port.value,
                               .to = port.to > 0 ? port.to : port.value});
    return about;
}

}  // namespace

std::optional<std::string> objection(const Task& task) {
    if (is_taken_task_name(task.name))
        return "task name \"" + task.name +
               "\" is taken by the allocation's own files; rename the task";
    if (task.name.empty() || task.name.size() > kTaskNameMax ||
        task.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos)
        return "task name \"" + task.name +
               "\" is not a plain file name of 1 to 128 bytes; rename the task";
    if (!task.kill_signal.empty() && !signal_number(task.kill_signal))
        return "kill_signal \"" + task.kill_signal +
               "\" is no signal; write for instance \"SIGTERM\"";
    return std::nullopt;
}

Result<TaskSpec> spec_of(const TaskPlan& plan) {
    const Driver* driver = known_driver(plan.task.driver);
    if (driver == nullptr)
        return {Errc::invalid, "driver \"" + plan.task.driver +
                                   "\" is not known; this version has " + known_drivers()};
    Environment environment = environment_of(plan);
    for (const auto& [name, value] : plan.added_env) environment[name] = value;
    TaskContext about = context_of(plan, std::move(environment));
    const Names names = interpolation_names(plan.host, about.env);
    about.user = interpolate(plan.task.user, names);
    return driver->spec(interpolate(plan.task.config, names), about);
}

TaskSetUp set_up_of(const TaskPlan& plan) {
    TaskSetUp out;
    out.task = plan.task;
    out.name_space = plan.order.job.name_space;
    out.job_id = plan.order.job.id;
    out.group = plan.order.group.name;
    out.payload = plan.order.job.payload;
    out.host = task_dirs(plan.host, plan.order.alloc, plan.task.name);
    out.inside = dirs_seen(plan);
    out.env = environment_of(plan);
    out.names = interpolation_names(plan.host, out.env);
    const Driver* driver = known_driver(plan.task.driver);
    const std::string user = interpolate(plan.task.user, out.names);
    out.user = driver == nullptr ? user : driver->owner_here(user);
    return out;
}

}  // namespace gaggle::allocrunner
