// Reads about one job and about all of them.
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/job_diff.h"
#include "gctl/agent/render_alloc.h"
#include "gctl/agent/render_eval.h"
#include "gctl/agent/render_job.h"

namespace gaggle {

namespace {

using node::Answer;
using node::QueryKind;

constexpr const char* kNoJob = "job not found";

}  // namespace

void list_jobs(Exchange& exchange) {
    const auto query = list_query(exchange, QueryKind::jobs, IdKind::job);
    if (!query) return;
    exchange.query(*query, [](Exchange& later, Answer& answer) {
        List jobs;
        for (const ledger::JobRecord& record : answer.jobs)
            jobs.push_back(render_job_stub(record, answer));
        later.answer(answer, val(std::move(jobs)));
    });
}

void show_job(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job, exchange.id());
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, Answer& answer) {
            const ledger::JobRecord& record = answer.jobs.front();
            later.answer(answer, render_job(record, record.current()));
        },
        kNoJob);
}

void list_job_allocations(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job_allocations, exchange.id());
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

void list_job_evaluations(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job_evaluations, exchange.id());
    if (!query) return;
    exchange.query(*query, [](Exchange& later, Answer& answer) {
        newest_first(answer.evals);
        List evals;
        for (const ledger::EvalRecord& eval : answer.evals) evals.push_back(render_eval(eval));
        later.answer(answer, val(std::move(evals)));
    });
}

void show_job_summary(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job, exchange.id());
    if (!query) return;
    exchange.query(
        *query,
        [](Exchange& later, Answer& answer) {
            later.answer(answer, render_job_summary(answer.jobs.front(), answer));
        },
        kNoJob);
}

void list_job_versions(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job_versions, exchange.id());
    if (!query) return;
    const std::optional<bool> with_diffs = flag(exchange, "diffs");
    if (!with_diffs) return;
    exchange.query(
        *query,
        [diffs = *with_diffs](Exchange& later, Answer& answer) {
            const ledger::JobRecord& record = answer.jobs.front();
            List versions, changes;
            for (auto at = record.versions.rbegin(); at != record.versions.rend(); ++at) {
                versions.push_back(render_job(record, at->second));
                const auto older = std::next(at);
                if (!diffs || older == record.versions.rend()) continue;
                changes.push_back(diff_jobs({&older->second.job, older->second.stopped},
                                            {&at->second.job, at->second.stopped}, {}));
            }
            later.answer(answer, val(Object{{"Versions", val(std::move(versions))},
                                            {"Diffs", or_null(changes)},
                                            {"Index", val(answer.index)},
                                            {"LastContact", val(answer.last_contact)},
                                            {"KnownLeader", val(answer.known_leader)}}));
        },
        kNoJob);
}

/// There are no deployments yet: null, as Nomad answers for a job that has none.
void show_job_deployment(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job, exchange.id());
    if (!query) return;
    exchange.query(*query, [](Exchange& later, Answer& answer) { later.answer(answer, null()); });
}

void list_job_deployments(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::job, exchange.id());
    if (!query) return;
    exchange.query(*query,
                   [](Exchange& later, Answer& answer) { later.answer(answer, val(List{})); });
}

}  // namespace gaggle
