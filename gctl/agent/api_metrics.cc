// /v1/metrics: what this peer knows of itself, its tasks, the region and the others.
//
// Each peer tells its own figures, so a monitoring system asks all of them. What cannot be had (no
// ledger in reach) is left out, and the rest is told.
#include "allocrunner/alloc_status.h"
#include "base/wire.h"
#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/metrics.h"

namespace gaggle {

namespace {

using Labels = std::map<std::string, std::string>;
constexpr auto kCounter = Metric::Kind::counter;

class Collector {
  public:
    void gauge(const std::string& name, double value, Labels labels = {}) {
        metrics.push_back({name, Metric::Kind::gauge, value, std::move(labels)});
    }
    void gauge(const std::string& name, std::uint64_t value, Labels labels = {}) {
        gauge(name, static_cast<double>(value), std::move(labels));
    }

    void host(const node::HostFigures& host) {
        const std::string of = "nomad.client.host.";
        gauge("nomad.client.uptime", host.uptime_seconds);
        gauge(of + "memory.total", host.memory_total);
        gauge(of + "memory.available", host.memory_available);
        gauge(of + "memory.used", host.memory_used);
        gauge(of + "memory.free", host.memory_free);
        for (const node::CoreFigures& core : host.cores) {
            const Labels labels{{"cpu", core.name}};
            gauge(of + "cpu.user", core.user, labels);
            gauge(of + "cpu.system", core.system, labels);
            gauge(of + "cpu.idle", core.idle, labels);
            gauge(of + "cpu.total_percent", core.user + core.system, labels);
        }
        for (const node::DiskFigures& disk : host.disks) {
            const Labels labels{{"disk", disk.device}};
            gauge(of + "disk.size", disk.size, labels);
            gauge(of + "disk.used", disk.used, labels);
            gauge(of + "disk.available", disk.available, labels);
            gauge(of + "disk.inodes_percent", disk.inodes_percent, labels);
        }
        gauge("gaggle.alloc_disk.size", host.alloc_disk.size);
        gauge("gaggle.alloc_disk.available", host.alloc_disk.available);
    }

    void tasks(const node::AllocFigures& figures, const Labels& alloc) {
        const std::string of = "nomad.client.allocs.";
        if (figures.disk_known) gauge("gaggle.allocs.disk_bytes", figures.disk_used, alloc);
        for (const node::TaskFigures& task : figures.tasks) {
            Labels labels = alloc;
            labels["task"] = task.task;
            const double percent = task.user_percent + task.system_percent;
            gauge(of + "cpu.total_percent", percent, labels);
            gauge(of + "cpu.user", task.user_percent, labels);
            gauge(of + "cpu.system", task.system_percent, labels);
            gauge(of + "cpu.total_ticks", percent / 100 * figures.mhz_per_core, labels);
            gauge(of + "cpu.throttled_periods", task.throttled_periods, labels);
            gauge(of + "cpu.throttled_time", task.throttled_nanoseconds, labels);
            gauge(of + "memory.rss", task.rss, labels);
            gauge(of + "memory.cache", task.cache, labels);
            gauge(of + "memory.swap", task.swap, labels);
            gauge(of + "memory.usage", task.used, labels);
            gauge(of + "memory.max_usage", task.used_max, labels);
            gauge("gaggle.allocs.processes", task.processes, labels);
            const auto spent =
                static_cast<double>(task.user_nanoseconds + task.system_nanoseconds) / 1e9;
            metrics.push_back({"gaggle.allocs.cpu_seconds_total", kCounter, spent, labels});
        }
    }

    static Labels labels_of(const ledger::AllocRecord& alloc) {
        return {{"alloc_id", to_string(alloc.id)},
                {"job", alloc.slot.job.id},
                {"namespace", alloc.slot.job.name_space},
                {"task_group", alloc.slot.group}};
    }

    /// Of this peer, as the ledger has them.
    void allocations(const node::Answer& answer) {
        std::map<std::string, std::uint64_t> count{
            {"pending", 0}, {"running", 0}, {"complete", 0}, {"failed", 0}, {"lost", 0}};
        for (const ledger::AllocRecord& alloc : answer.allocs) {
            ++count[ledger::to_string(alloc.client)];
            if (terminal(alloc.client)) continue;
            labels[alloc.id] = labels_of(alloc);
            const auto status =
                decode<allocrunner::AllocStatus>(alloc.status, "allocation's status");
            if (!status.ok()) continue;
            for (const auto& [task, state] : status->tasks) {
                Labels named = labels[alloc.id];
                named["task"] = task;
                metrics.push_back({"nomad.client.allocs.restart", kCounter,
                                   static_cast<double>(state.restarts), named});
            }
        }
        gauge("nomad.client.allocations.running", count["running"]);
        gauge("nomad.client.allocations.pending", count["pending"]);
        gauge("nomad.client.allocations.terminal",
              count["complete"] + count["failed"] + count["lost"]);
        for (const auto& [status, number] : count)
            gauge("gaggle.allocations", number, {{"status", status}});
    }

