// What changes jobs, or would: register, stop, plan, validate, parse.
#include "allocrunner/job_objections.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_plan.h"
#include "placement/jobspec/dispatch.h"
#include "placement/jobspec/job_api.h"
#include "placement/jobspec/jobspec.h"

namespace gaggle {

namespace {

/// A request that carries a job.
struct JobBody {
    Value whole;
    Job job;
    std::vector<std::string> warnings;
};

std::string text_of(const Diagnostic& one) {
    std::string text = one.path.empty() ? one.message : one.path + ": " + one.message;
    if (!one.hint.empty()) text += "; " + one.hint;
    return text;
}

std::vector<std::string> texts_of(const std::vector<Diagnostic>& all,
                                  Diagnostic::Severity severity) {
    std::vector<std::string> out;
    for (const Diagnostic& one : all)
        if (one.severity == severity) out.push_back(text_of(one));
    return out;
}

/// Nomad's way to put several errors into one text.
std::string joined_errors(const std::vector<std::string>& errors) {
    std::string text =
        std::to_string(errors.size()) + (errors.size() == 1 ? " error" : " errors") + " occurred:";
    for (const std::string& error : errors) text += "\n\t* " + error;
    return text + "\n\n";
}

/// By the rules for all jobs, and by those of its drivers.
std::vector<Diagnostic> findings_in(const Job& job) {
    std::vector<Diagnostic> out = validate(job);
    for (Diagnostic& one : allocrunner::objections_to(job)) out.push_back(std::move(one));
    return out;
}

/// The job of the body, canonical; nothing when there is none, and then the exchange is refused.
std::optional<JobBody> read_job(Exchange& exchange) {
    if (exchange.request().body.size() > kJobSourceBytesMax) {
        exchange.refuse(413, "request body is too large: a job has at most " +
                                 std::to_string(kJobSourceBytesMax) + " bytes");
        return std::nullopt;
    }
    std::optional<Value> body = body_object(exchange);
    if (!body) return std::nullopt;
    const Value* wrapped = member(*body, "Job");
    if (wrapped == nullptr || !std::holds_alternative<Object>(wrapped->data)) {
        exchange.refuse(400, "Job must be specified");
        return std::nullopt;
    }
    Result<Job> job = job_from_api_value(*body);
    if (!job.ok()) {
        exchange.refuse(400, job.error().detail);
        return std::nullopt;
    }
    if (job->id.empty()) {
        exchange.refuse(400, "Job ID hasn't been provided");
        return std::nullopt;
    }
    return JobBody{.whole = std::move(*body), .job = std::move(*job)};
}

/// Puts the job where it belongs: into this region and the one namespace. "global" is what a job
/// says that says nothing.
bool place_job(Exchange& exchange, Job& job) {
    const std::string& ours = exchange.info().region;
    const std::string asked = exchange.parameter("region");
    const std::string region = asked.empty() ? job.region : asked;
    if (region != ours && region != "global") {
        exchange.refuse(500, "No path to region \"" + region +
                                 "\": this peer belongs to region \"" + ours +
                                 "\"; submit the job to a peer of that region");
        return false;
    }
    job.region = ours;
    if (job.name_space != "default") {
        exchange.refuse(400, "nonexistent namespace \"" + job.name_space +
                                 "\": this version has one, \"default\"");
        return false;
    }
    return true;
}

/// The job of the body, placed and valid. For a path with an id, the two must be the same.
std::optional<JobBody> read_valid_job(Exchange& exchange) {
    std::optional<JobBody> body = read_job(exchange);
    if (!body) return std::nullopt;
    if (!exchange.id().empty() && exchange.id() != body->job.id) {
        exchange.refuse(400, "Job ID does not match: the path says \"" + exchange.id() +
                                 "\", the job \"" + body->job.id + "\"");
        return std::nullopt;
    }
    if (!place_job(exchange, body->job)) return std::nullopt;
    const std::vector<Diagnostic> found = findings_in(body->job);
    if (has_errors(found)) {
        exchange.refuse(400, joined_errors(texts_of(found, Diagnostic::Severity::error)));
        return std::nullopt;
    }
    body->warnings = texts_of(found, Diagnostic::Severity::warning);
    return body;
}

void answer_registered(Exchange& exchange, const NodeReply& reply,
                       std::vector<std::string> warnings) {
    if (!reply.ok()) return exchange.fail(reply.error());
    const auto* done = std::get_if<node::Registered>(&*reply);
    if (done == nullptr) return exchange.refuse(500, "the node did not say what became of the job");
    warnings.insert(warnings.end(), done->warnings.begin(), done->warnings.end());
    exchange.respond({.index = done->index},
                     val(Object{{"EvalID", done->eval.empty() ? val("") : val(done->eval)},
                                {"EvalCreateIndex", val(done->eval_index)},
                                {"JobModifyIndex", val(done->job_modify_index)},
                                {"Warnings", val(joined_warnings(warnings))},
                                {"Index", val(done->index)},
                                {"LastContact", val(0)},
                                {"KnownLeader", val(true)}}));
}

}  // namespace

void register_job(Exchange& exchange) {
    std::optional<JobBody> body = read_valid_job(exchange);
    if (!body) return;
    node::RegisterJob request{.job = std::move(body->job)};
    if (member_or(body->whole, "EnforceIndex", false)) {
        const auto index = member_or<std::int64_t>(body->whole, "JobModifyIndex", 0);
        if (index < 0) return exchange.refuse(400, "JobModifyIndex is negative");
        request.check_index = static_cast<std::uint64_t>(index);
    }
    const bool runs = !waits_for_dispatch(request.job);
    exchange.ask(std::move(request),
                 [warnings = std::move(body->warnings), runs](Exchange& later, NodeReply reply) {
                     auto* done = reply.ok() ? std::get_if<node::Registered>(&*reply) : nullptr;
                     if (done != nullptr && !runs) done->eval = {};  // there is nothing to watch
                     answer_registered(later, reply, warnings);
                 });
}

void update_job(Exchange& exchange) { register_job(exchange); }

void deregister_job(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<bool> purge = flag(exchange, "purge");
    if (!purge) return;
    const std::optional<bool> no_delay = flag(exchange, "no_shutdown_delay");
    if (!no_delay) return;
    const std::string name_space = exchange.parameter("namespace");
    exchange.ask(node::DeregisterJob{.name_space = name_space.empty() ? "default" : name_space,
                                     .id = exchange.id(),
                                     .purge = *purge,
                                     .no_shutdown_delay = *no_delay},
                 [](Exchange& later, NodeReply reply) { answer_registered(later, reply, {}); });
}

void plan_job(Exchange& exchange) {
    std::optional<JobBody> body = read_valid_job(exchange);
    if (!body) return;
    const bool diff = member_or(body->whole, "Diff", false);
    exchange.ask(node::PlanJob{body->job}, [job = body->job, warnings = std::move(body->warnings),
                                            diff](Exchange& later, NodeReply reply) {
        if (!reply.ok()) return later.fail(reply.error());
        auto* planned = std::get_if<node::Planned>(&*reply);
        if (planned == nullptr) return later.refuse(500, "the node did not answer with a plan");
        std::vector<std::string>& said = planned->plan.warnings;
        said.insert(said.begin(), warnings.begin(), warnings.end());
        later.respond({.index = planned->job_modify_index}, render_plan(job, *planned, diff));
    });
}

void validate_job(Exchange& exchange) {
    std::optional<JobBody> body = read_job(exchange);
    if (!body) return;
    const std::vector<Diagnostic> found = findings_in(body->job);
    const auto errors = texts_of(found, Diagnostic::Severity::error);
    exchange.respond(
        {}, val(Object{{"DriverConfigValidated", val(true)},
                       {"ValidationErrors", or_null(errors)},
                       {"Error", val(errors.empty() ? "" : joined_errors(errors))},
                       {"Warnings",
                        val(joined_warnings(texts_of(found, Diagnostic::Severity::warning)))}}));
}

void parse_job_source(Exchange& exchange) {
    const std::optional<Value> body = body_object(exchange);
    if (!body) return;
    const auto source = member_or<std::string>(*body, "JobHCL", "");
    if (source.empty()) return exchange.refuse(400, "Job spec is empty");
    VariableInputs inputs;
    if (const auto variables = member_or<std::string>(*body, "Variables", ""); !variables.empty())
        inputs.files.push_back({.name = "Variables", .text = variables});
    const Parsed parsed = parse_job(source, "JobHCL", inputs);
    if (!parsed.job) return exchange.refuse(400, to_string(parsed.diagnostics));
    exchange.respond({}, job_to_api_value(*parsed.job));
}

}  // namespace gaggle
