// Rules for what is made ready before a task starts, and for parameterized jobs.
//
// Paths are judged as they are written, before anything is interpolated; the peer judges the real
// ones again when it opens them.
#include <algorithm>
#include <charconv>
#include <set>

#include "placement/jobspec/signals.h"
#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

/// Leads out of the allocation's directory. `depth`: how far below that directory `path` begins.
bool escapes(std::string_view path, int depth) {
    while (!path.empty()) {
        const std::string_view step = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), step.size() + 1));
        if (step == "..") --depth;
        if (!step.empty() && step != "." && step != "..") ++depth;
        if (depth < 0) return true;
    }
    return false;
}

constexpr int kTaskDirectory = 1;   // <alloc>/<task>
constexpr int kLocalDirectory = 2;  // <alloc>/<task>/local

/// "0644": digits from 0 to 7, at most 07777.
bool is_permissions(const std::string& text) {
    unsigned bits = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), bits, 8);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && bits <= 07777;
}

void validate_change(const Template& one, const std::string& at, Findings& out) {
    if (one.change_mode == ChangeMode::signal) {
        out.check(!one.env, at + ".change_mode",
                  "a template with env = true cannot have change_mode \"signal\"",
                  "a running task's environment does not change: use \"restart\"");
        out.check(signal_number(one.change_signal).has_value(), at + ".change_signal",
                  one.change_signal.empty() ? "change_mode \"signal\" needs a `change_signal`"
                                            : "unknown signal \"" + one.change_signal + "\"",
                  did_you_mean(one.change_signal, signal_names()));
    }
    if (one.change_mode == ChangeMode::script)
        out.check(one.change_script && !one.change_script->command.empty(), at,
                  "change_mode \"script\" needs a `change_script` with a `command`");
    out.check(!one.change_script || one.change_script->timeout >= 0s, at + ".change_script.timeout",
              "timeout of `change_script` is negative");
}

void validate_template(const Template& one, const std::string& at, Findings& out) {
    out.check(one.source.empty() != one.data.empty(), at,
              "a template has either `source` or `data`");
    out.check(!one.destination.empty(), at, "a template needs a `destination`",
              "such as destination = \"local/file\"");
    out.check(!escapes(one.destination, kTaskDirectory), at + ".destination",
              "destination \"" + one.destination + "\" leads out of the allocation's directory");
    validate_change(one, at, out);
    out.check(one.splay >= 0s, at + ".splay", "splay is negative");
    out.check(is_permissions(one.perms), at + ".perms",
              "perms \"" + one.perms + "\" is no file mode", "write it in octal, as \"0644\"");
    const auto owner = [&](const std::optional<std::int64_t>& id, const char* name) {
        out.check(!id || *id <= 0xfffffffeLL, at + "." + name,
                  std::string(name) + " of a template is above 4294967294");
    };
    owner(one.uid, "uid");
    owner(one.gid, "gid");
    if (!one.wait) return;
    out.check(one.wait->min >= 0s && one.wait->min <= one.wait->max, at + ".wait",
              "min of `wait` is negative or longer than max");
}

/// "sha256:<64 hexadecimal digits>" and its like; nothing is known of one that is interpolated.
void validate_checksum(const std::string& checksum, const std::string& at, Findings& out) {
    if (checksum.find("${") != std::string::npos) return;
    const std::string hint = "write it as \"sha256:<hexadecimal digits>\"";
    const std::map<std::string, std::size_t> digits{
        {"md5", 32}, {"sha1", 40}, {"sha256", 64}, {"sha512", 128}};
    const std::size_t colon = checksum.find(':');
    const auto kind = digits.find(checksum.substr(0, colon));
    if (colon == std::string::npos || kind == digits.end())
        return out.error(at, "checksum \"" + checksum + "\" is of no known kind", hint);
    const std::string_view value = std::string_view(checksum).substr(colon + 1);
    const bool hexadecimal = std::all_of(value.begin(), value.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
    out.check(hexadecimal && value.size() == kind->second, at,
              "a checksum of kind " + kind->first + " has " + std::to_string(kind->second) +
                  " hexadecimal digits, found \"" + std::string(value) + "\"",
              hint);
}

void validate_artifact(const Artifact& one, const std::string& at, Findings& out) {
    out.check(!one.source.empty(), at, "an artifact needs a `source`");
    out.check(!escapes(one.destination, kTaskDirectory), at + ".destination",
              "destination \"" + one.destination + "\" leads out of the allocation's directory");
    if (const auto checksum = one.options.find("checksum"); checksum != one.options.end())
        validate_checksum(checksum->second, at + ".options", out);
}

}  // namespace

void validate_setup(const Task& task, const std::string& path, Findings& out) {
    out.check(!task.lifecycle || task.lifecycle->hook != Lifecycle::Hook::none, path + ".lifecycle",
              "`lifecycle` needs a `hook`", "use \"prestart\", \"poststart\" or \"poststop\"");
    for (std::size_t i = 0; i < task.artifacts.size(); ++i)
        validate_artifact(task.artifacts[i], path + ".artifact." + std::to_string(i), out);
    std::set<std::string> destinations;
    for (std::size_t i = 0; i < task.templates.size(); ++i) {
        const std::string at = path + ".template." + std::to_string(i);
        validate_template(task.templates[i], at, out);
        const std::string& destination = task.templates[i].destination;
        out.check(destinations.insert(destination).second, at + ".destination",
                  "two templates have destination \"" + destination + "\"");
    }
    if (!task.dispatch_payload) return;
    const std::string& file = task.dispatch_payload->file;
    out.check(!file.empty(), path + ".dispatch_payload", "`dispatch_payload` needs a `file`");
    out.check(!escapes(file, kLocalDirectory), path + ".dispatch_payload.file",
              "file \"" + file + "\" leads out of the allocation's directory");
}

void validate_parameterized(const Job& job, Findings& out) {
    const std::string path = "job.parameterized";
    out.check(job.type == JobType::batch || job.type == JobType::sysbatch, path,
              "only batch and sysbatch jobs are parameterized",
              "add `type = \"batch\"` to the job");
    const auto& required = job.parameterized->meta_required;
    for (const std::string& key : job.parameterized->meta_optional)
        out.check(!is_one_of(required, key), path + ".meta_optional",
                  "meta \"" + key + "\" is required and optional at once");
}

}  // namespace gaggle
