#include "gctl/agent/api_local.h"

#include <algorithm>
#include <charconv>

#include "allocrunner/alloc_status.h"
#include "base/wire.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/render_alloc.h"

namespace gaggle {

namespace {

const TaskGroup* group_of(const node::Answer* record) {
    if (record == nullptr) return nullptr;
    const Job* job = AllocRenderer(*record).job_of(record->allocs.front());
    return job == nullptr ? nullptr : find_group(*job, record->allocs.front().slot.group);
}

}  // namespace

bool NamedAlloc::may_have_task(const std::string& task) const {
    const TaskGroup* group = group_of(record);
    return group == nullptr || std::any_of(group->tasks.begin(), group->tasks.end(),
                                           [&](const Task& one) { return one.name == task; });
}

std::string NamedAlloc::only_task() const {
    const TaskGroup* group = group_of(record);
    return group == nullptr || group->tasks.size() != 1 ? "" : group->tasks.front().name;
}

Ending NamedAlloc::ending(const std::string& task) const {
    if (record == nullptr) return Ending::none;
    const ledger::AllocRecord& alloc = record->allocs.front();
    if (alloc.client == ledger::ClientStatus::lost) return Ending::lost;
    if (terminal(alloc.client)) return Ending::ended;
    const auto status = decode<allocrunner::AllocStatus>(alloc.status, "allocation's status");
    if (!status.ok()) return Ending::none;  // it has not reported yet
    const auto found = status->tasks.find(task);
    const bool dead =
        found != status->tasks.end() && found->second.phase == allocrunner::TaskPhase::dead;
    return dead ? Ending::ended : Ending::none;
}

std::string NamedAlloc::tasks() const {
    const TaskGroup* group = group_of(record);
    std::string out;
    if (group != nullptr)
        for (const Task& task : group->tasks) out += (out.empty() ? "" : ", ") + task.name;
    return out;
}

void with_alloc(Exchange& exchange, std::function<void(Exchange&, const NamedAlloc& alloc)> then) {
    const node::Query where{
        .kind = node::QueryKind::allocation, .id = exchange.id(), .stale = true};
    exchange.ask(where, [then = std::move(then)](Exchange& later, NodeReply reply) {
        if (const auto* answer = reply.ok() ? std::get_if<node::Answer>(&*reply) : nullptr) {
            if (!answer->found || answer->allocs.empty())
                return later.refuse(404, "alloc not found", headers_of(*answer));
            return then(later, {.id = answer->allocs.front().id, .record = answer});
        }
        const std::optional<AllocId> id = parse_id<AllocId>(later.id());
        if (!id)
            return later.fail(reply.ok() ? Error{Errc::not_found, "alloc not found"}
                                         : reply.error());
        then(later, {.id = *id});
    });
}

void with_node_id(Exchange& exchange, std::function<void(Exchange&, const PeerId& peer)> then) {
    const std::string id = exchange.parameter("node_id");
    if (id.empty()) return then(exchange, {});
    if (const auto peer = parse_id<PeerId>(id)) return then(exchange, *peer);
    const auto query = query_for(exchange, node::QueryKind::peer, id);
    if (!query) return;
    exchange.query(
        *query,
        [then = std::move(then)](Exchange& later, node::Answer& answer) {
            then(later, answer.peers.front().who.id);
        },
        "node not found");
}

std::optional<std::uint64_t> number(Exchange& exchange, const std::string& name,
                                    std::uint64_t otherwise) {
    const std::string text = exchange.parameter(name);
    if (text.empty()) return otherwise;
    std::uint64_t out = 0;
    const char* end = text.data() + text.size();
    const auto got = std::from_chars(text.data(), end, out);
    if (got.ec == std::errc() && got.ptr == end) return out;
    exchange.refuse(400, "error parsing " + name + ": \"" + text + "\" is no whole number");
    return std::nullopt;
}

}  // namespace gaggle
