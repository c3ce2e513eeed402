#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

namespace {

/// A job whose task shows the variable `x` in its env, `x` declared with `inside`.
std::string showing_x(const std::string& inside, const std::string& shown = "${var.x}") {
    return job_with("env {\n X = \"v=" + shown + "\"\n}", "", "",
                    "variable \"x\" {\n" + inside + "\n}");
}

std::string x_of(const Job& job) { return job.groups[0].tasks[0].env.at("X").substr(2); }

}  // namespace

TEST_CASE("the last source of a variable wins: default, environment, files in order, argument") {
    const std::string text = showing_x("default = \"default\"");
    VariableInputs inputs;
    CHECK(x_of(good(text, inputs)) == "default");
    inputs.environment = {
        {"NOMAD_VAR_x", "environment"}, {"NOMAD_VAR_unknown", "ignored"}, {"PATH", "/"}};
    CHECK(x_of(good(text, inputs)) == "environment");
    inputs.files = {{"a.hcl", "x = \"first\"\n"}};
    CHECK(x_of(good(text, inputs)) == "first");
    inputs.files.push_back({"b.json", R"({"x": "second"})"});
    CHECK(x_of(good(text, inputs)) == "second");
    inputs.arguments = {{"x", "argument"}};
    CHECK(x_of(good(text, inputs)) == "argument");
}

TEST_CASE("a text is read as HCL unless the type is a string or a number") {
    struct Row {
        std::string type, text, shown, value;
    };
    for (const Row& row :
         {Row{"string", "[1]", "${var.x}", "[1]"},
          {"number", "12", "${var.x + 1}", "13"},
          {"any", "true", "${var.x}", "true"},
          {"bool", "true", "${var.x ? 1 : 2}", "1"},
          {"list(string)", "[\"a\", 5]", "${var.x[1]}", "5"},
          {"set(string)", "[\"a\", \"a\", \"b\"]", "${var.x[1]}", "b"},
          {"map(number)", "{a = \"7\"}", "${var.x.a + 1}", "8"},
          {"object({a = string, b = optional(number)})", "{a = 1, c = 2}", "${var.x.a}", "1"},
          {"tuple([string, number])", "[1, 2]", "${var.x[1]}", "2"}}) {
        CAPTURE(row.type);
        const std::string text = showing_x("type = " + row.type, row.shown);
        CHECK(x_of(good(text, {.environment = {{"NOMAD_VAR_x", row.text}}})) == row.value);
        CHECK(x_of(good(text, {.arguments = {{"x", row.text}}})) == row.value);
    }
}

TEST_CASE("a value that does not fit its variable's type names its source") {
    struct Row {
        std::string type, text, error;
    };
    for (const Row& row :
         {Row{"number", "many",
              "value does not fit the variable's type: wanted a number, found a string"},
          {"list(number)", "[1, \"a\"]",
           "value does not fit the variable's type: item 1: wanted a number, found a string"},
          {"object({a = string})", "{}",
           "value does not fit the variable's type: field `a` is missing"},
          {"tuple([string])", "[]",
           "value does not fit the variable's type: wanted 1 items, found 0"},
          {"bool", "[", "a value is missing here"},
          {"list(string)", "[var.y]", "the value of a variable cannot name another one: var.y"}}) {
        CAPTURE(row.type);
        const std::string said =
            bad(showing_x("type = " + row.type), {.arguments = {{"x", row.text}}});
        CHECK(said.starts_with("-var x"));
        CHECK(said.find(row.error) != std::string::npos);
    }
}

TEST_CASE("what is not declared is refused in files and arguments") {
    const std::string text = showing_x("default = 1");
    CHECK(bad(text, {.arguments = {{"xx", "1"}}}) ==
          "-var xx: error: variable `xx` is not declared in the job file; did you mean `x`?\n");
    CHECK(
        bad(text, {.files = {{"a.hcl", "x = 1\nother = 2\n"}}}) ==
        "a.hcl:2:1: error: variable `other` is not declared in the job file; allowed here: `x`\n");
    CHECK(bad(text, {.files = {{"a.json", "{\"x\": "}}}).starts_with("a.json: error: not JSON: "));
    CHECK(bad(text, {.files = {{"a.hcl", "x {\n}\n"}}}) ==
          "a.hcl:1:1: error: block `x` has no place in a file of variables; write `name = value` "
          "lines\n");
}

TEST_CASE("a variable without a value says how to give one; null is a value") {
    CHECK(bad(showing_x("type = string", "")) ==
          "test.nomad:1:1: error: variable `x` has no value; give it with -var x=..., with "
          "-var-file, or as "
          "NOMAD_VAR_x in the environment\n");
    const Job job = good(job_with("user = var.u", "", "", "variable \"u\" {\n default = null\n}"));
    CHECK(job.groups[0].tasks[0].user.empty());
}

TEST_CASE("`variables` declares several at once") {
    const Job job =
        good(job_with("user = var.a", "count = var.b", "", "variables {\n a = \"me\"\n b = 4\n}"));
    CHECK(job.groups[0].tasks[0].user == "me");
    CHECK(job.groups[0].count == 4);
}

}  // namespace gaggle
