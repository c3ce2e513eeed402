#include "gctl/agent/api_routes.h"

#include <string_view>

namespace gaggle {

namespace {

std::vector<std::string_view> parts_of(std::string_view pattern) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 1; at < pattern.size();) {
        const std::size_t end = std::min(pattern.find('/', at), pattern.size());
        parts.push_back(pattern.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

/// What `*` stands for, "" where the pattern has none; nothing when the path does not match.
std::optional<std::string> match(std::string_view pattern,
                                 const std::vector<std::string>& segments) {
    const std::vector<std::string_view> parts = parts_of(pattern);
    std::size_t star = parts.size();
    for (std::size_t at = 0; at < parts.size(); ++at)
        if (parts[at] == "*") star = at;
    const std::size_t behind = star == parts.size() ? 0 : parts.size() - star - 1;
    if (segments.size() < parts.size() || (star == parts.size() && segments.size() != parts.size()))
        return std::nullopt;
    for (std::size_t at = 0; at < star; ++at)
        if (segments[at] != parts[at]) return std::nullopt;
    for (std::size_t back = 1; back <= behind; ++back)
        if (segments[segments.size() - back] != parts[parts.size() - back]) return std::nullopt;
    std::string wild;
    for (std::size_t at = star; at + behind < segments.size(); ++at)
        wild += (at == star ? "" : "/") + segments[at];
    return wild;
}

}  // namespace

const std::vector<Route>& api_routes() {
    static const std::vector<Route> routes{
        {.pattern = "/v1/jobs", .get = list_jobs, .post = register_job},
        {.pattern = "/v1/jobs/parse", .post = parse_job_source},
        {.pattern = "/v1/validate/job", .post = validate_job},
        {.pattern = "/v1/job/*/plan", .post = plan_job},
        {.pattern = "/v1/job/*/dispatch", .post = dispatch_job},
        {.pattern = "/v1/job/*/allocations", .get = list_job_allocations},
        {.pattern = "/v1/job/*/evaluations", .get = list_job_evaluations},
        {.pattern = "/v1/job/*/summary", .get = show_job_summary},
        {.pattern = "/v1/job/*/deployment", .get = show_job_deployment},
        {.pattern = "/v1/job/*/deployments", .get = list_job_deployments},
        {.pattern = "/v1/job/*/logs", .get = stream_job_logs},  // ours
        {.pattern = "/v1/job/*/versions", .get = list_job_versions},
        {.pattern = "/v1/job/*/services", .get = list_job_services},
        {.pattern = "/v1/job/*", .get = show_job, .post = update_job, .remove = deregister_job},
        {.pattern = "/v1/allocations", .get = list_allocations},
        {.pattern = "/v1/allocation/*/services", .get = list_allocation_services},
        {.pattern = "/v1/client/allocation/*/restart", .post = restart_allocation},
        {.pattern = "/v1/client/allocation/*/signal", .post = signal_allocation},
        {.pattern = "/v1/allocation/*/stop", .post = stop_allocation},
        {.pattern = "/v1/allocation/*", .get = show_allocation},
        {.pattern = "/v1/evaluations", .get = list_evaluations},
        {.pattern = "/v1/evaluation/*/allocations", .get = list_evaluation_allocations},
        {.pattern = "/v1/evaluation/*", .get = show_evaluation},
        {.pattern = "/v1/deployments", .get = list_deployments},
        {.pattern = "/v1/deployment/*", .get = show_deployment},
        {.pattern = "/v1/nodes", .get = list_nodes},
        {.pattern = "/v1/node/*/allocations", .get = list_node_allocations},
        {.pattern = "/v1/node/*", .get = show_node},
        {.pattern = "/v1/services", .get = list_services},
        {.pattern = "/v1/service/*", .get = show_service},
        {.pattern = "/v1/client/fs/logs/*", .get = stream_logs},
        {.pattern = "/v1/client/allocation/*/exec", .get = exec_in_task},
        {.pattern = "/v1/client/allocation/*/stats", .get = show_alloc_stats},
        {.pattern = "/v1/client/allocation/*/checks", .get = show_alloc_checks},
        {.pattern = "/v1/client/allocation/*/gc",
         .get = collect_allocation,
         .post = collect_allocation},
        {.pattern = "/v1/client/gc", .get = collect_peer, .post = collect_peer},
        {.pattern = "/v1/client/stats", .get = show_host_stats},
        {.pattern = "/v1/metrics", .get = show_metrics},
        {.pattern = "/v1/client/fs/ls/*", .get = list_files},
        {.pattern = "/v1/client/fs/stat/*", .get = stat_file},
        {.pattern = "/v1/client/fs/cat/*", .get = show_file},
        {.pattern = "/v1/client/fs/readat/*", .get = show_file_part},
        {.pattern = "/v1/client/fs/stream/*", .get = stream_file},
        {.pattern = "/v1/status/leader", .get = show_leader},
        {.pattern = "/v1/status/peers", .get = list_raft_peers},
        {.pattern = "/v1/agent/members", .get = list_members},
        {.pattern = "/v1/agent/self", .get = show_self},
        {.pattern = "/v1/agent/health", .get = show_health},
        {.pattern = "/v1/regions", .get = list_regions},
        {.pattern = "/v1/namespaces", .get = list_namespaces},
        {.pattern = "/v1/namespace/*", .get = show_namespace},
        {.pattern = "/v1/search", .post = search},
        {.pattern = "/v1/system/gc", .post = collect_garbage},
        {.pattern = "/v1/region", .get = show_region},         // ours
        {.pattern = "/v1/cluster/expel", .post = expel_peer},  // ours
    };
    return routes;
}

std::optional<RouteMatch> match_route(const std::string& method,
                                      const std::vector<std::string>& segments) {
    for (const Route& route : api_routes()) {
        const std::optional<std::string> wild = match(route.pattern, segments);
        if (!wild) continue;
        const Handler handler = method == "GET"      ? route.get
                                : method == "POST"   ? route.post
                                : method == "DELETE" ? route.remove
                                                     : nullptr;
        return RouteMatch{.handler = handler, .wild = *wild};
    }
    return std::nullopt;
}

}  // namespace gaggle