    void self(const node::SelfInfo& self, const ApiInfo& info) {
        gauge("gaggle.agent.info", 1.0,
              {{"version", info.version},
               {"name", info.name},
               {"region", info.region},
               {"datacenter", info.datacenter},
               {"node_id", to_string(self.member.id)}});
        const node::RegionStatus& region = self.region;
        gauge("gaggle.raft.term", region.term.value);
        gauge("gaggle.raft.last_index", region.last.value);
        gauge("gaggle.raft.commit_index", region.commit.value);
        gauge("gaggle.raft.applied_index", region.applied.value);
        gauge("gaggle.raft.is_leader", region.leader == self.member.id ? 1.0 : 0.0);
        gauge("gaggle.raft.knows_leader", region.leader.empty() ? 0.0 : 1.0);
        const node::PeerState& state = self.member.peer_state;
        gauge("gaggle.raft.voter", state.role == node::Role::voter ? 1.0 : 0.0);
        gauge("gaggle.store.works", state.store_works ? 1.0 : 0.0);
        gauge("nomad.client.unallocated.cpu", static_cast<double>(state.capacity.free.cpu.value));
        gauge("nomad.client.unallocated.memory",
              static_cast<double>(state.capacity.free.memory.value));
        gauge("nomad.client.unallocated.disk", static_cast<double>(state.capacity.free.disk.value));
    }

    void members(const node::Members& members) {
        std::map<std::string, std::uint64_t> count{
            {"alive", 0}, {"suspect", 0}, {"dead", 0}, {"left", 0}};
        for (const node::MemberInfo& member : members.members) ++count[member.state];
        for (const auto& [state, number] : count)
            gauge("gaggle.gossip.members", number, {{"state", state}});
    }

    std::vector<Metric> metrics;
    std::map<AllocId, Labels> labels;  ///< of the allocations that the ledger told of
};

void answer_with(Exchange& exchange, const Collector& all) {
    if (exchange.parameter("format") == "prometheus")
        return exchange.respond_text(prometheus_text(all.metrics),
                                     "text/plain; version=0.0.4; charset=utf-8");
    exchange.respond({}, render_metrics_summary(all.metrics, exchange.wall()));
}

/// Of a reply, what was wanted, or nullptr.
template <class Wanted>
const Wanted* part(const NodeReply& reply) {
    return reply.ok() ? std::get_if<Wanted>(&*reply) : nullptr;
}

void collect_tasks(Exchange& exchange, Collector all) {
    exchange.ask(node::AskPeer{.alloc = {}, .peer = {}, .what = node::MeasurePeer{}},
                 [all = std::move(all)](Exchange& later, NodeReply reply) mutable {
                     const auto* said = part<node::PeerSaid>(reply);
                     const auto* figures =
                         said == nullptr ? nullptr : std::get_if<node::PeerFigures>(&said->what);
                     if (figures == nullptr) return answer_with(later, all);
                     all.host(figures->host);
                     for (const auto& [id, tasks] : figures->allocs) {
                         const auto known = all.labels.find(id);
                         all.tasks(tasks, known != all.labels.end()
                                              ? known->second
                                              : Labels{{"alloc_id", to_string(id)}});
                     }
                     answer_with(later, all);
                 });
}

void collect_allocations(Exchange& exchange, Collector all, const PeerId& self) {
    node::Query query{.kind = node::QueryKind::peer_allocations,
                      .name_space = "*",
                      .id = to_string(self),
                      .stale = true};
    exchange.ask(std::move(query),
                 [all = std::move(all)](Exchange& later, NodeReply reply) mutable {
                     if (const auto* answer = part<node::Answer>(reply)) all.allocations(*answer);
                     collect_tasks(later, std::move(all));
                 });
}

}  // namespace

void show_metrics(Exchange& exchange) {
    const std::string format = exchange.parameter("format");
    if (!format.empty() && format != "prometheus")
        return exchange.refuse(400, "metrics: format \"" + format +
                                        "\" is not known; leave it out, or say prometheus");
    exchange.ask(node::DescribeSelf{}, [](Exchange& later, NodeReply reply) {
        const auto* self = part<node::SelfInfo>(reply);
        if (self == nullptr) return later.refuse(500, "the node does not answer");
        Collector all;
        all.self(*self, later.info());
        later.ask(node::ListMembers{},
                  [all, id = self->member.id](Exchange& last, NodeReply more) mutable {
                      if (const auto* members = part<node::Members>(more)) all.members(*members);
                      collect_allocations(last, std::move(all), id);
                  });
    });
}

}  // namespace gaggle
