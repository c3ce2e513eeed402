#include "placement/jobspec/decode.h"

#include "placement/jobspec/hcl_reader.h"

namespace gaggle {

namespace {

/// A task directly in the job becomes a group of its own, and is found under that path as well.
void alias_task(const std::string& name, std::map<std::string, Position>& positions) {
    const std::string path = "job.task." + name;
    std::map<std::string, Position> aliases;
    for (auto at = positions.lower_bound(path); at != positions.end(); ++at) {
        if (!at->first.starts_with(path)) break;
        const std::string rest = at->first.substr(path.size());
        if (rest.empty() || rest[0] == '.')
            aliases.emplace("job.group." + name + ".task." + name + rest, at->second);
    }
    if (const auto at = positions.find(path); at != positions.end())
        aliases.emplace("job.group." + name, at->second);
    positions.merge(aliases);
}

}  // namespace

JobDraft decode_job(const hcl::Block& block, const hcl::Scope& scope, Diagnostics& diagnostics,
                    std::map<std::string, Position>& positions) {
    hcl::Evaluator evaluator(scope, diagnostics);
    HclContext context{evaluator, diagnostics, positions};
    JobDraft draft;
    if (block.labels.size() == 1)
        draft.job.id = block.labels[0].text;
    else
        diagnostics.error(block.at, "block `job` needs one label, the job's id",
                          "write `job \"name\" { ... }`");
    positions.emplace("job", block.at);
    HclReader reader(block.body, "job", "job", context);
    schema::describe(reader, draft);
    reader.finish();
    for (const TaskDraft& task : draft.tasks) alias_task(task.task.name, positions);
    // Nomad names a job by its label even where `id` says otherwise.
    if (draft.job.name.empty() && block.labels.size() == 1) draft.job.name = block.labels[0].text;
    return draft;
}

}  // namespace gaggle
