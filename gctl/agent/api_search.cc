// Search by prefix over everything that has an id; Nomad's command line finds shortened ids with
// it.
#include <algorithm>

#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"

namespace gaggle {

namespace {

using node::Answer;
using node::QueryKind;

constexpr std::size_t kMatchesMax = 20;  // of one context, as in Nomad

struct Context {
    const char* name;
    QueryKind kind;
};
constexpr Context kContexts[] = {{"allocs", QueryKind::allocations},
                                 {"evals", QueryKind::evaluations},
                                 {"jobs", QueryKind::jobs},
                                 {"nodes", QueryKind::peers}};
/// Answered, and always without a match: this version has none of them.
constexpr const char* kEmptyContexts[] = {"deployment", "namespaces", "plugins", "scaling_policy",
                                          "volumes"};

/// What has been found, and what is still to be asked.
struct Search {
    std::string prefix;
    node::Query options;
    std::vector<Context> left;
    Object matches, truncations;
    IndexHeaders headers;
};

std::vector<std::string> ids_of(const Answer& answer, QueryKind kind) {
    std::vector<std::string> ids;
    switch (kind) {
        case QueryKind::allocations:
            for (const auto& alloc : answer.allocs) ids.push_back(to_string(alloc.id));
            break;
        case QueryKind::evaluations:
            for (const auto& eval : answer.evals) ids.push_back(to_string(eval.id));
            break;
        case QueryKind::jobs:
            for (const auto& record : answer.jobs) ids.push_back(record.current().job.id);
            break;
        default:
            for (const auto& peer : answer.peers) ids.push_back(to_string(peer.who.id));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

void search_on(Exchange& exchange, Search search) {
    if (search.left.empty()) {
        const IndexHeaders headers = search.headers;
        return exchange.respond(headers,
                                val(Object{{"Matches", val(std::move(search.matches))},
                                           {"Truncations", val(std::move(search.truncations))},
                                           {"Index", val(headers.index)},
                                           {"LastContact", val(headers.last_contact)},
                                           {"KnownLeader", val(headers.known_leader)}}));
    }
    const Context context = search.left.back();
    search.left.pop_back();
    node::Query query = search.options;
    query.kind = context.kind;
    query.id = search.prefix;
    exchange.query(query,
                   [context, search = std::move(search)](Exchange& later, Answer& answer) mutable {
                       std::vector<std::string> ids = ids_of(answer, context.kind);
                       search.truncations[context.name] = val(ids.size() > kMatchesMax);
                       if (ids.size() > kMatchesMax) ids.resize(kMatchesMax);
                       search.matches[context.name] = or_null(ids);
                       search.headers = headers_of(answer);
                       search_on(later, std::move(search));
                   });
}

}  // namespace

void search(Exchange& exchange) {
    const std::optional<Value> body = body_object(exchange);
    if (!body) return;
    const auto options = query_for(exchange, QueryKind::jobs);
    if (!options) return;
    const auto wanted = member_or<std::string>(*body, "Context", "all");
    Search search{.prefix = member_or<std::string>(*body, "Prefix", ""), .options = *options};
    search.options.index = 0;
    bool known = wanted == "all" || wanted.empty();
    const bool all = known;
    for (const Context& context : kContexts) {
        if (!all && wanted != context.name) continue;
        known = true;
        search.left.push_back(context);
    }
    for (const char* name : kEmptyContexts) {
        if (!all && wanted != name) continue;
        known = true;
        search.matches[name] = null();
        search.truncations[name] = val(false);
    }
    if (!known)
        return exchange.refuse(400,
                               "context \"" + wanted +
                                   "\" is not known; one of all, allocs, deployment, evals, "
                                   "jobs, namespaces, nodes, plugins, scaling_policy, volumes");
    search_on(exchange, std::move(search));
}

}  // namespace gaggle
