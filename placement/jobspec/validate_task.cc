// Rules for a task and for services.
#include <algorithm>
#include <charconv>

#include "placement/jobspec/signals.h"
#include "placement/jobspec/task_name.h"
#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

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
    range(resources.cpu.value, 1, "cpu", "MHz");
    range(resources.memory.value, 10, "memory", "MB");
    const std::int64_t most = resources.memory_max.value;
    out.check(most == 0 || most == -1 || (most >= resources.memory.value && most <= kAmountMax),
              path + ".memory_max", "memory_max " + std::to_string(most) + " is below memory",
              "-1 means no limit");
    out.check(resources.cores == 0, path + ".cores",
              "`cores` is Nomad's, but this version of Gaggle does not run it yet",
              "ask for `cpu` in MHz");
}

bool is_port_number(const std::string& text) {
    int number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && number > 0 &&
           number < 65536;
}

/// A label of the group's network, a number, or something that is known only at run time.
void validate_port(const std::string& port, const TaskGroup& group, const std::string& path,
                   Findings& out) {
    if (port.empty() || is_port_number(port) || port.find("${") != std::string::npos) return;
    std::vector<std::string> labels;
    for (const Network& network : group.networks)
        for (const Port& one : network.ports) labels.push_back(one.label);
    if (is_one_of(labels, port)) return;
    const std::string hint = did_you_mean(port, labels);
    out.error(path + ".port", "port \"" + port + "\" is not in the group's network",
              hint.empty() ? "add `port \"" + port + "\" {}` to the group's `network`" : hint);
}

bool is_service_name(const std::string& name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= 63 && letter(name.front()) && letter(name.back()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || c == '-'; });
}

void validate_check(const ServiceCheck& check, const Service& service, const TaskGroup& group,
                    const std::string& path, Findings& out) {
    const std::vector<std::string> types{"tcp", "http"};
    out.check(is_one_of(types, check.type), path + ".type",
              "unknown type of check \"" + check.type + "\"", "tcp and http are run here");
    out.check(check.interval >= 1s, path + ".interval", "interval of a check is shorter than 1s");
    out.check(check.timeout >= 1s, path + ".timeout", "timeout of a check is shorter than 1s");
    out.check(check.type != "http" || check.path.starts_with("/"), path + ".path",
              "a check over http needs a `path` that begins with /");
    const std::vector<std::string> protocols{"", "http"};
    out.check(is_one_of(protocols, check.protocol), path + ".protocol",
              "protocol \"" + check.protocol + "\" is not run by this version of Gaggle",
              "use \"http\"");
    out.check(!check.port.empty() || !service.port.empty(), path, "a check needs a port",
              "give `port` in the check or in its service");
    validate_port(check.port, group, path, out);
}

}  // namespace

void validate_services(const std::vector<Service>& services, const TaskGroup& group,
                       const std::string& path, Findings& out) {
    for (std::size_t i = 0; i < services.size(); ++i) {
        const Service& service = services[i];
        const std::string at = path + ".service." + std::to_string(i);
        out.check(service.name.find("${") != std::string::npos || is_service_name(service.name),
                  at + ".name", "\"" + service.name + "\" is no name for a service",
                  "1 to 63 letters, digits and `-`, with no `-` at either end");
        out.check(service.provider == "nomad", at + ".provider",
                  "provider \"" + service.provider +
                      "\" is Nomad's, but this version of Gaggle does not run it yet",
                  "use \"nomad\", or leave it out");
        out.check(
            service.address_mode == "auto" || service.address_mode == "host", at + ".address_mode",
            "address_mode \"" + service.address_mode + "\" is not run by this version of Gaggle",
            "use \"auto\" or \"host\"");
        validate_port(service.port, group, at, out);
        for (std::size_t c = 0; c < service.checks.size(); ++c)
            validate_check(service.checks[c], service, group, at + ".check." + std::to_string(c),
                           out);
    }
}

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
    validate_services(task.services, group, path, out);
    out.check(task.kill_timeout >= 0s, path + ".kill_timeout", "kill_timeout is negative");
    out.check(task.shutdown_delay >= 0s, path + ".shutdown_delay", "shutdown_delay is negative");
    out.check(signal_number(task.kill_signal).has_value(), path + ".kill_signal",
              "unknown signal \"" + task.kill_signal + "\"",
              did_you_mean(task.kill_signal, signal_names()));
}

}  // namespace gaggle
