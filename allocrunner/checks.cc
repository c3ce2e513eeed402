#include "allocrunner/checks.h"

#include <algorithm>
#include <tuple>

#include "allocrunner/services.h"
#include "allocrunner/task_env.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kIntervalMin = 1s;  // as Nomad's validation has it
constexpr Duration kTimeoutMin = 1s;
constexpr std::size_t kOutputMax = 512;

std::string name_of(const Service& service, const ServiceCheck& check) {
    return check.name.empty() ? "service: \"" + service.name + "\" check" : check.name;
}

std::map<std::string, std::vector<std::string>> interpolated(
    const std::map<std::string, std::vector<std::string>>& header, const Names& names) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& [name, values] : header)
        for (const std::string& value : values) out[name].push_back(interpolate(value, names));
    return out;
}

}  // namespace

Checks::Checks(const Host& host, const Order& order, const std::optional<AllocNetwork>& network) {
    const auto names_for = [&](const Task& task) {
        const TaskDirs dirs = task_dirs(host, order.alloc, task.name);
        return interpolation_names(host, task_environment(host, order, task, dirs, network));
    };
    for (const Service& service : order.group.services)
        add(host, order, "", service, names_for(Task{}), network);
    for (const Task& task : order.group.tasks)
        for (const Service& service : task.services)
            add(host, order, task.name, service, names_for(task), network);
}

void Checks::add(const Host& host, const Order& order, const std::string& task,
                 const Service& service, const Names& names,
                 const std::optional<AllocNetwork>& network) {
    const std::string inside = network ? network->status.ip : "";
    for (const ServiceCheck& check : service.checks) {
        Probe probe;
        probe.health.service = interpolate(service.name, names);
        probe.health.check = interpolate(name_of(service, check), names);
        probe.health.task = task;
        probe.health.status = status_at_first(check);
        probe.interval = std::max(check.interval, kIntervalMin);
        probe.verdict = CheckVerdict(check);
        probe.patience = CheckPatience(check);
        probe.restarts = !task.empty() ? task : !check.task.empty() ? check.task : service.task;
        const std::string label =
            interpolate(check.port.empty() ? service.port : check.port, names);
        const ServiceAddress target =
            service_address(host, order, inside, service.address_mode, label);
        probe.work = {.alloc = order.alloc,
                      .check = 0,
                      .type = check.type,
                      .host = target.host,
                      .port = target.port,
                      .path = interpolate(check.path, names),
                      .method = check.method,
                      .header = interpolated(check.header, names),
                      .body = interpolate(check.body, names),
                      .timeout = std::max(check.timeout, kTimeoutMin)};
        if (const auto why = aim(probe, order, service, check, names)) {
            probe.broken = true;
            probe.health.status = CheckStatus::failure;
            probe.health.output = *why;
        }
        probes_.push_back(std::move(probe));
    }
}

/// Why it can never be asked.
std::optional<std::string> Checks::aim(Probe& probe, const Order& order, const Service& service,
                                       const ServiceCheck& check, const Names& names) {
    if (check.type == "script") {
        const std::string& in = check.task.empty() ? probe.restarts : check.task;
        const auto task = std::find_if(order.group.tasks.begin(), order.group.tasks.end(),
                                       [&](const Task& one) { return one.name == in; });
        if (task == order.group.tasks.end())
            return "task \"" + in + "\", in which the check is to run, is none of this group's";
        CheckScript script{.task = in, .argv = {interpolate(check.command, names)}};
        for (const std::string& arg : check.args) script.argv.push_back(interpolate(arg, names));
        probe.work.script = std::move(script);
        return std::nullopt;
    }
    if (check.type == "http" && check.protocol == "https")
        probe.work.tls = CheckTls{.server_name = interpolate(check.tls_server_name, names),
                                  .skip_verify = check.tls_skip_verify};
    if (probe.work.port != 0) return std::nullopt;
    const std::string& label = check.port.empty() ? service.port : check.port;
    return "port \"" + label + "\" is neither a label of this group's network nor a number";
}

