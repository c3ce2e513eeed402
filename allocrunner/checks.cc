#include "allocrunner/checks.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "allocrunner/task_env.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kIntervalMin = 1s;  // as Nomad's validation has it
constexpr Duration kTimeoutMin = 1s;
constexpr std::size_t kOutputMax = 512;

/// The port on the host that a label or a number in digits means; 0 when neither does.
std::uint16_t port_of(const Order& order, const std::string& label) {
    for (const AssignedPort& port : order.ports)
        if (port.label == label) return port.value;
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
    const bool all_digits = error == std::errc() && end == label.data() + label.size();
    return all_digits ? number : 0;
}

std::string name_of(const Service& service, const ServiceCheck& check) {
    return check.name.empty() ? "service: \"" + service.name + "\" check" : check.name;
}

}  // namespace

Checks::Checks(const Host& host, const Order& order) {
    const auto names_for = [&](const Task& task) {
        const TaskDirs dirs = task_dirs(host, order.alloc, task.name);
        return interpolation_names(host, task_environment(host, order, task, dirs));
    };
    for (const Service& service : order.group.services)
        add(host, order, "", service, names_for(Task{}));
    for (const Task& task : order.group.tasks)
        for (const Service& service : task.services)
            add(host, order, task.name, service, names_for(task));
}

void Checks::add(const Host& host, const Order& order, const std::string& task,
                 const Service& service, const Names& names) {
    for (const ServiceCheck& check : service.checks) {
        Probe probe;
        probe.health.service = interpolate(service.name, names);
        probe.health.check = interpolate(name_of(service, check), names);
        probe.health.task = task;
        probe.interval = std::max(check.interval, kIntervalMin);
        const std::string& label = check.port.empty() ? service.port : check.port;
        probe.work = {.alloc = order.alloc,
                      .check = 0,
                      .type = check.type,
                      .host = host.ip,
                      .port = port_of(order, interpolate(label, names)),
                      .path = interpolate(check.path, names),
                      .method = check.method,
                      .timeout = std::max(check.timeout, kTimeoutMin)};
        if (probe.work.port == 0) {
            probe.health.status = CheckStatus::failure;
            probe.health.output =
                "port \"" + label + "\" is neither a label of this group's network nor a number";
        }
        probes_.push_back(std::move(probe));
    }
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
                        what.path, what.method);
    };
    return asked(one) == asked(other);
}

std::vector<CheckHealth> Checks::succeed(const Checks& before,
                                         const std::vector<CheckHealth>& health) {
    std::vector<CheckHealth> out = initial();
    std::vector<bool> taken(before.probes_.size(), false);
    for (std::size_t at = 0; at < probes_.size(); ++at) {
        for (std::size_t old = 0; old < before.probes_.size(); ++old) {
            if (taken[old] || !ask_the_same(probes_[at], before.probes_[old])) continue;
            taken[old] = true;
            probes_[at].next = before.probes_[old].next;
            probes_[at].out = before.probes_[old].out;
            out[at] = health[old];
            break;
        }
    }
    active_ = before.active_;
    last_id_ = before.last_id_;  // a late answer to the old ones must not be taken for a new one's
    return out;
}

bool Checks::advance(Context& context, bool all_running, std::vector<CheckHealth>& health) {
    if (!all_running) {
        const bool was_active = std::exchange(active_, false);
        for (Probe& probe : probes_) probe.out.reset();
        if (was_active) health = initial();
        return was_active;
    }
    for (Probe& probe : probes_) {
        if (probe.work.port == 0) continue;
        if (!active_) probe.next = context.now;
        if (probe.out || context.now < probe.next) continue;
        probe.work.check = ++last_id_;
        probe.out = last_id_;
        probe.next = context.now + probe.interval;
        context.out.work.emplace_back(probe.work);
    }
    active_ = true;
    return false;
}

bool Checks::on_done(Context& context, const CheckDone& done, std::vector<CheckHealth>& health) {
    const auto probe = std::find_if(probes_.begin(), probes_.end(),
                                    [&](const Probe& one) { return one.out == done.check; });
    if (probe == probes_.end()) return false;
    probe->out.reset();
    CheckHealth& now = health[static_cast<std::size_t>(probe - probes_.begin())];
    const CheckStatus status = done.ok ? CheckStatus::success : CheckStatus::failure;
    if (now.status == status) return false;
    now.status = status;
    now.output = done.output.substr(0, kOutputMax);
    now.since = context.wall;
    return true;
}

std::optional<TimePoint> Checks::next_wakeup() const {
    std::optional<TimePoint> first;
    if (!active_) return first;
    for (const Probe& probe : probes_)
        if (!probe.out && probe.work.port != 0 && (!first || probe.next < *first))
            first = probe.next;
    return first;
}

Healthiness::Healthiness(const TaskGroup& group, TimePoint made) {
    const UpdateStrategy update = group.update.value_or(UpdateStrategy{});
    min_healthy_time_ = update.min_healthy_time;
    deadline_ = made + update.healthy_deadline;
}

std::optional<bool> Healthiness::judge(TimePoint now, bool well, bool failed) {
    if (!well) {
        well_since_.reset();
    } else if (!well_since_) {
        well_since_ = now;
    }
    if (verdict_) return verdict_;  // Nomad's is given once
    if (failed || (!well && now >= deadline_)) verdict_ = false;
    if (well_since_ && now >= *well_since_ + min_healthy_time_) verdict_ = true;
    return verdict_;
}

std::optional<TimePoint> Healthiness::next_wakeup() const {
    if (verdict_) return std::nullopt;
    return well_since_ ? *well_since_ + min_healthy_time_ : deadline_;
}

}  // namespace gaggle::allocrunner
