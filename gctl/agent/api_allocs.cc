// Reads about allocations, evaluations and (there are none yet) deployments.
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_alloc.h"
#include "gctl/agent/render_eval.h"

namespace gaggle {

namespace {

using node::Answer;
using node::QueryKind;

}  // namespace

void list_allocations(Exchange& exchange) {
    const auto query = list_query(exchange, QueryKind::allocations, IdKind::uuid);
    if (!query) return;
    const std::optional<bool> resources = flag(exchange, "resources");
    if (!resources) return;
    const std::optional<bool> states = flag(exchange, "task_states", true);
    if (!states) return;
    const AllocRenderer::StubParts parts{.resources = *resources, .task_states = *states};
    exchange.query(*query, [parts](Exchange& later, Answer& answer) {
        newest_first(answer.allocs);
        const AllocRenderer renderer(answer);
        List allocs;
        for (const ledger::AllocRecord& alloc : answer.allocs)
            allocs.push_back(renderer.stub(alloc, parts));
        later.answer(answer, val(std::move(allocs)));
    });
}

void show_allocation(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::allocation, exchange.id());
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, Answer& answer) {
            AllocRenderer renderer(answer);
            const ledger::AllocRecord& alloc = answer.allocs.front();
            Value shown = renderer.full(alloc);
            std::get<Object>(shown.data)["Copies"] = render_copies(answer.copies, later.wall());
            later.answer(answer, shown);
        },
        "alloc not found");
}

void list_evaluations(Exchange& exchange) {
    const auto query = list_query(exchange, QueryKind::evaluations, IdKind::uuid);
    if (!query) return;
    const std::string status = exchange.parameter("status");
    const std::string job = exchange.parameter("job");
    exchange.query(*query, [status, job](Exchange& later, Answer& answer) {
        newest_first(answer.evals);
        List evals;
        for (const ledger::EvalRecord& eval : answer.evals)
            if ((status.empty() || status == ledger::to_string(eval.status)) &&
                (job.empty() || job == eval.job.id))
                evals.push_back(render_eval(eval));
        later.answer(answer, val(std::move(evals)));
    });
}

void show_evaluation(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::evaluation, exchange.id());
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, Answer& answer) {
            later.answer(answer, render_eval(answer.evals.front()));
        },
        "eval not found");
}

void list_evaluation_allocations(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::evaluation_allocations, exchange.id());
    if (!query) return;
    exchange.query(*query, [](Exchange& later, Answer& answer) {
        newest_first(answer.allocs);
        const AllocRenderer renderer(answer);
        List allocs;
        for (const ledger::AllocRecord& alloc : answer.allocs)
            allocs.push_back(renderer.stub(alloc, {}));
        later.answer(answer, val(std::move(allocs)));
    });
}

/// Asks for what deployments would be made from, so that the index is a true one.
void list_deployments(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::jobs);
    if (!query) return;
    exchange.query(*query,
                   [](Exchange& later, Answer& answer) { later.answer(answer, val(List{})); });
}

void show_deployment(Exchange& exchange) { exchange.refuse(404, "deployment not found"); }

}  // namespace gaggle
