// What an expression is worth: one row for each quirk of the language that job files meet.
#include "placement/jobspec/hcl_eval.h"
#include "placement/jobspec/hcl_parse.h"
#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

namespace {

const hcl::Scope& scope() {
    static const hcl::Scope kScope{
        .variables = {
            {"image", Value{std::string("redis:7")}},
            {"count", Value{std::int64_t{3}}},
            {"ratio", Value{0.5}},
            {"on", Value{true}},
            {"zones", Value{Value::List{Value{std::string("a")}, Value{std::string("b")}}}},
            {"size", Value{Value::Map{{"cpu", Value{std::int64_t{100}}},
                                      {"tags", Value{Value::List{Value{std::int64_t{7}}}}}}}}}};
    return kScope;
}

/// The value as JSON, or all errors.
std::string worth(const std::string& text) {
    Diagnostics diagnostics("x");
    const auto expression = hcl::parse_expression(text, diagnostics);
    std::optional<Value> value;
    if (expression != nullptr) value = hcl::Evaluator(scope(), diagnostics).value_of(*expression);
    if (value) return json(*value);
    return to_string(diagnostics.take());
}

struct Row {
    std::string text, worth;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(worth(row.text) == row.worth);
    }
}

}  // namespace

TEST_CASE("literals") {
    check({{"1", "1"},
           {"1.5", "1.5"},
           {"2.0", "2"},
           {"1e3", "1000"},
           {"9223372036854775807", "9223372036854775807"},
           {"-7", "-7"},
           {"true", "true"},
           {"null", "null"},
           {"[1, \"a\", true,]", R"([1,"a",true])"},
           {"[\n1,\n2\n]", "[1,2]"},
           {"{a = 1, \"b c\" : 2\n (\"d\") = 3,}", R"({"a":1,"b c":2,"d":3})"},
           {"{}", "{}"},
           {"[] // rest", "[]"},
           {"/* a */ 1 # b", "1"}});
}

TEST_CASE("strings: escapes and what is kept") {
    check({{R"("a\n\t\r\"\\b")", R"("a\n\t\r\"\\b")"},
           {R"("\u00e9\U0001F600")", "\"\u00e9\U0001F600\""},
           {R"("$${x} %%{y} $x %y $")", R"("${x} %{y} $x %y $")"},
           {R"("${"a"}")", R"("a")"},
           {R"("${"a${"b"}c"}d")", R"("abcd")"}});
}

TEST_CASE("heredocs: << keeps the indentation, <<- takes off what all lines share") {
    check({{"<<X\n  a\n b\\n\nX", R"("  a\n b\\n\n")"},
           {"<<-X\n  a\n    b\n\n  c\n  X", R"("a\n  b\n\nc\n")"},
           {"<<-X\n  a ${var.count}\n  X", R"("a 3\n")"},
           {"<<-X\n    ${var.count}\n  b\n  X", R"("  3\nb\n")"},
           {"<<X\nX", R"("")"},
           {"[<<X\na\nX\n, 1]", R"(["a\n",1])"}});
}

TEST_CASE("variables and their parts") {
    check({{"var.image", R"("redis:7")"},
           {"var.zones[1]", R"("b")"},
           {"var.zones.0", R"("a")"},
           {"var.size.cpu", "100"},
           {"var.size[\"tags\"][0]", "7"},
           {"[1, 2][1]", "2"},
           {"{a = 5}.a", "5"},
           {"\"${var.count}\"", "3"},  // alone it keeps its type
           {"\"n${var.count}-${var.ratio}-${var.on}\"", R"("n3-0.5-true")"},
           {"\"${var.image}-${attr.cpu.arch}\"", R"("redis:7-${attr.cpu.arch}")"}});
}

