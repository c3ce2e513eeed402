#include "gctl/cli/job_file.h"

#include <algorithm>

#include "allocrunner/job_objections.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

constexpr std::string_view kVariablePrefix = "NOMAD_VAR_";
constexpr std::size_t kSourceLineMax = 160;

Result<VariableInputs> read_variables(const JobFile& file, const World& world) {
    VariableInputs out;
    for (const auto& [name, value] : world.environment)
        if (name.starts_with(kVariablePrefix)) out.environment[name] = value;
    for (const std::string& path : file.variable_files)
        out.files.push_back({path, TRY(world.read_file(path))});
    for (const std::string& pair : file.variables) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            return Error{Errc::invalid, "-var \"" + pair + "\": wanted name=value"};
        out.arguments[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    return out;
}

std::string line_of(std::string_view source, int number) {
    std::size_t at = 0;
    for (int line = 1; line < number; ++line) {
        at = source.find('\n', at);
        if (at == std::string_view::npos) return "";
        ++at;
    }
    std::string out(source.substr(at, source.find('\n', at) - at));
    if (!out.empty() && out.back() == '\r') out.pop_back();
    return out;
}

/// What stands before the mark: tabs stay tabs, so that it comes to stand under its column.
std::string lead_of(const std::string& line, int column) {
    std::string out;
    int at = 1;
    for (const char letter : line) {
        const bool continued = (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U;
        if (continued) continue;
        if (at++ >= column) break;
        out += letter == '\t' ? '\t' : ' ';
    }
    return out;
}

}  // namespace

std::string diagnostics_text(const Console& console, const std::vector<Diagnostic>& diagnostics,
                             const Texts& texts) {
    std::string out;
    for (const Diagnostic& one : diagnostics) {
        const bool error = one.severity == Diagnostic::Severity::error;
        const Tone tone = error ? Tone::bad : Tone::warn;
        std::string place = one.file;
        if (one.line > 0)
            place += ":" + std::to_string(one.line) + ":" + std::to_string(one.column);
        out += console.paint(Tone::strong, place + ": ") +
               console.paint(tone, error ? "error: " : "warning: ") + one.message + "\n";
        const auto text = texts.find(one.file);
        const bool known = one.line > 0 && text != texts.end();
        const std::string line = known ? line_of(text->second, one.line) : "";
        const std::string number = std::to_string(one.line);
        const std::string margin(number.size() + 2, ' ');
        if (!line.empty() && line.size() <= kSourceLineMax)
            out += console.paint(Tone::faint, "  " + number + " | ") + line + "\n" +
                   console.paint(Tone::faint, margin + " | ") + lead_of(line, one.column) +
                   console.paint(tone, "^") + "\n";
        if (line.empty() && !one.path.empty()) out += "  in " + one.path + "\n";
        if (!one.hint.empty()) out += "  " + one.hint + "\n";
    }
    return out;
}

Result<ReadJob> read_job(const JobFile& file, const Context& context) {
    auto source = context.world.read_file(file.path);
    if (!source.ok()) return within("job file", source.error());
    const auto variables = read_variables(file, context.world);
    if (!variables.ok()) return within("variables of " + file.path, variables.error());
    const std::string shown = file.path == "-" ? "<standard input>" : file.path;
    Parsed parsed = parse_job(*source, shown, *variables, allocrunner::objections_to);
    Texts texts{{shown, std::move(*source)}};
    for (const VariableFile& one : variables->files) texts[one.name] = one.text;
    return ReadJob{std::move(texts), std::move(parsed)};
}

Result<Job> valid_job(const JobFile& file, const Context& context) {
    ReadJob read = TRY(read_job(file, context));
    std::string text = diagnostics_text(context.console, read.parsed.diagnostics, read.texts);
    if (!text.empty()) text.pop_back();
    if (!text.empty()) context.console.note(text);
    if (read.parsed.job) return std::move(*read.parsed.job);
    const auto errors = std::count_if(
        read.parsed.diagnostics.begin(), read.parsed.diagnostics.end(),
        [](const Diagnostic& one) { return one.severity == Diagnostic::Severity::error; });
    return Error{Errc::invalid, "read job file " + file.path + ": " + counted(errors, "error") +
                                    "; nothing was submitted"};
}

}  // namespace gaggle::cli
