#include "gctl/agent/job_diff.h"

#include "gctl/agent/value_diff.h"
#include "placement/jobspec/job_api.h"
#include "placement/scheduler/changes.h"

namespace gaggle {

namespace {

/// Written by the ledger, shown elsewhere in the diff, or a default that the groups repeat.
const std::set<std::string> kJobSkipped{
    "ID",         "TaskGroups",   "Status",      "StatusDescription", "Version",
    "Stable",     "Stop",         "CreateIndex", "ModifyIndex",       "JobModifyIndex",
    "SubmitTime", "NomadTokenID", "Update",      "Dispatched",        "ParentID"};

constexpr const char* kCreate = "forces create";
constexpr const char* kDestroy = "forces destroy";
constexpr const char* kInPlace = "forces in-place update";
constexpr const char* kReplace = "forces create/destroy update";

Value api_value(const Job* job) { return job == nullptr ? null() : job_to_api_value(*job); }

/// The items of an object's list by their names; the values live as long as `object`.
std::map<std::string, const Value*> by_name(const Value& object, const char* list_name) {
    std::map<std::string, const Value*> out;
    const Value* list = member(object, list_name);
    if (list == nullptr) return out;
    if (const auto* items = std::get_if<List>(&list->data))
        for (const Value& item : *items) out[member_or<std::string>(item, "Name", "")] = &item;
    return out;
}

/// Of one pair of blocks with the same name, the parts that all of Nomad's diffs have.
Object diff_head(const std::string& name, const Value& before, const Value& after,
                 const ValueDiff& diff, bool any) {
    return {{"Type", val(diff_type(before, after, any))},
            {"Name", val(name)},
            {"Fields", or_null(diff.fields)},
            {"Objects", or_null(diff.objects)}};
}

/// Calls `each(name, before, after)` for the names of both, in order; what is missing is null.
template <class Each>
void for_pairs(const std::map<std::string, const Value*>& before,
               const std::map<std::string, const Value*>& after, Each each) {
    static const Value nothing;
    std::map<std::string, const Value*> all = before;
    all.insert(after.begin(), after.end());
    for (const auto& [name, value] : all) {
        const auto was = before.find(name);
        const auto is = after.find(name);
        each(name, was == before.end() ? nothing : *was->second,
             is == after.end() ? nothing : *is->second);
    }
}

List diff_tasks(const Value& old_group, const Value& new_group, const char* edited) {
    List tasks;
    for_pairs(by_name(old_group, "Tasks"), by_name(new_group, "Tasks"),
              [&](const std::string& name, const Value& before, const Value& after) {
                  const ValueDiff diff = diff_objects(before, after, {"Name"});
                  Object task = diff_head(name, before, after, diff, diff.any());
                  const std::string type = std::get<std::string>(task["Type"].data);
                  task["Annotations"] = null();
                  if (type == "Added") task["Annotations"] = val(List{val(kCreate)});
                  if (type == "Deleted") task["Annotations"] = val(List{val(kDestroy)});
                  if (type == "Edited") task["Annotations"] = val(List{val(edited)});
                  if (type != "None") tasks.push_back(val(std::move(task)));
              });
    return tasks;
}

/// "Count" says what its change means.
void annotate_count(List& fields, const Value& before, const Value& after) {
    const auto count = [](const Value& group) {
        return member_or<std::int64_t>(group, "Count", 0);
    };
    for (Value& field : fields) {
        if (member_or<std::string>(field, "Name", "") != "Count") continue;
        std::get<Object>(field.data)["Annotations"] =
            val(List{val(count(after) > count(before) ? kCreate : kDestroy)});
    }
}

Value render_update_counts(const std::map<std::string, GroupUpdates>& updates,
                           const std::string& group) {
    const auto found = updates.find(group);
    if (found == updates.end()) return null();
    const GroupUpdates& counts = found->second;
    Object out;
    const auto add = [&](const char* name, std::int64_t count) {
        if (count > 0) out[name] = val(count);
    };
    add("create", counts.place);
    add("destroy", counts.stop);
    add("migrate", counts.migrate);
    add("canary", counts.canary);
    add("in-place update", counts.in_place_update);
    add("create/destroy update", counts.destructive_update);
    add("ignore", counts.ignore);
    return or_null(out);
}

/// What an edited task of this group means to its allocations.
const char* edit_annotation(const DiffedJob& before, const DiffedJob& after,
                            const std::string& group) {
    if (before.job == nullptr || after.job == nullptr) return kReplace;
    const TaskGroup* old_group = find_group(*before.job, group);
    const TaskGroup* new_group = find_group(*after.job, group);
    if (old_group == nullptr || new_group == nullptr) return kReplace;
    return tasks_updated(*before.job, *old_group, *after.job, *new_group) ? kReplace : kInPlace;
}

}  // namespace

Value diff_jobs(DiffedJob before, DiffedJob after,
                const std::map<std::string, GroupUpdates>& updates) {
    const Value was = api_value(before.job);
    const Value is = api_value(after.job);
    ValueDiff diff = diff_objects(was, is, kJobSkipped);
    if (before.job != nullptr && after.job != nullptr && before.stopped != after.stopped)
        diff.fields.push_back(field_diff("Stop", before.stopped ? "true" : "false",
                                         after.stopped ? "true" : "false"));
    List groups;
    bool any = diff.any();
    for_pairs(by_name(was, "TaskGroups"), by_name(is, "TaskGroups"),
              [&](const std::string& name, const Value& old_group, const Value& new_group) {
                  ValueDiff inner = diff_objects(old_group, new_group, {"Name", "Tasks"});
                  annotate_count(inner.fields, old_group, new_group);
                  const List tasks =
                      diff_tasks(old_group, new_group, edit_annotation(before, after, name));
                  const bool changed = inner.any() || !tasks.empty();
                  any = any || changed;
                  Object group = diff_head(name, old_group, new_group, inner, changed);
                  group["Tasks"] = or_null(tasks);
                  group["Updates"] = render_update_counts(updates, name);
                  groups.push_back(val(std::move(group)));
              });
    const Job& shown = after.job != nullptr ? *after.job : *before.job;
    return val(Object{{"Type", val(diff_type(was, is, any))},
                      {"ID", val(shown.id)},
                      {"Fields", or_null(diff.fields)},
                      {"Objects", or_null(diff.objects)},
                      {"TaskGroups", or_null(groups)}});
}

}  // namespace gaggle
