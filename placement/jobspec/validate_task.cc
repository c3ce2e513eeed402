// Rules for a task.
#include <algorithm>

#include "placement/jobspec/signals.h"
#include "placement/jobspec/task_name.h"
#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

std::size_t nesting(const Value& value) {
    std::size_t below = 0;
    if (const auto* list = std::get_if<Value::List>(&value.data)) {
        for (const Value& item : *list) below = std::max(below, nesting(item));
        return below + 1;
    }
    if (const auto* map = std::get_if<Value::Map>(&value.data)) {
        for (const auto& [key, item] : *map) below = std::max(below, nesting(item));
        return below + 1;
    }
    return 0;
}

/// A task's name is a directory in the allocation and the beginning of its log files.
void validate_name(const std::string& name, const std::string& path, Findings& out) {
    out.check(!name.empty(), path, "a task has no name", "write `task \"name\" { ... }`");
    out.check(name.size() <= kNameBytesMax, path,
              "the task's name is longer than " + std::to_string(kNameBytesMax) + " bytes");
    const bool control = std::any_of(name.begin(), name.end(),
                                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    out.check(!control && name.find('/') == std::string::npos, path,
              "the task's name has a slash or a control character in it");
    out.check(!is_taken_task_name(name), path,
              "\"" + name + "\" cannot be a task's name: the allocation's own files have it",
              "rename the task, such as \"" + name + "-task\"");
}

void validate_resources(const Resources& resources, const std::string& path, Findings& out) {
    const auto range = [&](std::int64_t value, std::int64_t least, const char* name,
                           const char* unit) {
        out.check(value >= least && value <= kAmountMax, path + "." + name,
                  std::string(name) + " " + std::to_string(value) + " is not within " +
                      std::to_string(least) + " to " + std::to_string(kAmountMax) + " " + unit);
    };
    if (resources.cores == 0) range(resources.cpu.value, 1, "cpu", "MHz");
    range(resources.cores, 0, "cores", "cores");
    out.check(resources.cores == 0 || resources.cpu.value == 0, path,
              "a task asks for `cpu` or for `cores`, not for both", "leave one of them out");
    range(resources.secrets.value, 0, "secrets", "MB");
    range(resources.memory.value, 10, "memory", "MB");
    const std::int64_t most = resources.memory_max.value;
    out.check(most == 0 || most == -1 || (most >= resources.memory.value && most <= kAmountMax),
              path + ".memory_max", "memory_max " + std::to_string(most) + " is below memory",
              "-1 means no limit");
}

}  // namespace

void validate_task(const Task& task, const TaskGroup& group, const std::string& path,
                   Findings& out) {
    validate_name(task.name, path, out);
    out.check(!task.driver.empty(), path, "task \"" + task.name + "\" has no driver",
              "such as driver = \"raw_exec\"");
    for (const auto& [key, item] : task.config)
        out.check(nesting(item) < kConfigNestingMax, path + ".config",
                  "`" + key + "` in config is nested deeper than " +
                      std::to_string(kConfigNestingMax) + " levels");
    for (const auto& [name, unused] : task.env)
        out.check(!name.empty() && name.find_first_of(std::string("=\0", 2)) == std::string::npos,
                  path + ".env", "\"" + name + "\" is no name for an environment variable");
    validate_resources(task.resources, path + ".resources", out);
    out.check(task.logs.files_max >= 1 && task.logs.files_max <= kAmountMax,
              path + ".logs.max_files", "max_files of `logs` is below 1");
    out.check(task.logs.file_size.value >= 1 && task.logs.file_size.value <= kAmountMax,
              path + ".logs.max_file_size", "max_file_size of `logs` is below 1 MB");
    if (task.restart != group.restart) validate_restart(task.restart, path + ".restart", out);
    validate_constraints(task.constraints, Level::task, path, out);
    validate_affinities(task.affinities, path, out);
    validate_services(task.services, group, task.name, path, out);
    validate_setup(task, path, out);
    out.check(task.kill_timeout >= 0s, path + ".kill_timeout", "kill_timeout is negative");
    out.check(task.shutdown_delay >= 0s, path + ".shutdown_delay", "shutdown_delay is negative");
    out.check(task.kill_signal.empty() || signal_number(task.kill_signal).has_value(),
              path + ".kill_signal", "unknown signal \"" + task.kill_signal + "\"",
              did_you_mean(task.kill_signal, signal_names()));
}

}  // namespace gaggle
