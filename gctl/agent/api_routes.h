// Which path is answered by which function.
//
// A pattern is a path in which `*` stands for one or more segments: a job's id may contain slashes,
// escaped or not, so what follows the `*` is matched from the end, and the first pattern that
// matches decides. "/v1/job/*/allocations" stands before "/v1/job/*".
#pragma once

#include <string>
#include <vector>

#include "gctl/agent/api_exchange.h"

namespace gaggle {

using Handler = void (*)(Exchange&);

struct Route {
    const char* pattern;
    Handler get = nullptr;
    Handler post = nullptr;  ///< PUT too
    Handler remove = nullptr;
};

const std::vector<Route>& api_routes();

struct RouteMatch {
    Handler handler = nullptr;  ///< nullptr: the method is not for this path
    std::string wild;
};
/// Nothing: no route has this path.
std::optional<RouteMatch> match_route(const std::string& method,
                                      const std::vector<std::string>& segments);

// api_jobs.cc
void list_jobs(Exchange& exchange);
void show_job(Exchange& exchange);
void list_job_allocations(Exchange& exchange);
void list_job_evaluations(Exchange& exchange);
void show_job_summary(Exchange& exchange);
void list_job_versions(Exchange& exchange);
void show_job_deployment(Exchange& exchange);
void list_job_deployments(Exchange& exchange);
// api_job_writes.cc
void register_job(Exchange& exchange);
void update_job(Exchange& exchange);
void deregister_job(Exchange& exchange);
void plan_job(Exchange& exchange);
void validate_job(Exchange& exchange);
void parse_job_source(Exchange& exchange);
// api_dispatch.cc
void dispatch_job(Exchange& exchange);
// api_allocs.cc
void list_allocations(Exchange& exchange);
void show_allocation(Exchange& exchange);
void list_evaluations(Exchange& exchange);
void show_evaluation(Exchange& exchange);
void list_evaluation_allocations(Exchange& exchange);
void list_deployments(Exchange& exchange);
void show_deployment(Exchange& exchange);
// api_alloc_actions.cc
void restart_allocation(Exchange& exchange);
void signal_allocation(Exchange& exchange);
void stop_allocation(Exchange& exchange);
// api_nodes.cc
void list_nodes(Exchange& exchange);
void show_node(Exchange& exchange);
void list_node_allocations(Exchange& exchange);
// api_agent.cc
void show_leader(Exchange& exchange);
void list_raft_peers(Exchange& exchange);
void list_members(Exchange& exchange);
void show_self(Exchange& exchange);
void show_health(Exchange& exchange);
void list_regions(Exchange& exchange);
void list_namespaces(Exchange& exchange);
void show_namespace(Exchange& exchange);
void show_region(Exchange& exchange);
void expel_peer(Exchange& exchange);
// api_services.cc
void list_services(Exchange& exchange);
void show_service(Exchange& exchange);
void list_job_services(Exchange& exchange);
void list_allocation_services(Exchange& exchange);
// api_search.cc
void search(Exchange& exchange);
// api_logs.cc
void stream_logs(Exchange& exchange);
// api_exec.cc
void exec_in_task(Exchange& exchange);
// api_job_logs.cc
void stream_job_logs(Exchange& exchange);
// api_checks.cc
void show_alloc_checks(Exchange& exchange);
// api_stats.cc
void show_alloc_stats(Exchange& exchange);
void show_host_stats(Exchange& exchange);
// api_collect.cc
void collect_garbage(Exchange& exchange);
void collect_peer(Exchange& exchange);
void collect_allocation(Exchange& exchange);
// api_metrics.cc
void show_metrics(Exchange& exchange);
// api_fs.cc
void list_files(Exchange& exchange);
void stat_file(Exchange& exchange);
void show_file(Exchange& exchange);
void show_file_part(Exchange& exchange);
void stream_file(Exchange& exchange);

}  // namespace gaggle