TEST_CASE("any other name is kept as its text for the peer that runs the task") {
    check({{"attr.kernel.name", R"("${attr.kernel.name}")"},
           {"\"pre-${attr.cpu.arch}-post\"", R"("pre-${attr.cpu.arch}-post")"},
           {"\"${NOMAD_PORT_http}\"", R"("${NOMAD_PORT_http}")"},
           {"\"${env[\"ODD NAME\"]}\"", R"("${env[\"ODD NAME\"]}")"},
           {"meta.rack-1", R"("${meta.rack-1}")"},
           {"\"${ node.class }\"", R"("${node.class}")"},
           {"[NOMAD_IP_db]", R"(["${NOMAD_IP_db}"])"}});
}

TEST_CASE("operators") {
    check({{"1 + 2 * 3", "7"},
           {"(1 + 2) * 3", "9"},
           {"10 - 4 - 3", "3"},
           {"7 / 2", "3.5"},
           {"8 / 2", "4"},
           {"7 % 4", "3"},
           {"\"5\" + 1", "6"},
           {"var.count + 1", "4"},
           {"9223372036854775807 + 1", "9.223372036854776e+18"},
           {"1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "true"},
           {"false || !false", "true"},
           {"1 == 1.0", "true"},
           {"\"1\" == 1", "false"},
           {"[1] == [1]", "true"},
           {"var.on ? \"yes\" : \"no\"", R"("yes")"},
           {"false ? 1 : true ? 2 : 3", "2"},
           {"-var.count", "-3"},
           {"!!true", "true"}});
}

TEST_CASE("what cannot be evaluated says why and where") {
    check(
        {{"var.cuont", "x:1:1: error: variable `cuont` is not declared; did you mean `count`?\n"},
         {"var", "x:1:1: error: `var` alone is no value; write `var.name`\n"},
         {"var.size.cpus",
          "x:1:9: error: no attribute `cpus` in this object; did you mean `cpu`?\n"},
         {"var.zones[2]", "x:1:10: error: no item 2 in this list of 2; items are counted from 0\n"},
         {"var.zones[-1]",
          "x:1:10: error: no item -1 in this list of 2; items are counted from 0\n"},
         {"var.count.x", "x:1:10: error: a number has no parts to choose from\n"},
         {"\"a${var.zones}\"", "x:1:5: error: a list cannot stand inside a string\n"},
         {"\"a${null}\"", "x:1:5: error: null cannot stand inside a string\n"},
         {"1 / 0", "x:1:1: error: division by zero\n"},
         {"1 + []", "x:1:1: error: `+` wants numbers, found a list\n"},
         {"1 ? 2 : 3", "x:1:1: error: wanted true or false, found a number\n"},
         {"{a = 1, a = 2}", "x:1:9: error: key `a` is given twice\n"},
         {"upper(\"x\")",
          "x:1:1: error: functions are not supported yet: `upper`; give the value itself, "
          "or pass it in as a variable\n"},
         {"var.zones[*]", "x:1:11: error: splat expressions (`*`) are not supported yet\n"},
         {"[for x in []: x]", "x:1:2: error: for-expressions are not supported yet\n"},
         {"{for k, v in {}: k => v}", "x:1:2: error: for-expressions are not supported yet\n"},
         {"\"%{if true}\"",
          "x:1:2: error: template directives (`%{...}`) are not supported yet; write `%%{` "
          "where the text itself is meant\n"},
         {"local.x",
          "x:1:1: error: `locals` are not supported yet: local.x; use a `variable` with a "
          "default\n"},
         {"\"\\ud800\"",
          "x:1:2: error: `\\ud800` is not a character; write four hexadecimal digits after \\u, "
          "eight after \\U\n"},
         {"1 2", "x:1:3: error: unexpected `2` after an expression\n"},
         {"", "x:1:1: error: a value is missing here\n"},
         {"<<X\nabc",
          "x:1:1: error: heredoc `X` is not closed; end it with a line that says only X\n"},
         {"/* open", "x:1:1: error: comment is not closed; end it with `*/`\n"}});
}

TEST_CASE("columns count characters, not bytes") {
    CHECK(worth("[\"\u00e9\u00e9\", var.no]").starts_with("x:1:8: "));
    CHECK(worth("[\n  \"\U0001F600\", var.no]").starts_with("x:2:8: "));
}

TEST_CASE("depth is bounded, whatever makes it") {
    const auto repeat = [](const std::string& text, int times) {
        std::string all;
        for (int i = 0; i < times; ++i) all += text;
        return all;
    };
    CHECK(worth(repeat("[", 60) + repeat("]", 60)).starts_with("[["));
    for (const std::string& deep :
         {repeat("[", 100'000), repeat("(", 100'000), repeat("{a=", 100'000), repeat("!", 100'000),
          repeat("-", 100'000), repeat("\"${", 100'000), "1" + repeat("+1", 100'000),
          "1" + repeat("==1", 100'000), repeat("true?", 100'000), repeat("a(", 100'000),
          repeat("a[", 100'000), "x" + repeat("[y", 70) + repeat("]", 70)}) {
        CAPTURE(deep.substr(0, 8));
        CHECK(worth(deep).find("error: ") != std::string::npos);
    }
    CHECK(worth("a" + repeat(".b", 1000)).starts_with("\"${a.b"));
}

TEST_CASE("a large variable that is named often is refused, not multiplied") {
    hcl::Scope large{.variables = {{"a", Value{std::string(1U << 20U, 'x')}}}};
    std::string text = "[";
    for (int i = 0; i < 100; ++i) text += "var.a, ";
    Diagnostics diagnostics("x");
    const auto expression = hcl::parse_expression(text + "]", diagnostics);
    REQUIRE(expression != nullptr);
    CHECK(!hcl::Evaluator(large, diagnostics).value_of(*expression));
    CHECK(to_string(diagnostics.take()).find("the job's values together exceed 16 MiB") !=
          std::string::npos);
}

}  // namespace gaggle
