#include "allocrunner/runner.h"

#include <algorithm>

#include "base/log.h"

namespace gaggle::allocrunner {

Runner::Runner(Host host, Config config, Rng rng)
    : host_(std::move(host)), config_(config), rng_(rng) {}

Effects Runner::step(TimePoint now, const Input& input) {
    INVARIANT(now >= last_);
    last_ = now;
    Effects out;
    Context context{now, input.wall, host_, rng_, out};
    touched_.clear();
    std::visit([&](const auto& what) { on(context, what); }, input.what);
    settle(context);
    collect(context);
    return out;
}

void Runner::bring_up_to_date() {
    for (const AllocId& id : touched_) {
        const auto found = allocs_.find(id);
        if (found == allocs_.end()) continue;
        const Alloc& alloc = found->second;
        const Restore& restore = alloc.order().restore;
        AllocIndex::Standing standing{.due = alloc.next_wakeup(),
                                      .finished = {},
                                      .awaits = {},
                                      .waiting = alloc.wants_prepare(),
                                      .live = !alloc.over()};
        if (alloc.over() && alloc.forgotten()) standing.finished = alloc.over_since();
        if (alloc.restoring() && restore.kind == Restore::Kind::from_alloc)
            standing.awaits = restore.previous;
        index_.update(id, standing);
    }
}

void Runner::settle(Context& context) {
    // What ends lets another begin that takes over its state; a chain is as long as there are
    // allocations, and each round ends at least one.
    bool one_ended = true;
    for (std::set<AllocId> round = touched_; one_ended; round = touched_) {
        one_ended = false;
        release_waiting(context);
        for (const AllocId& id : round) {
            Alloc* alloc = find(id);
            if (alloc == nullptr || alloc->over()) continue;
            alloc->settle(context);
            one_ended = one_ended || alloc->over();
        }
    }
    for (const AllocId& id : touched_)
        if (Alloc* alloc = find(id)) alloc->report(context);
    bring_up_to_date();
    for (auto& [id, stray] : strays_) see_off(context, stray);
}

void Runner::touch_all() {
    for (const auto& [id, alloc] : allocs_) touched_.insert(id);
}

Alloc* Runner::find(const AllocId& alloc) {
    const auto found = allocs_.find(alloc);
    if (found == allocs_.end()) return nullptr;
    touched_.insert(alloc);
    return &found->second;
}

void Runner::on(Context& context, const Tick&) {
    gate_.on_tick(context);
    for (const AllocId& id : index_.due(context.now)) touched_.insert(id);
}

void Runner::on(Context& context, const Orders& input) {
    std::set<AllocId> named;
    for (const Order& order : input.orders) {
        named.insert(order.alloc);
        accept(context, order);
    }
    for (auto& [id, alloc] : allocs_)
        if (named.count(id) == 0) alloc.forget(context);
    for (const AllocId& id : gate_.held())
        if (named.count(id) == 0) gate_.forget(id);
    for (auto& [id, stray] : strays_)
        if (!stray.abandoned) stray.abandoned = context.now;
    touch_all();
}

/// A kill may get lost while the task's supervisor is not reached.
void Runner::see_off(Context& context, Stray& stray) {
    const AllocId& id = stray.found.alloc;
    if (!stray.abandoned) return;
    if (stray.at_rest()) {
        if (std::exchange(stray.tearing, true) && !stray.tear_again.take_due(context.now)) return;
        context.out.work.emplace_back(TearDown{id});
        return;
    }
    if (context.now < stray.kill_again) return;
    log::debug("allocation {}: its order is damaged and nobody names it; killed", to_string(id));
    stray.kill_again = context.now + kKillAgainAfter;
    for (const FoundTask& task : stray.found.tasks)
        if (!task.exit) context.out.work.emplace_back(KillTask{id, task.task});
}

bool Runner::Stray::at_rest() const {
    return std::all_of(found.tasks.begin(), found.tasks.end(),
                       [](const FoundTask& task) { return task.exit.has_value(); });
}

void Runner::accept(Context& context, const Order& order) {
    const auto known = allocs_.find(order.alloc);
    if (known != allocs_.end()) {
        known->second.confirm();
        return known->second.on_order(context, order);
    }
    const auto stray = strays_.find(order.alloc);
    if (stray == strays_.end()) {
        if (order.desired == Desired::run) leaving_.erase(order.alloc);  // it is made anew
        if (order.desired == Desired::run && !order.ports.empty())
            return gate_.hold(context, order);
        std::string kept_out = gate_.give_up(order.alloc);
        allocs_.emplace(order.alloc, Alloc(context, order, std::move(kept_out)));
        return;
    }
    Alloc adopted = Alloc::recovered(context, order, stray->second.found);
    adopted.confirm();
    context.out.work.emplace_back(SaveOrder{order});
    allocs_.emplace(order.alloc, std::move(adopted));
    strays_.erase(stray);
}

void Runner::on(Context&, const StartUnconfirmed&) {
    for (auto& [id, alloc] : allocs_)
        if (!is_fenced(alloc.order().group)) alloc.confirm();
    touch_all();
}

void Runner::on(Context& context, const Recovered& input) {
    for (const FoundAlloc& found : input.allocs) {
        if (found.order)
            allocs_.emplace(found.alloc, Alloc::recovered(context, *found.order, found));
        else
            strays_.emplace(found.alloc, Stray{found, {}});
    }
    touch_all();
}

void Runner::on(Context& context, const PortsProbed& input) {
    const auto passed = gate_.on(context, input);
    if (!passed) return;
    Alloc& alloc = allocs_.emplace(input.alloc, Alloc(context, passed->order)).first->second;
    touched_.insert(input.alloc);
    if (passed->note.empty()) return;
    for (const Task& task : passed->order.group.tasks)
        if (TaskLife* life = alloc.find(task.name))
            life->note(event_task_setup(context.wall, passed->note));
}

void Runner::on(Context& context, const DirReady& input) {
    if (Alloc* alloc = find(input.alloc)) alloc->on_dir_ready(context, input);
}

void Runner::on(Context&, const TaskNote& input) {
    Alloc* alloc = find(input.alloc);
    if (TaskLife* life = alloc ? alloc->find(input.task) : nullptr) life->note(input.event);
}

void Runner::on(Context&, const HostDisk& input) { host_disk_ = input; }
void Runner::on(Context&, const CollectFinished& input) { collect_now_ = input; }

void Runner::on(Context& context, const TaskSetUpDone& input) {
    Alloc* alloc = find(input.alloc);
    if (TaskLife* life = alloc ? alloc->find(input.task) : nullptr) life->on_set_up(context, input);
}

void Runner::on(Context& context, const TaskStarted& input) {
    Alloc* alloc = find(input.alloc);
    if (TaskLife* life = alloc ? alloc->find(input.task) : nullptr)
        life->on_started(context, input);
}

void Runner::on(Context& context, const TaskNotStarted& input) {
    Alloc* alloc = find(input.alloc);
    if (TaskLife* life = alloc ? alloc->find(input.task) : nullptr)
        life->on_not_started(context, input);
}

void Runner::on(Context& context, const TaskExited& input) {
    const auto stray = strays_.find(input.alloc);
    if (stray != strays_.end())
        for (FoundTask& task : stray->second.found.tasks)
            if (task.task == input.task) task.exit = input.exit;
    Alloc* alloc = find(input.alloc);
    if (TaskLife* life = alloc ? alloc->find(input.task) : nullptr) life->on_exited(context, input);
}

void Runner::on(Context& context, const TemplatesChanged& input) {
    if (Alloc* alloc = find(input.alloc)) alloc->on_templates(context, input);
}

void Runner::on(Context& context, const CheckDone& input) {
    if (Alloc* alloc = find(input.alloc)) alloc->on_check(context, input);
}

void Runner::on(Context& context, const TaskCommand& input) {
    if (Alloc* alloc = find(input.alloc)) alloc->on_command(context, input);
}

void Runner::on(Context& context, const DiskFound& input) {
    if (Alloc* alloc = find(input.alloc)) alloc->on_disk(context, input);
}

void Runner::on(Context& context, const TornDown& input) {
    const auto stray = strays_.find(input.alloc);
    if (stray != strays_.end() && input.error) stray->second.tear_again.failed(context.now);
    if (Alloc* alloc = find(input.alloc)) alloc->on_torn_down(context, input);
}

void Runner::on(Context& context, const DirRemoved& input) {
    const auto leaving = leaving_.find(input.alloc);
    if (leaving == leaving_.end()) return;
    if (input.error)
        leaving->second.again.failed(context.now);
    else
        leaving_.erase(leaving);
}

void Runner::on(Context& context, const SaveFailed& input) {
    if (Alloc* alloc = find(input.alloc)) alloc->on_save_failed(context, input);
}

void Runner::release_waiting(Context& context) {
    bring_up_to_date();
    for (const AllocId& id : index_.waiting()) {
        Alloc& alloc = allocs_.at(id);
        const Restore& restore = alloc.order().restore;
        const bool wait = alloc.restoring() && restore.kind == Restore::Kind::from_alloc &&
                          may_change(restore.previous);
        if (wait || !(alloc.confirmed() || alloc.stopping())) continue;
        alloc.prepare(context);
        touched_.insert(id);
    }
}

/// A process of it may still write to its directory.
bool Runner::may_change(const AllocId& alloc) const {
    const auto known = allocs_.find(alloc);
    if (known != allocs_.end()) return !known->second.over();
    const auto stray = strays_.find(alloc);
    return stray != strays_.end() && !stray->second.at_rest();
}

bool Runner::is_awaited(const AllocId& alloc) const {
    return gate_.awaits(alloc) || index_.is_awaited(alloc);
}

/// What no order names any more and nothing runs of, oldest first.
AllocIndex::ByTime Runner::finished() const {
    AllocIndex::ByTime out = index_.finished();
    for (const auto& [id, stray] : strays_)
        if (stray.abandoned && stray.at_rest()) out.emplace(*stray.abandoned, id);
    return out;
}

bool Runner::under_pressure() const {
    return host_disk_.used_percent > config_.disk_percent_max ||
           host_disk_.inodes_percent > config_.inodes_percent_max;
}

bool Runner::may_be_needed(TimePoint now, const AllocId& id, TimePoint since) const {
    const auto alloc = allocs_.find(id);
    const bool sticky = alloc != allocs_.end() && alloc->second.order().group.disk.sticky;
    return sticky && now - since < config_.sticky_kept_for;
}

std::string Runner::pressure() const {
    const auto over = [](const char* what, int percent, int limit) {
        return std::string(what) + std::to_string(percent) + " % full, over " +
               std::to_string(limit) + " %";
    };
    if (host_disk_.used_percent > config_.disk_percent_max)
        return over("the disk is ", host_disk_.used_percent, config_.disk_percent_max);
    return over("the disk's inodes are ", host_disk_.inodes_percent, config_.inodes_percent_max);
}

/// What did not go: a directory that nobody can remove, or something in it that is not undone.
void Runner::remove_again(Context& context, const std::optional<CollectFinished>& wanted) {
    for (auto& [id, leaving] : leaving_) {
        const bool asked = wanted && (!wanted->alloc || wanted->alloc == id);
        if (asked && leaving.again.due) leaving.again.due = context.now;
        if (leaving.again.take_due(context.now))
            context.out.work.emplace_back(RemoveDir{id, leaving.why});
    }
}

void Runner::collect(Context& context) {
    const auto now_wanted = std::exchange(collect_now_, std::nullopt);
    remove_again(context, now_wanted);
    const AllocIndex::ByTime all = finished();
    std::size_t kept = all.size();
    // A tenth at a time: what was removed shows in the disk's figures only afterwards.
    const bool pressed = under_pressure() && context.now >= pressed_after_;
    std::size_t to_press = pressed ? kept / 10 + 1 : 0;
    for (const auto& [since, id] : all) {
        const auto alloc = allocs_.find(id);
        const bool has_dir = alloc == allocs_.end() || alloc->second.has_dir();
        const bool old = context.now - since >= config_.finished_kept_for;
        const bool too_many = kept > config_.finished_kept_max;
        const bool named = now_wanted && now_wanted->alloc == id;
        const bool early = (now_wanted && !now_wanted->alloc) || to_press > 0;
        const bool goes = !has_dir || old || too_many || named ||
                          (early && !may_be_needed(context.now, id, since));
        if (!goes || is_awaited(id)) continue;
        const auto why = [&]() -> std::string {
            if (old) return "kept for " + for_people(config_.finished_kept_for);
            if (too_many)
                return "more than " + std::to_string(config_.finished_kept_max) + " were kept";
            return named || (now_wanted && !now_wanted->alloc) ? "somebody asked for it"
                                                               : pressure();
        };
        if (has_dir) context.out.work.emplace_back(RemoveDir{id, why()});
        if (has_dir) leaving_[id] = {why() + "; it did not go before", {}};
        if (to_press > 0 && --to_press == 0) pressed_after_ = context.now + config_.pressure_pause;
        allocs_.erase(id);
        index_.erase(id);
        strays_.erase(id);
        --kept;
    }
}

std::optional<TimePoint> Runner::next_wakeup() const {
    std::optional<TimePoint> first;
    const auto keep_first = [&](std::optional<TimePoint> due) {
        if (due && (!first || *due < *first)) first = due;
    };
    keep_first(index_.next_due());
    for (const auto& [since, id] : index_.finished()) {
        if (is_awaited(id)) continue;
        keep_first(since + config_.finished_kept_for);
        break;  // the oldest
    }
    for (const auto& [id, stray] : strays_) {
        if (!stray.abandoned) continue;
        if (!stray.at_rest())
            keep_first(stray.kill_again);
        else if (!is_awaited(id))
            keep_first(*stray.abandoned + config_.finished_kept_for);
        keep_first(stray.tear_again.due);
    }
    for (const auto& [id, leaving] : leaving_) keep_first(leaving.again.due);
    keep_first(gate_.next_wakeup());
    if (!under_pressure()) return first;
    for (const auto& [since, id] : finished())
        if (!is_awaited(id) && !may_be_needed(last_, id, since)) keep_first(pressed_after_);
    return first;
}

const AllocStatus* Runner::status(const AllocId& alloc) const {
    const auto found = allocs_.find(alloc);
    return found == allocs_.end() ? nullptr : &found->second.status();
}

const Order* Runner::order(const AllocId& alloc) const {
    const auto found = allocs_.find(alloc);
    return found == allocs_.end() ? nullptr : &found->second.order();
}

const AllocNetwork* Runner::network(const AllocId& alloc) const {
    const auto found = allocs_.find(alloc);
    const bool has = found != allocs_.end() && found->second.network();
    return has ? &*found->second.network() : nullptr;
}

std::optional<std::string> Runner::objection(const TaskCommand& command) const {
    const auto found = allocs_.find(command.alloc);
    if (found == allocs_.end()) return "it is not (or no longer) on this peer";
    return found->second.objection_to(command);
}

std::optional<std::string> Runner::objection(const CollectFinished& what) const {
    if (!what.alloc) return std::nullopt;
    const auto known = allocs_.find(*what.alloc);
    if (leaving_.contains(*what.alloc)) return std::nullopt;
    if (known == allocs_.end() && !strays_.contains(*what.alloc))
        return "it is not (or no longer) on this peer";
    if (known != allocs_.end() && !known->second.over())
        return "it has not ended; stop it, or wait for its end";
    if (is_awaited(*what.alloc)) return "another allocation is about to take over its data";
    for (const auto& [since, id] : finished())
        if (id == *what.alloc) return std::nullopt;
    return "the region has not taken note of its end yet; try again in a moment";
}

const std::vector<ServiceInstance>* Runner::services(const AllocId& alloc) const {
    const auto found = allocs_.find(alloc);
    return found == allocs_.end() ? nullptr : &found->second.services();
}

bool Runner::knows(const AllocId& alloc) const {
    return allocs_.contains(alloc) || gate_.holds(alloc);
}

std::vector<AllocId> Runner::allocs() const {
    std::vector<AllocId> out;
    for (const auto& [id, alloc] : allocs_) out.push_back(id);
    return out;
}

}  // namespace gaggle::allocrunner
