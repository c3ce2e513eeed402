#include "placement/jobspec/jobspec.h"

#include <algorithm>
#include <tuple>

#include "placement/jobspec/canonical.h"
#include "placement/jobspec/decode.h"
#include "placement/jobspec/hcl_lexer.h"
#include "placement/jobspec/hcl_parse.h"
#include "placement/jobspec/variables.h"

namespace gaggle {

namespace {

using Positions = std::map<std::string, Position>;

Parsed refused(const std::string& file, Position at, std::string message, std::string hint = "") {
    Diagnostics diagnostics(file);
    diagnostics.error(at, std::move(message), std::move(hint));
    return {.job = std::nullopt, .diagnostics = diagnostics.take()};
}

/// Judges the canonical job; the job is handed on only when nothing is wrong with it.
Parsed judged(Job job, std::vector<Diagnostic> so_far, const std::string& file,
              const Positions& positions, const JobJudge& also) {
    std::vector<Diagnostic> findings = validate(job);
    if (also)
        for (Diagnostic& finding : also(job)) findings.push_back(std::move(finding));
    for (Diagnostic& finding : findings) {
        finding.file = file;
        // The nearest that was written: a missing attribute is shown at its block.
        for (std::string path = finding.path; !path.empty();) {
            if (const auto found = positions.find(path); found != positions.end()) {
                finding.line = found->second.line;
                finding.column = found->second.column;
                break;
            }
            const std::size_t dot = path.rfind('.');
            path.resize(dot == std::string::npos ? 0 : dot);
        }
    }
    so_far.insert(so_far.end(), findings.begin(), findings.end());
    std::stable_sort(so_far.begin(), so_far.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    if (has_errors(so_far)) return {.job = std::nullopt, .diagnostics = std::move(so_far)};
    return {.job = std::move(job), .diagnostics = std::move(so_far)};
}

Parsed parse_json(std::string_view source, const std::string& file, const JobJudge& also) {
    auto job = job_from_api_json(source);
    if (!job.ok()) return refused(file, {0, 0}, job.error().detail);
    return judged(*std::move(job), {}, file, {}, also);
}

/// The only `job` block; nullptr after an error. Reports what else has no place at the top.
const hcl::Block* only_job(const hcl::Body& body, Diagnostics& diagnostics) {
    const hcl::Block* job = nullptr;
    for (const hcl::Attribute& attribute : body.attributes)
        diagnostics.error(attribute.at,
                          "attribute `" + attribute.name + "` has no place outside a block");
    for (const hcl::Block& block : body.blocks) {
        if (block.type == "variable" || block.type == "variables") continue;
        if (block.type == "job") {
            if (job == nullptr)
                job = &block;
            else
                diagnostics.error(
                    block.at,
                    "a second `job` block; the first is on line " + std::to_string(job->at.line),
                    "one file describes one job");
        } else if (block.type == "locals") {
            diagnostics.error(block.at, "`locals` are not supported yet",
                              "use `variable` blocks with a default");
        } else {
            diagnostics.error(block.at, "unknown block `" + block.type + "` outside a job",
                              did_you_mean(block.type, {"job", "variable", "variables"}));
        }
    }
    if (job == nullptr && diagnostics.errors() == 0)
        diagnostics.error({1, 1}, "there is no `job` block", "write `job \"name\" { ... }`");
    return job;
}

Parsed parse_hcl(std::string_view source, const std::string& file, const VariableInputs& inputs,
                 const JobJudge& also) {
    Diagnostics diagnostics(file);
    std::vector<Diagnostic> elsewhere;
    const hcl::Body body = hcl::parse_body(source, diagnostics);
    const hcl::Block* block = only_job(body, diagnostics);
    const hcl::Scope scope = resolve_variables(body, inputs, diagnostics, elsewhere);
    Positions positions;
    JobDraft draft;
    if (block != nullptr) draft = decode_job(*block, scope, diagnostics, positions);
    std::vector<Diagnostic> found = diagnostics.take();
    found.insert(found.end(), elsewhere.begin(), elsewhere.end());
    // Rules between values are judged only on values that are all there.
    if (has_errors(found)) return {.job = std::nullopt, .diagnostics = std::move(found)};
    return judged(canonical(std::move(draft)), std::move(found), file, positions, also);
}

}  // namespace

Parsed parse_job(std::string_view source, const std::string& file, const VariableInputs& inputs,
                 const JobJudge& also) {
    if (source.size() > kJobSourceBytesMax)
        return refused(file, {0, 0},
                       "a job file of " + std::to_string(source.size()) + " bytes; at most " +
                           std::to_string(kJobSourceBytesMax) + " are read");
    if (const std::size_t bad = invalid_utf8(source); bad != std::string_view::npos)
        return refused(file, advance(Position{}, source.substr(0, bad)), "this byte is not UTF-8",
                       "save the file as UTF-8 text");
    if (source.starts_with("\xef\xbb\xbf")) source.remove_prefix(3);  // the mark some editors leave
    const std::size_t first = source.find_first_not_of(" \t\r\n");
    const bool is_json = first != std::string_view::npos && source[first] == '{';
    if (is_json) return parse_json(source, file, also);
    return parse_hcl(source, file, inputs, also);
}

}  // namespace gaggle
