#include <algorithm>
#include <functional>
#include <set>

#include "gctl/cli/api.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

constexpr std::size_t kListedMax = 20;

struct Match {
    std::string id;
    Row row;  ///< how it is listed when there are several
};

struct Kind {
    const char* noun;
    Row head;
};

Result<std::string> only(const Kind& kind, const std::string& prefix,
                         const std::vector<Match>& matches) {
    for (const Match& match : matches)
        if (match.id == prefix) return match.id;
    if (matches.size() == 1) return matches[0].id;
    if (matches.empty())
        return Error{Errc::not_found,
                     "no " + std::string(kind.noun) + " begins with \"" + prefix + "\""};
    std::vector<Row> rows{kind.head};
    for (const Match& match : matches)
        if (rows.size() <= kListedMax) rows.push_back(match.row);
    std::string listed = table(rows);
    if (matches.size() > kListedMax)
        listed += "and " + std::to_string(matches.size() - kListedMax) + " more\n";
    listed.pop_back();
    return Error{Errc::invalid, "\"" + prefix + "\" is the beginning of " +
                                    std::to_string(matches.size()) + " " + kind.noun +
                                    "s; give more of the id:\n" + listed};
}

/// Ids are hexadecimal, and Nomad's agents refuse prefixes of odd length.
Result<Value> find(const Api& api, const char* noun, const std::string& path,
                   const std::string& prefix) {
    const std::string asked =
        prefix.size() % 2 == 1 && prefix.size() < 8 ? prefix.substr(0, prefix.size() - 1) : prefix;
    return api.get("find " + std::string(noun) + " " + prefix, path, {{"prefix", asked}});
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
}

}  // namespace

Result<std::string> resolve_job(const Api& api, const std::string& prefix) {
    const Value found = TRY(api.get("find job " + prefix, "/v1/jobs", {{"prefix", prefix}}));
    std::vector<Match> matches;
    for (const JobStub& job : jobs_of(Json(found)))
        if (job.id.starts_with(prefix)) matches.push_back({job.id, {job.id, job.type, job.status}});
    return only({"job", {"ID", "Type", "Status"}}, prefix, matches);
}

Result<std::string> resolve_alloc(const Api& api, const std::string& typed) {
    const std::string prefix = lower(typed);
    const Value found = TRY(find(api, "allocation", "/v1/allocations", prefix));
    std::vector<Match> matches;
    for (const AllocStub& alloc : allocs_of(Json(found)))
        if (alloc.id.starts_with(prefix))
            matches.push_back({alloc.id, {alloc.id, alloc.name, alloc.client}});
    return only({"allocation", {"ID", "Name", "Status"}}, prefix, matches);
}

Result<std::string> alloc_to_ask(const Api& api, const AllocWanted& wanted) {
    if (!wanted.by_job) return resolve_alloc(api, wanted.id);
    const std::string job = TRY(resolve_job(api, wanted.id));
    const Value found = TRY(api.get("find an allocation of job " + job,
                                    "/v1/job/" + url_encoded(job) + "/allocations"));
    AllocStub best;
    std::set<std::string> tasks;
    for (const AllocStub& alloc : allocs_of(Json(found))) {
        tasks.insert(alloc.tasks.begin(), alloc.tasks.end());
        if (!wanted.task.empty() &&
            std::ranges::find(alloc.tasks, wanted.task) == alloc.tasks.end())
            continue;
        const bool better = std::pair(alloc.client == "running", alloc.create_index) >
                            std::pair(best.client == "running", best.create_index);
        if (best.id.empty() || better) best = alloc;
    }
    if (!best.id.empty()) return best.id;
    const std::string known = joined({tasks.begin(), tasks.end()}, ", ");
    return Error{
        Errc::not_found,
        "job \"" + job + "\" has no allocation" +
            (known.empty() ? "" : " with a task \"" + wanted.task + "\"; its tasks are: " + known) +
            "; see `gctl job status " + job + "`"};
}

Result<std::vector<JobStub>> dispatched_jobs(const Api& api, const std::string& job) {
    const Value found = TRY(
        api.get("find what was dispatched from job " + job, "/v1/jobs", {{"prefix", job + "/"}}));
    std::vector<JobStub> out = jobs_of(Json(found));
    std::erase_if(out, [&](const JobStub& one) { return one.parent != job; });
    std::ranges::stable_sort(out, std::greater<>(), &JobStub::submitted);
    return out;
}

Result<std::string> resolve_eval(const Api& api, const std::string& typed) {
    const std::string prefix = lower(typed);
    const Value found = TRY(find(api, "evaluation", "/v1/evaluations", prefix));
    std::vector<Match> matches;
    for (const EvalView& eval : evals_of(Json(found)))
        if (eval.id.starts_with(prefix))
            matches.push_back({eval.id, {eval.id, eval.job_id, eval.status}});
    return only({"evaluation", {"ID", "Job ID", "Status"}}, prefix, matches);
}

Result<std::string> resolve_node(const Api& api, const std::string& prefix) {
    const Value found = TRY(api.get("find node " + prefix, "/v1/nodes"));
    const std::string id = lower(prefix);
    std::vector<Match> matches;
    std::vector<Match> named;
    for (const NodeStub& node : nodes_of(Json(found))) {
        const Match match{node.id, {node.id, node.name, node.status}};
        if (node.name == prefix) named.push_back(match);
        if (node.id.starts_with(id)) matches.push_back(match);
    }
    return only({"node", {"ID", "Name", "Status"}}, named.empty() ? id : prefix,
                named.empty() ? matches : named);
}

}  // namespace gaggle::cli
