// Rules for a group's network and for services.
#include <algorithm>
#include <charconv>
#include <set>

#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_interpolated(const std::string& text) { return text.find("${") != std::string::npos; }

bool is_port_number(const std::string& text) {
    int number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && number > 0 &&
           number < 65536;
}

/// A label of the group's network, a number, or something that is known only at run time.
void validate_port(const std::string& port, const TaskGroup& group, const std::string& path,
                   Findings& out) {
    if (port.empty() || is_port_number(port) || is_interpolated(port)) return;
    std::vector<std::string> labels;
    for (const Network& network : group.networks)
        for (const Port& one : network.ports) labels.push_back(one.label);
    if (is_one_of(labels, port)) return;
    const std::string hint = did_you_mean(port, labels);
    out.error(path + ".port", "port \"" + port + "\" is not in the group's network",
              hint.empty() ? "add `port \"" + port + "\" {}` to the group's `network`" : hint);
}

bool is_service_name(const std::string& name) {
    return !name.empty() && name.size() <= 63 && is_letter(name.front()) &&
           is_letter(name.back()) &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || c == '-'; });
}

/// Labels of 1 to 63 letters, digits, `-` and `_`, with dots between them; 253 bytes at most.
bool is_host_name(const std::string& name) {
    std::size_t label = 0;
    for (const char c : name) {
        if (c == '.' && label == 0) return false;
        label = c == '.' ? 0 : label + 1;
        if (c != '.' && !is_letter(c) && c != '-' && c != '_') return false;
        if (label > 63) return false;
    }
    return label > 0 && name.size() <= 253;
}

void validate_task_name(const std::string& task, const TaskGroup& group, const std::string& path,
                        Findings& out) {
    std::vector<std::string> names;
    for (const Task& one : group.tasks) names.push_back(one.name);
    if (!is_one_of(names, task))
        out.error(path + ".task", "task \"" + task + "\" is not in the group",
                  did_you_mean(task, names));
}

void validate_check_restart(const CheckRestart& restart, const std::string& path, Findings& out) {
    out.check(restart.limit >= 0, path + ".limit", "limit of `check_restart` is negative");
    out.check(restart.grace >= 0s, path + ".grace", "grace of `check_restart` is negative");
}

void validate_script(const ServiceCheck& check, const TaskGroup& group, const std::string& path,
                     Findings& out) {
    out.check(!check.command.empty(), path + ".command", "a script check needs a `command`");
    if (check.task.empty())
        out.error(path, "a script check needs a `task` to run in",
                  "give `task` in the check or in its service");
    else
        validate_task_name(check.task, group, path, out);
}

/// What goes over the network: tcp and http.
void validate_probe(const ServiceCheck& check, const Service& service, const TaskGroup& group,
                    const std::string& path, Findings& out) {
    out.check(check.type != "http" || check.path.starts_with("/"), path + ".path",
              "a check over http needs a `path` that begins with /");
    const std::vector<std::string> protocols{"", "http", "https"};
    out.check(is_one_of(protocols, check.protocol), path + ".protocol",
              "unknown protocol \"" + check.protocol + "\" of a check",
              "use \"http\" or \"https\"");
    out.check(!check.port.empty() || !service.port.empty(), path, "a check needs a port",
              "give `port` in the check or in its service");
    validate_port(check.port, group, path, out);
    out.check(check.task.empty(), path + ".task", "only script checks run in a `task`");
}

void validate_check(const ServiceCheck& check, const Service& service, const TaskGroup& group,
                    const std::string& path, Findings& out) {
    const std::vector<std::string> types{"tcp", "http", "script"};
    if (!is_one_of(types, check.type))
        out.error(path + ".type", "unknown type of check \"" + check.type + "\"",
                  "tcp, http and script are run here");
    else if (check.type == "script")
        validate_script(check, group, path, out);
    else
        validate_probe(check, service, group, path, out);
    out.check(check.interval >= 1s, path + ".interval", "interval of a check is shorter than 1s");
    out.check(check.timeout >= 1s, path + ".timeout", "timeout of a check is shorter than 1s");
    const std::vector<std::string> statuses{"", "passing", "warning", "critical"};
    out.check(is_one_of(statuses, check.initial_status), path + ".initial_status",
              "unknown initial_status \"" + check.initial_status + "\"",
              did_you_mean(check.initial_status, statuses));
    const auto count = [&](std::int64_t number, const char* name) {
        out.check(number >= 0 && number <= kAmountMax, path + "." + name,
                  std::string(name) + " " + std::to_string(number) + " is not within 0 to " +
                      std::to_string(kAmountMax));
    };
    count(check.success_before_passing, "success_before_passing");
    count(check.failures_before_critical, "failures_before_critical");
    if (check.check_restart)
        validate_check_restart(*check.check_restart, path + ".check_restart", out);
}

