#include "allocrunner/job_objections.h"

#include <algorithm>

#include "allocrunner/drivers/driver_config.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/setup/text_template.h"

namespace gaggle::allocrunner {

namespace {

bool is_filled_in_later(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data))
        return text->find("${") != std::string::npos;
    if (const auto* list = std::get_if<Value::List>(&value.data))
        return std::ranges::any_of(*list, is_filled_in_later);
    if (const auto* map = std::get_if<Value::Map>(&value.data))
        return std::ranges::any_of(*map, [](const auto& entry) {
            return entry.first.find("${") != std::string::npos ||
                   is_filled_in_later(entry.second);
        });
    return false;
}

/// All of it where nothing is filled in later; else what is certain now.
Result<void> judge(const Driver& driver, const Task& task) {
    Value::Map certain = task.config;
    std::erase_if(certain, [](const auto& entry) { return is_filled_in_later(entry.second); });
    if (certain.size() == task.config.size()) {
        TaskContext about;
        about.task = task.name;
        about.task_dir = "/";
        about.logs = task.logs;
        about.resources = task.resources;
        TRY(driver.spec(task.config, about));
        return {};
    }
    std::vector<Option> decided;
    for (const Option& option : driver.options()) {
        const std::string name(option.name);
        if (certain.contains(name) || !task.config.contains(name)) decided.push_back(option);
    }
    TRY(judge_names(driver.name(), task.config, driver.options()));
    return judge_config(driver.name(), certain, decided);
}

void judge_task(const Task& task, const std::string& path, std::vector<Diagnostic>& out) {
    const Driver* driver = known_driver(task.driver);
    if (driver == nullptr)
        out.push_back({.message = "driver \"" + task.driver +
                                  "\" is not known to this version; no peer may have it",
                       .hint = "this version has " + known_drivers(),
                       .severity = Diagnostic::Severity::warning,
                       .path = path + ".driver"});
    else if (const Result<void> right = judge(*driver, task); !right.ok())
        out.push_back({.message = right.error().detail, .path = path + ".config"});
    for (std::size_t at = 0; at < task.templates.size(); ++at) {
        const Template& one = task.templates[at];
        if (!one.source.empty()) continue;  // it is read where the task runs
        const auto parsed =
            setup::TextTemplate::parse(one.data, {one.left_delimiter, one.right_delimiter});
        if (!parsed.ok())
            out.push_back({.message = "template of destination \"" + one.destination +
                                      "\": " + parsed.error().detail,
                           .path = path + ".template." + std::to_string(at)});
    }
}

}  // namespace

std::vector<Diagnostic> objections_to(const Job& job) {
    std::vector<Diagnostic> out;
    for (const TaskGroup& group : job.groups)
        for (const Task& task : group.tasks)
            judge_task(task, "job.group." + group.name + ".task." + task.name, out);
    return out;
}

}  // namespace gaggle::allocrunner
