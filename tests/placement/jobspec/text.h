// What the tests of job files share: short jobs, files of the repository, values as text.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "placement/jobspec/jobspec.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::jobtest {

/// A job with `group`, `task` and `top` written into it.
inline std::string job_with(const std::string& task, const std::string& group = "",
                            const std::string& job = "", const std::string& top = "") {
    return top + "\njob \"web\" {\n" + job + "\ngroup \"g\" {\n" + group +
           "\ntask \"t\" {\ndriver = \"raw_exec\"\n" + task + "\n}\n}\n}\n";
}

/// The job of a text that must be good.
inline Job good(const std::string& text, const VariableInputs& inputs = {}) {
    Parsed parsed = parse_job(text, "test.nomad", inputs);
    REQUIRE_MESSAGE(parsed.job.has_value(), to_string(parsed.diagnostics) << text);
    return *parsed.job;
}

/// What is said about a text that must be bad.
inline std::string bad(const std::string& text, const VariableInputs& inputs = {}) {
    const Parsed parsed = parse_job(text, "test.nomad", inputs);
    CHECK_MESSAGE(!parsed.job.has_value(), text);
    return to_string(parsed.diagnostics);
}

inline std::string json(const Value& value) { return value_to_json(value); }

/// A file or folder of the repository, found from the working directory upward.
inline std::filesystem::path in_repository(const std::string& path) {
    for (auto at = std::filesystem::current_path(); at.has_relative_path(); at = at.parent_path())
        if (std::filesystem::exists(at / path)) return at / path;
    return path;
}

inline std::string read(const std::filesystem::path& path) {
    std::ifstream in(path);
    REQUIRE_MESSAGE(in.good(), "cannot open " << path.string());
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace gaggle::jobtest
