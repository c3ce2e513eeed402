#include "gctl/cli/commands.h"
#include "gctl/cli/job_file.h"

namespace gaggle::cli {

namespace {

Value finding(const Diagnostic& one) {
    const bool error = one.severity == Diagnostic::Severity::error;
    return Value{Value::Map{{"Severity", Value{error ? "error" : "warning"}},
                            {"File", Value{one.file}},
                            {"Line", Value{std::int64_t{one.line}}},
                            {"Column", Value{std::int64_t{one.column}}},
                            {"Message", Value{one.message}},
                            {"Hint", Value{one.hint}},
                            {"Path", Value{one.path}}}};
}

}  // namespace

Result<int> run(const JobValidate& command, const Context& context) {
    if (!context.json) {
        const Job job = TRY(valid_job(command.file, context));
        context.console.line("Job \"" + job.id +
                             "\": " + context.console.paint(Tone::good, "validation successful"));
        return 0;
    }
    const ReadJob read = TRY(read_job(command.file, context));
    Value::List findings;
    for (const Diagnostic& one : read.parsed.diagnostics) findings.push_back(finding(one));
    const bool valid = read.parsed.job.has_value();
    context.print_json(
        Value{Value::Map{{"Valid", Value{valid}}, {"Diagnostics", Value{findings}}}});
    return valid ? 0 : 1;
}

}  // namespace gaggle::cli