std::vector<CheckHealth> Checks::initial() const {
    std::vector<CheckHealth> out;
    for (const Probe& probe : probes_) out.push_back(probe.health);
    return out;
}

bool Checks::ask_the_same(const Probe& one, const Probe& other) {
    // Not the interval and the timeout: an answer is as true when it was asked for in other terms.
    const auto asked = [](const Probe& probe) {
        const CheckHealth& who = probe.health;
        const RunCheck& what = probe.work;
        return std::tie(who.service, who.check, who.task, what.type, what.host, what.port,
                        what.path, what.method, what.header, what.body, what.tls, what.script);
    };
    return asked(one) == asked(other);
}

std::vector<CheckHealth> Checks::succeed(const Checks& before,
                                         const std::vector<CheckHealth>& health) {
    std::vector<CheckHealth> out = initial();
    std::vector<bool> taken(before.probes_.size(), false);
    for (std::size_t at = 0; at < probes_.size(); ++at) {
        for (std::size_t old = 0; old < before.probes_.size(); ++old) {
            const Probe& was = before.probes_[old];
            if (taken[old] || !ask_the_same(probes_[at], was)) continue;
            taken[old] = true;
            probes_[at].next = was.next;
            probes_[at].out = was.out;
            probes_[at].active = was.active;
            probes_[at].verdict.go_on_from(was.verdict);
            probes_[at].patience.go_on_from(was.patience);
            out[at] = health[old];
            break;
        }
    }
    last_id_ = before.last_id_;  // a late answer to the old ones must not be taken for a new one's
    return out;
}

bool Checks::advance(Context& context, const std::function<bool(const std::string&)>& serves,
                     std::vector<CheckHealth>& health) {
    bool changed = false;
    for (std::size_t at = 0; at < probes_.size(); ++at) {
        Probe& probe = probes_[at];
        const bool was_active = std::exchange(probe.active, serves(probe.health.task));
        if (!probe.active) {
            if (!was_active) continue;
            probe.out.reset();
            probe.verdict.forget();
            changed = changed || health[at] != probe.health;
            health[at] = probe.health;
            continue;
        }
        if (probe.broken) continue;
        if (!was_active) {
            probe.next = context.now;
            probe.patience.begin(context.now);
        }
        if (probe.out || context.now < probe.next) continue;
        probe.work.check = ++last_id_;
        probe.out = last_id_;
        probe.next = context.now + probe.interval;
        context.out.work.emplace_back(probe.work);
    }
    return changed;
}

CheckOutcome Checks::on_done(Context& context, const CheckDone& done,
                             std::vector<CheckHealth>& health) {
    const auto probe = std::find_if(probes_.begin(), probes_.end(),
                                    [&](const Probe& one) { return one.out == done.check; });
    if (probe == probes_.end()) return {};
    probe->out.reset();
    CheckOutcome outcome;
    CheckHealth& now = health[static_cast<std::size_t>(probe - probes_.begin())];
    if (probe->patience.heard(context.now, done.ok, done.warning))
        outcome.restart = CheckRestartWanted{probe->restarts, probe->health.check};
    const auto status = probe->verdict.heard(done.ok);
    if (!status) return outcome;
    // Alone these are no news: they go with the next.
    now.output = done.output.substr(0, kOutputMax);
    now.code = done.code;
    now.heard = context.wall;
    if (now.status == *status) return outcome;
    now.status = *status;
    now.since = context.wall;
    outcome.changed = true;
    return outcome;
}

std::optional<TimePoint> Checks::next_wakeup() const {
    std::optional<TimePoint> first;
    for (const Probe& probe : probes_) {
        const bool waits = probe.active && !probe.out && !probe.broken;
        if (waits && (!first || probe.next < *first)) first = probe.next;
    }
    return first;
}

}  // namespace gaggle::allocrunner