void validate_service(const Service& service, const TaskGroup& group, const std::string& task,
                      const std::string& at, Findings& out) {
    out.check(is_interpolated(service.name) || is_service_name(service.name), at + ".name",
              "\"" + service.name + "\" is no name for a service",
              "1 to 63 letters, digits and `-`, with no `-` at either end");
    out.check(service.provider == "nomad", at + ".provider",
              "provider \"" + service.provider +
                  "\" is Nomad's, but this version of Gaggle does not run it yet",
              "use \"nomad\", or leave it out");
    const std::vector<std::string> modes{"auto", "host", "alloc"};
    out.check(is_one_of(modes, service.address_mode), at + ".address_mode",
              "address_mode \"" + service.address_mode + "\" is not run by this version of Gaggle",
              "use \"auto\", \"host\" or \"alloc\"");
    out.check(service.address.empty() || service.address_mode == "auto", at + ".address",
              "`address` goes only with address_mode \"auto\"");
    if (!service.task.empty() && task.empty()) validate_task_name(service.task, group, at, out);
    out.check(service.task.empty() || task.empty() || service.task == task, at + ".task",
              "the service stands in task \"" + task + "\", so its `task` is no other");
    if (service.check_restart)
        validate_check_restart(*service.check_restart, at + ".check_restart", out);
    validate_port(service.port, group, at, out);
}

void validate_mode(const std::string& mode, const std::string& at, Findings& out) {
    const std::vector<std::string> modes{"host", "bridge", "none"};
    const std::string hint = "use \"host\", \"bridge\", \"none\" or \"cni/<name>\"";
    if (!mode.starts_with(kCniMode))
        return out.check(is_one_of(modes, mode), at, "unknown network mode \"" + mode + "\"", hint);
    const std::string name = mode.substr(kCniMode.size());
    out.check(!name.empty() && name.find('/') == std::string::npos, at,
              "network mode \"" + mode + "\" names no CNI configuration", hint);
}

}  // namespace

void validate_services(const std::vector<Service>& services, const TaskGroup& group,
                       const std::string& task, const std::string& path, Findings& out) {
    for (std::size_t i = 0; i < services.size(); ++i) {
        const Service& service = services[i];
        const std::string at = path + ".service." + std::to_string(i);
        validate_service(service, group, task, at, out);
        for (std::size_t c = 0; c < service.checks.size(); ++c)
            validate_check(service.checks[c], service, group, at + ".check." + std::to_string(c),
                           out);
    }
}

void validate_listing(const TaskGroup& group, const std::string& path, Findings& out) {
    constexpr std::size_t kEach = 64;  // what an instance takes besides its texts
    std::size_t bytes = 0;
    const auto add = [&](const std::vector<Service>& services) {
        for (const Service& service : services) {
            bytes += service.name.size() + service.port.size() + service.address.size() + kEach;
            for (const std::string& tag : service.tags) bytes += tag.size();
        }
    };
    add(group.services);
    for (const Task& task : group.tasks) add(task.services);
    out.check(bytes <= kListingBytesMax, path + ".service",
              "the services of the group take " + std::to_string(bytes) +
                  " bytes with their names and tags, " + std::to_string(kListingBytesMax) +
                  " at most",
              "give fewer or shorter tags");
}

void validate_networks(const std::vector<Network>& networks, const std::string& path,
                       Findings& out) {
    out.check(networks.size() <= 1, path + ".network.1", "a group has one network at most");
    std::set<std::string> labels;
    std::set<std::int64_t> taken;
    for (std::size_t i = 0; i < networks.size(); ++i) {
        const std::string at = path + ".network." + std::to_string(i);
        const std::string& hostname = networks[i].hostname;
        validate_mode(networks[i].mode, at + ".mode", out);
        out.check(hostname.empty() || is_interpolated(hostname) || is_host_name(hostname),
                  at + ".hostname", "\"" + hostname + "\" is no name for a host",
                  "letters, digits and `-`, with dots between");
        for (const Port& port : networks[i].ports) {
            const std::string where = at + ".port." + port.label;
            out.check(!port.label.empty(), where, "a port has no label");
            out.check(labels.insert(port.label).second, where,
                      "port \"" + port.label + "\" is there twice");
            out.check(port.fixed >= 0 && port.fixed <= 65535, where + ".static",
                      "static port " + std::to_string(port.fixed) + " is not within 1 to 65535");
            out.check(port.to >= -1 && port.to <= 65535, where + ".to",
                      "`to` of a port is not within -1 to 65535: " + std::to_string(port.to));
            out.check(
                port.fixed == 0 || taken.insert(port.fixed).second, where + ".static",
                "static port " + std::to_string(port.fixed) + " is asked for twice in this group");
            out.check(port.host_network == "default", where + ".host_network",
                      "host_network \"" + port.host_network +
                          "\" is not there: this version of Gaggle has only \"default\"");
        }
    }
}

}  // namespace gaggle
