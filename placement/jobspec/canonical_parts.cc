#include "placement/jobspec/canonical_parts.h"

#include <algorithm>

namespace gaggle {

namespace {

void replace_all(std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

/// What a check leaves at its default, its service decides.
void lay_under(const CheckRestart& service, std::optional<CheckRestart>& check) {
    if (!check) check = CheckRestart{};
    if (check->limit == 0) check->limit = service.limit;
    if (check->grace == CheckRestart{}.grace) check->grace = service.grace;
    if (!check->ignore_warnings) check->ignore_warnings = service.ignore_warnings;
}

void fill(ServiceCheck& check, const Service& service, const Owner& owner) {
    default_to(check.name, "service: \"" + service.name + "\" check");
    if (check.type == "script") default_to(check.task, service.task);
    if (check.type == "script") default_to(check.task, owner.task);
    if (service.check_restart) lay_under(*service.check_restart, check.check_restart);
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

void fill(Artifact& artifact) {
    if (!artifact.destination.empty()) return;
    artifact.destination = "local/";
    if (artifact.mode == Artifact::Mode::file)
        artifact.destination += artifact.source.substr(artifact.source.find_last_of('/') + 1);
}

void fill(Template& one) {
    one.change_signal = upper(one.change_signal);
    default_to(one.perms, "0644");
    default_to(one.left_delimiter, "{{");
    default_to(one.right_delimiter, "}}");
    if (one.uid && *one.uid < 0) one.uid.reset();  // Nomad's -1 for "as it comes"
    if (one.gid && *one.gid < 0) one.gid.reset();
    if (one.wait && one.wait->max == 0s) one.wait->max = 4 * one.wait->min;
}

}  // namespace

void fill_services(std::vector<Service>& services, const Owner& owner) {
    std::string base = owner.job.name + "-" + owner.group;
    if (!owner.task.empty()) base += "-" + owner.task;
    for (Service& service : services) {
        default_to(service.name, base);
        replace_all(service.name, "${BASE}", base);
        replace_all(service.name, "${JOB}", owner.job.name);
        replace_all(service.name, "${TASKGROUP}", owner.group);
        replace_all(service.name, "${TASK}", owner.task);
        default_to(service.provider, "nomad");
        default_to(service.address_mode, "auto");
        for (ServiceCheck& check : service.checks) fill(check, service, owner);
    }
}

void fill_setup(Task& task) {
    if (task.lifecycle == Lifecycle{}) task.lifecycle.reset();
    for (Artifact& artifact : task.artifacts) fill(artifact);
    for (Template& one : task.templates) fill(one);
}

}  // namespace gaggle
