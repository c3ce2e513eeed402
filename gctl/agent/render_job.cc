#include "gctl/agent/render_job.h"

#include "placement/jobspec/dispatch.h"

namespace gaggle {

namespace {

Value render_counts(const ledger::GroupSummary& counts) {
    return val(Object{{"Queued", val(counts.queued)},
                      {"Complete", val(counts.complete)},
                      {"Failed", val(counts.failed)},
                      {"Running", val(counts.running)},
                      {"Starting", val(counts.starting)},
                      {"Lost", val(counts.lost)},
                      {"Unknown", val(counts.unknown)}});
}

Value render_children(const Job& job, const node::Answer& answer) {
    node::JobChildren counts;
    for (const node::JobChildren& one : answer.children)
        if (one.parent == ledger::JobKey{job.name_space, job.id}) counts = one;
    return val(Object{{"Pending", val(counts.pending)},
                      {"Running", val(counts.running)},
                      {"Dead", val(counts.dead)}});
}

}  // namespace

JobMeta job_meta(const ledger::JobRecord& record, const ledger::JobVersion& version) {
    return {.status = ledger::to_string(record.status),
            .version = version.version,
            .stop = version.stopped,
            .create_index = record.create_index.value,
            .modify_index = record.modify_index.value,
            .job_modify_index = version.index.value,
            .submit_time = version.submitted};
}

Value render_job(const ledger::JobRecord& record, const ledger::JobVersion& version) {
    const JobMeta meta = job_meta(record, version);
    return job_to_api_value(version.job, &meta);
}

Value render_job_stub(const ledger::JobRecord& record, const node::Answer& answer) {
    const ledger::JobVersion& current = record.current();
    const Job& job = current.job;
    return val(Object{{"ID", val(job.id)},
                      {"ParentID", val(job.parent)},
                      {"Name", val(job.name)},
                      {"Namespace", val(job.name_space)},
                      {"Datacenters", val(job.datacenters)},
                      {"NodePool", val(job.node_pool)},
                      {"Multiregion", null()},
                      {"Type", val(to_string(job.type))},
                      {"Priority", val(job.priority)},
                      {"Periodic", val(false)},
                      {"ParameterizedJob", val(waits_for_dispatch(job))},
                      {"Stop", val(current.stopped)},
                      {"Status", val(ledger::to_string(record.status))},
                      {"StatusDescription", val("")},
                      {"JobSummary", render_job_summary(record, answer)},
                      {"CreateIndex", val(record.create_index)},
                      {"ModifyIndex", val(record.modify_index)},
                      {"JobModifyIndex", val(record.job_modify_index)},
                      {"SubmitTime", val(current.submitted)},
                      {"Version", val(current.version)}});
}

Value render_job_summary(const ledger::JobRecord& record, const node::Answer& answer) {
    const Job& job = record.current().job;
    Object groups;
    for (const TaskGroup& group : job.groups) groups[group.name] = render_counts({});
    for (const auto& [name, counts] : record.summary) groups[name] = render_counts(counts);
    return val(Object{{"JobID", val(job.id)},
                      {"Namespace", val(job.name_space)},
                      {"Summary", val(std::move(groups))},
                      {"Children", render_children(job, answer)},
                      {"CreateIndex", val(record.create_index)},
                      {"ModifyIndex", val(record.modify_index)}});
}

}  // namespace gaggle
