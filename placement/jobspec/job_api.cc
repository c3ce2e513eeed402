#include "placement/jobspec/job_api.h"

#include <algorithm>

#include "base/bytes.h"
#include "placement/jobspec/api_fields.h"
#include "placement/jobspec/canonical.h"
#include "placement/jobspec/jobspec.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

constexpr std::size_t kProblemsMax = 20;
const std::string kAttempt = "read job from JSON: ";

std::string joined(const std::vector<std::string>& problems) {
    std::string text;
    const std::size_t shown = std::min(problems.size(), kProblemsMax);
    for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : "\n") + problems[i];
    if (problems.size() > shown)
        text += "\nand " + std::to_string(problems.size() - shown) + " more";
    return text;
}

/// The job itself, or what `Job` holds of a registration's body.
const Value::Map* job_object(const Value& value) {
    const auto* object = std::get_if<Value::Map>(&value.data);
    if (object == nullptr) return nullptr;
    const auto wrapped = object->find("Job");
    return wrapped == object->end() ? object : std::get_if<Value::Map>(&wrapped->second.data);
}

Value number(std::uint64_t value) { return Value{static_cast<std::int64_t>(value)}; }

/// Fields of the shape that a job's text does not say.
void add_meta(Value::Map& object, const Job& job, const JobMeta* meta) {
    const JobMeta shown = meta == nullptr ? JobMeta{.status = ""} : *meta;
    object["Status"] = Value{shown.status};
    object["StatusDescription"] = schema::kNoText;
    object["Version"] = number(shown.version);
    object["Stable"] = Value{shown.stable};
    object["Stop"] = Value{shown.stop};
    object["CreateIndex"] = number(shown.create_index);
    object["ModifyIndex"] = number(shown.modify_index);
    object["JobModifyIndex"] = number(shown.job_modify_index);
    object["SubmitTime"] = meta == nullptr ? Value{} : Value{shown.submit_time.nanoseconds};
    object["ParentID"] = Value{job.parent};
    for (const char* name :
         {"NomadTokenID", "ConsulNamespace", "ConsulToken", "VaultNamespace", "VaultToken"})
        object[name] = schema::kNoText;
    object["Dispatched"] = Value{!job.parent.empty()};
    object["Payload"] = job.payload.empty() ? Value{} : Value{to_base64(as_bytes(job.payload))};
}

}  // namespace

Result<Job> job_from_api_json(std::string_view text) {
    if (text.size() > kJobSourceBytesMax)
        return Error{Errc::invalid, kAttempt + std::to_string(text.size()) + " bytes, at most " +
                                        std::to_string(kJobSourceBytesMax) + " are read"};
    auto value = value_from_json(text);
    if (!value.ok()) return within("read job", std::move(value).error());
    return job_from_api_value(*value);
}

Result<Job> job_from_api_value(const Value& value) {
    const Value::Map* object = job_object(value);
    if (object == nullptr)
        return Error{Errc::invalid, kAttempt + "wanted an object, or one as `Job` in an object"};
    std::vector<std::string> problems;
    ApiReader reader(*object, "", problems);
    JobDraft draft;
    schema::describe(reader, draft);
    if (!problems.empty()) return Error{Errc::invalid, kAttempt + joined(problems)};
    return canonical(std::move(draft));
}

std::string job_to_api_json(const Job& job, const JobMeta* meta) {
    return value_to_json(job_to_api_value(job, meta));
}

Value job_to_api_value(const Job& job, const JobMeta* meta) {
    Value::Map object;
    ApiWriter writer(object);
    schema::describe(writer, job);
    add_meta(object, job, meta);
    return Value{std::move(object)};
}

}  // namespace gaggle
