// What is wrong with a job's tasks is told before anybody runs them.
#include "allocrunner/job_objections.h"

#include <doctest/doctest.h>

namespace gaggle::allocrunner {

namespace {

Value text(std::string word) { return Value{std::move(word)}; }

Job job_of(const std::string& driver, Value::Map config, std::vector<Template> templates = {}) {
    Task task;
    task.name = "t";
    task.driver = driver;
    task.config = std::move(config);
    task.templates = std::move(templates);
    TaskGroup group;
    group.name = "g";
    group.tasks = {task};
    Job job;
    job.groups = {group};
    return job;
}

Template of_text(std::string data) {
    Template out;
    out.data = std::move(data);
    out.destination = "local/a";
    return out;
}

/// "path: message", of the only finding; "" without any.
std::string said(const Job& job) {
    const std::vector<Diagnostic> found = objections_to(job);
    REQUIRE(found.size() <= 1);
    return found.empty() ? "" : found[0].path + ": " + found[0].message;
}

bool begins(const std::string& whole, const std::string& part) { return whole.starts_with(part); }

}  // namespace

TEST_CASE("a driver judges its config before anybody runs it") {
    for (const char* driver : {"raw_exec", "exec"}) {
        CAPTURE(driver);
        const std::string of = "job.group.g.task.t.config: config of driver " + std::string(driver);
        CHECK(said(job_of(driver, {{"command", text("/bin/true")}})).empty());
        CHECK(begins(said(job_of(driver, {{"comand", text("/bin/true")}})),
                     of + ": unknown option comand; it knows command, args"));
        CHECK(begins(said(job_of(driver, {})), of + ": option command must be"));
        CHECK(begins(said(job_of(driver, {{"command", text("/a")}, {"work_dir", text("b")}})), of));
    }
    CHECK(said(job_of("docker", {{"image", text("redis:7")}})).empty());
    CHECK(begins(said(job_of("docker", {{"image", text("redis:7")}, {"imag", text("x")}})),
                 "job.group.g.task.t.config: config of driver docker: unknown option imag"));
}

TEST_CASE("a value that the peer fills in is judged there, its option's name here") {
    const Value later = text("${meta.tool}");
    CHECK(said(job_of("raw_exec", {{"command", later}})).empty());
    CHECK(said(job_of("raw_exec", {{"command", text("/a")}, {"oom_score_adj", later}})).empty());
    CHECK(said(job_of("docker", {{"image", text("a:${meta.tag}")}, {"tty", later}})).empty());
    CHECK(said(job_of("raw_exec", {{"command", later}, {"arg", later}}))
              .find("unknown option arg;") != std::string::npos);
    const Value::Map mixed{{"args", Value{Value::List{later}}}, {"command", text("")}};
    CHECK(said(job_of("raw_exec", mixed)).find("option command must be") != std::string::npos);
}

TEST_CASE("a driver that nobody here knows is a warning") {
    const auto found = objections_to(job_of("quantum", {{"anything", text("goes")}}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Diagnostic::Severity::warning);
    CHECK(found[0].path == "job.group.g.task.t.driver");
    CHECK(found[0].message.find("\"quantum\"") != std::string::npos);
}

TEST_CASE("a template that does not parse is named with its place") {
    const Value::Map config{{"command", text("/bin/true")}};
    CHECK(said(job_of("raw_exec", config, {of_text(R"({{ env "A" }})")})).empty());
    const std::string wrong = said(job_of("raw_exec", config, {of_text("x\n{{ foo }")}));
    CHECK(begins(wrong,
                 "job.group.g.task.t.template.0: template of destination \"local/a\": "));
    Template other = of_text("[[ foo ]]");  // with the usual ones it is only text
    CHECK(said(job_of("raw_exec", config, {other})).empty());
    other.left_delimiter = "[[";
    other.right_delimiter = "]]";
    CHECK_FALSE(said(job_of("raw_exec", config, {other})).empty());
    Template brought = of_text("");
    brought.source = "local/from.tpl";
    CHECK(said(job_of("raw_exec", config, {brought})).empty());
}

}  // namespace gaggle::allocrunner
