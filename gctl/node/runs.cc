#include "gctl/node/runs.h"

#include <algorithm>

#include "gctl/node/copies.h"

namespace gaggle::node {

namespace {

constexpr std::size_t kCollectedNamed = 5;
constexpr Duration kReleasePatience = 8s;  // it is said again after ten

constexpr Limits kOrdersLimits{
    .fields = Fields::lenient, .bytes = kBulkBytesMax, .items = 1U << 16U, .depth = 128};

ledger::ClientStatus client_of(allocrunner::ClientStatus status) {
    switch (status) {
        case allocrunner::ClientStatus::pending: return ledger::ClientStatus::pending;
        case allocrunner::ClientStatus::running: return ledger::ClientStatus::running;
        case allocrunner::ClientStatus::complete: return ledger::ClientStatus::complete;
        case allocrunner::ClientStatus::failed: return ledger::ClientStatus::failed;
        case allocrunner::ClientStatus::lost: return ledger::ClientStatus::lost;
    }
    return ledger::ClientStatus::unknown;
}

ledger::AllocReport report_of(const allocrunner::StatusChanged& changed) {
    return {.alloc = changed.alloc,
            .client = client_of(changed.status.client),
            .healthy = changed.status.healthy.value_or(false),
            .for_good = changed.status.for_good,
            .modified = changed.status.modified,
            .status = encode(changed.status),
            .services = changed.services.empty() ? Bytes{} : encode(changed.services)};
}

}  // namespace

std::optional<allocrunner::Order> order_from(const ledger::AllocRecord& alloc,
                                             const ledger::PeerOrders& orders) {
    const ledger::JobVersion* version = nullptr;
    for (const auto& [key, candidate] : orders.jobs)
        if (key == alloc.slot.job && candidate.version == alloc.job_version) version = &candidate;
    if (version == nullptr) return std::nullopt;
    const TaskGroup* group = find_group(version->job, alloc.slot.group);
    if (group == nullptr) return std::nullopt;
    allocrunner::Order order;
    order.alloc = alloc.id;
    order.name =
        alloc.slot.job.id + "." + alloc.slot.group + "[" + std::to_string(alloc.slot.index) + "]";
    order.job = {.id = version->job.id,
                 .name = version->job.name,
                 .name_space = version->job.name_space,
                 .region = version->job.region,
                 .type = version->job.type,
                 .meta = version->job.meta,
                 .parent = version->job.parent,
                 .payload = version->job.payload};
    if (version->job.parameterized)  // what may be given and was not is there, and empty
        for (const std::string& key : version->job.parameterized->meta_optional)
            order.job.meta.try_emplace(key);
    order.group = *group;
    order.index = alloc.slot.index;
    order.eval = alloc.eval;
    order.generation = alloc.generation;
    for (const AssignedPort& port : alloc.ports)
        order.ports.push_back({port.label, port.value, port.to});
    order.desired = alloc.desired == ledger::Desired::run ? allocrunner::Desired::run
                                                          : allocrunner::Desired::stop;
    if (alloc.no_shutdown_delay && order.desired == allocrunner::Desired::stop) {
        order.group.shutdown_delay = Duration::zero();
        for (Task& task : order.group.tasks) task.shutdown_delay = Duration::zero();
    }
    return order;
}

Runs::Runs(allocrunner::Host host, allocrunner::Config collection, Courier& courier, Writer& writer,
           Copies& copies, Rng rng)
    : courier_(courier),
      writer_(writer),
      copies_(copies),
      runner_(std::move(host), collection, rng) {}

Result<void> Runs::start(Now now, const Bytes* durable_orders) {
    offline_start_ = now.time + kOfflineStartAfter;
    if (durable_orders == nullptr) return {};
    orders_ = TRY(decode<ledger::PeerOrders>(*durable_orders, "durable orders", kOrdersLimits));
    collected_ = orders_.collected;
    add_up();
    return {};
}

void Runs::on(Now now, const OrdersFrame& frame, Outbox& out) {
    auto orders = decode<ledger::PeerOrders>(frame.orders, "orders", kOrdersLimits);
    if (!orders.ok()) return out.warn(orders.error().detail);
    heard_ = true;
    const auto place = [](const ledger::PeerOrders& o) {
        return std::pair(o.epoch, o.change_index);
    };
    if (place(*orders) < place(orders_)) return;
    if (place(*orders) == place(orders_)) {
        if (!obeyed_) obey(now, out);
        return;
    }
    orders_ = std::move(*orders);
    add_up();
    if (writer_.failed()) return obey(now, out);
    const auto mine = place(orders_);
    writer_.put("orders", encode(orders_), [this, mine, place](Now then, Outbox& box) {
        if (place(orders_) == mine) obey(then, box);  // else newer ones are on their way to disk
    });
}

/// Only with orders that are durable; when nothing can be made so any more, only what they stop.
void Runs::obey(Now now, Outbox& out) {
    obey_when_recovered_ = !recovered_;
    if (!recovered_) return;
    obeyed_ = true;
    waits_for_room_ = false;
    const Leaving leaving = leaving_now();
    Amounts used = leaving.all_live;
    allocrunner::Orders set;
    std::set<AllocId> unknown;
    for (const ledger::AllocRecord& alloc : orders_.allocs) {
        if (alloc.client == ledger::ClientStatus::unknown) {
            unknown.insert(alloc.id);
            reconnect(now, alloc.id, out);
        }
        auto order = order_from(alloc, orders_);
        if (!order) {
            out.warn("order for allocation " + to_string(alloc.id) +
                     ": its job version is missing; it is left as it is");
            continue;
        }
        if (!runner_.knows(alloc.id) && order->desired == allocrunner::Desired::run) {
            if (writer_.failed()) continue;
            if (!leaving.allocs.empty() && !has_room(alloc, leaving, used)) {
                waits_for_room_ = true;
                continue;
            }
            const auto restore = restore_for(now, alloc, order->group, out);
            if (!restore) continue;  // its data is on its way; it starts when that is here
            order->restore = *restore;
            used += alloc.ask.amounts;
        }
        set.orders.push_back(std::move(*order));
    }
    std::erase_if(reconnected_, [&](const AllocId& id) { return !unknown.contains(id); });
    absorb(now, runner_.step(now.time, {.wall = now.wall, .what = std::move(set)}), out);
    tell_copies(now, out);
    if (orders_.collected <= collected_) return;
    collected_ = orders_.collected;
    const allocrunner::CollectFinished all;
    absorb(now, runner_.step(now.time, {.wall = now.wall, .what = all}), out);
}

/// Declared lost while this peer was out of reach, and revived: all that was said is gone.
void Runs::reconnect(Now now, const AllocId& alloc, Outbox& out) {
    tell_again(alloc);
    const allocrunner::AllocStatus* status = runner_.status(alloc);
    if (status == nullptr || !reconnected_.insert(alloc).second) return;
    std::vector<std::string> running;
    for (const auto& [task, state] : status->tasks)
        if (state.phase == allocrunner::TaskPhase::running) running.push_back(task);
    for (const std::string& task : running) {
        const allocrunner::TaskNote back{alloc, task, allocrunner::event_reconnected(now.wall)};
        absorb(now, runner_.step(now.time, {.wall = now.wall, .what = back}), out);
    }
}

/// What runs here and is to end. The ledger may have given its room away already: to it, what a
/// vanished peer ran is lost, and frees nothing by ending later.
Runs::Leaving Runs::leaving_now() const {
    std::set<AllocId> wanted;
    for (const ledger::AllocRecord& alloc : orders_.allocs)
        if (alloc.desired == ledger::Desired::run) wanted.insert(alloc.id);
    Leaving out;
    for (const AllocId& id : runner_.live()) {
        const allocrunner::Order* order = runner_.order(id);
        if (order == nullptr) continue;
        out.all_live += ask_of(order->group).amounts;
        if (wanted.contains(id)) continue;
        out.allocs.insert(id);
        for (const allocrunner::AssignedPort& port : order->ports) out.ports.insert(port.value);
    }
    return out;
}

bool Runs::has_room(const ledger::AllocRecord& alloc, const Leaving& leaving,
                    const Amounts& used) const {
    for (const AssignedPort& port : alloc.ports)
        if (leaving.ports.contains(port.value)) return false;
    Amounts with = used;
    with += alloc.ask.amounts;
    return exceeded(offer_, with) == nullptr;
}

std::optional<allocrunner::Restore> Runs::restore_for(Now now, const ledger::AllocRecord& alloc,
                                                      const TaskGroup& group, Outbox& out) {
    using Kind = allocrunner::Restore::Kind;
    if (!group.disk.sticky) return allocrunner::Restore{};
    if (alloc.previous && runner_.status(*alloc.previous) != nullptr)
        return allocrunner::Restore{.kind = Kind::from_alloc, .previous = *alloc.previous};
    const replica::Lineage lineage = lineage_of(alloc.slot);
    const bool held = copies_.holds(lineage);
    if (!held && (!alloc.previous || group.disk.replicas == 0)) return allocrunner::Restore{};
    // Also when it is held here: another peer may hold a fresher one.
    const Copies::Fetched fetched = copies_.fetch(now, lineage, alloc.id, out);
    if (fetched == Copies::Fetched::under_way) return std::nullopt;
    copies_.forget_fetch(lineage);
    if (held || fetched == Copies::Fetched::here)
        return allocrunner::Restore{.kind = Kind::from_copy, .previous = {}};
    out.warn("allocation " + to_string(alloc.id) + " of " + to_string(alloc.slot) +
             " starts empty: no peer in reach holds a copy of its data");
    return allocrunner::Restore{};
}

/// What runs with `replicas` is copied from now on; what has ended is not.
void Runs::tell_copies(Now now, Outbox& out) {
    std::vector<Copied> copied;
    for (const ledger::AllocRecord& alloc : orders_.allocs) {
        const auto* status = runner_.status(alloc.id);
        const bool runs = status != nullptr && status->client == allocrunner::ClientStatus::running;
        if (!runs || !is_copied(alloc.id)) continue;
        const std::int64_t replicas = runner_.order(alloc.id)->group.disk.replicas;
        copied.push_back({.lineage = lineage_of(alloc.slot),
                          .generation = alloc.generation,
                          .alloc = alloc.id,
                          .replicas = static_cast<std::size_t>(replicas)});
    }
    copies_.running(now, copied, out);
}

bool Runs::is_copied(const AllocId& alloc) const {
    const allocrunner::Order* order = runner_.order(alloc);
    return order != nullptr && order->group.disk.sticky && order->group.disk.replicas > 0;
}

void Runs::on(Now now, const allocrunner::Input& input, Outbox& out) {
    const bool first = std::holds_alternative<allocrunner::Recovered>(input.what);
    absorb(now, runner_.step(now.time, input), out);
    if (!first) return begin_what_waits(now, out);
    recovered_ = true;
    add_up();
    tell_copies(now, out);
    for (const AllocId& id : runner_.allocs()) tell_again(id);
    if (obey_when_recovered_) obey(now, out);
    report(now, out);
}

/// One line for each reason, with a few of the allocations.
void Runs::tell_collected(const std::vector<allocrunner::Work>& work, Outbox& out) {
    std::map<std::string, std::vector<AllocId>> gone;
    for (const allocrunner::Work& one : work)
        if (const auto* remove = std::get_if<allocrunner::RemoveDir>(&one))
            gone[remove->why].push_back(remove->alloc);
    for (const auto& [why, allocs] : gone) {
        std::string named;
        for (std::size_t at = 0; at < std::min(allocs.size(), kCollectedNamed); ++at)
            named += (at == 0 ? "" : ", ") + to_string(allocs[at]);
        if (allocs.size() > kCollectedNamed) named += ", ...";
        out.note("collects the directories of " + std::to_string(allocs.size()) +
                 " finished allocations (" + why + "): " + named);
    }
}

void Runs::absorb(Now now, allocrunner::Effects effects, Outbox& out) {
    tell_collected(effects.work, out);
    std::move(effects.work.begin(), effects.work.end(), std::back_inserter(out.effects.tasks));
    bool copied = false;
    for (allocrunner::StatusChanged& changed : effects.changed) {
        const bool offered = offering_.erase(changed.alloc) > 0;
        if (!changed.services.empty()) offering_.insert(changed.alloc);
        services_changed_ = services_changed_ || offered || !changed.services.empty();
        copied = copied || is_copied(changed.alloc);
        if (allocrunner::is_terminal(changed.status.client)) {
            ended_ = true;
            const auto took = taking_.find(changed.alloc);
            if (took != taking_.end()) {
                used_ -= took->second;
                taking_.erase(took);
            }
        }
        unreported_[changed.alloc] = std::move(changed);
    }
    for (const allocrunner::PortTaken& taken : effects.ports_taken) release(now, taken, out);
    if (copied) tell_copies(now, out);
    report(now, out);
}

/// The answer is in the next orders: another port, or none of it here any more.
void Runs::release(Now now, const allocrunner::PortTaken& taken, Outbox& out) {
    const std::string what = "port " + std::to_string(taken.port) + ", which allocation " +
                             to_string(taken.alloc) + " was given, is held by " + taken.holder;
    out.warn(what + (taken.fixed ? "; the job asks for this very port, so the commit group is told "
                                   "to give the allocation up here and to look for another peer"
                                 : "; the commit group is asked for another"));
    courier_.submit(
        now, ledger::ReleasePort{.alloc = taken.alloc, .port = taken.port, .holder = taken.holder},
        kReleasePatience,
        [what](Now, Result<CommandResult> result, Outbox& box) {
            if (result.ok() && result->refused) box.warn(what + "; it stays: " + result->why);
        },
        out);
}

/// One command at a time: what changes meanwhile goes with the next.
void Runs::report(Now now, Outbox& out) {
    if (reporting_ || report_again_ || unreported_.empty() || number_.value == 0) return;
    ledger::Reports reports{.peer = number_, .reports = {}};
    std::size_t bytes = 0;
    for (const auto& [alloc, changed] : unreported_) {
        ledger::AllocReport one = report_of(changed);
        bytes += one.status.size() + one.services.size();
        const std::size_t count = reports.reports.size();
        if (count > 0 && (bytes > kReportBytesMax || count == kReportsPerCommand)) break;
        reports.reports.push_back(std::move(one));
    }
    reporting_ = true;
    const std::vector<ledger::AllocReport> sent = reports.reports;
    courier_.submit(
        now, std::move(reports), kOfflineStartAfter,
        [this, sent](Now then, Result<CommandResult> result, Outbox& box) {
            reporting_ = false;
            if (result.ok() && result->refused) {
                box.warn("the leader refused this peer's reports: " + result->why);
                report_again_ = then.time + kRefusedPause;
                return;
            }
            if (!result.ok()) {
                report_again_ = then.time + kUnheardPause;
                return;
            }
            for (const ledger::AllocReport& told : sent) {
                const auto found = unreported_.find(told.alloc);
                if (found != unreported_.end() && report_of(found->second) == told)
                    unreported_.erase(found);
            }
            report(then, box);
        },
        out);
}

void Runs::tell_again(const AllocId& alloc) {
    const auto* status = runner_.status(alloc);
    if (status != nullptr) unreported_[alloc] = {alloc, *status, *runner_.services(alloc)};
}

void Runs::begin_what_waits(Now now, Outbox& out) {
    if (waits_for_room_ && std::exchange(ended_, false)) obey(now, out);
}

void Runs::tick(Now now, Outbox& out) {
    if (offline_start_ && heard_) offline_start_.reset();
    if (offline_start_ && *offline_start_ <= now.time) {
        if (recovered_) {
            offline_start_.reset();
            out.warn(
                "no peer has answered since this agent started: starting the tasks of the last "
                "orders");
            absorb(
                now,
                runner_.step(now.time, {.wall = now.wall, .what = allocrunner::StartUnconfirmed{}}),
                out);
        }
    }
    if (report_again_ && *report_again_ <= now.time) {
        report_again_.reset();
        report(now, out);
    }
    const auto due = runner_.next_wakeup();
    if (due && *due <= now.time)
        absorb(now, runner_.step(now.time, {.wall = now.wall, .what = allocrunner::Tick{}}), out);
    begin_what_waits(now, out);
}

std::optional<TimePoint> Runs::next_wakeup() const {
    auto due = runner_.next_wakeup();
    if (report_again_ && (!due || *report_again_ < *due)) due = report_again_;
    if (offline_start_ && recovered_ && (!due || *offline_start_ < *due)) due = offline_start_;
    return due;
}

/// After other orders, or when the runner knows more of them; what ends then is taken off.
void Runs::add_up() {
    taking_.clear();
    used_ = {};
    for (const ledger::AllocRecord& alloc : orders_.allocs) {
        const auto* status = runner_.status(alloc.id);
        if (status != nullptr && allocrunner::is_terminal(status->client)) continue;
        taking_[alloc.id] = alloc.ask.amounts;
        used_ += alloc.ask.amounts;
    }
}

ServiceList Runs::services() const {
    ServiceList out;
    for (const AllocId& id : offering_) {
        const allocrunner::Order* order = runner_.order(id);
        const auto* services = runner_.services(id);
        if (order == nullptr || services == nullptr) continue;
        for (const allocrunner::ServiceInstance& instance : *services)
            out.push_back({.alloc = id,
                           .name_space = order->job.name_space,
                           .job = order->job.id,
                           .group = order->group.name,
                           .instance = instance});
    }
    return out;
}

std::uint32_t Runs::count() const { return static_cast<std::uint32_t>(runner_.live().size()); }

}  // namespace gaggle::node
