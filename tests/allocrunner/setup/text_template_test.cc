#include <doctest/doctest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/rng.h"
#include "tests/allocrunner/setup/template_world.h"

using namespace gaggle;
using namespace gaggle::setup;

namespace {

struct Row {
    const char* text;
    const char* result;
};

void check(std::initializer_list<Row> rows) {
    const TestWorld world;
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(world.shown(row.text) == row.result);
    }
}

/// An error is compared by its beginning and by what it must mention.
void check_error(const TestWorld& world, const char* text, const char* begins,
                 const char* mentions) {
    CAPTURE(text);
    const std::string shown = world.shown(text);
    CAPTURE(shown);
    CHECK(shown.starts_with(std::string("! ") + begins));
    CHECK(shown.find(mentions) != std::string::npos);
}

}  // namespace

TEST_CASE("actions stand between text, and trim marks take blanks") {
    check({{"", ""},
           {"plain", "plain"},
           {"a {{ 1 }} b", "a 1 b"},
           {"a {{- 1 -}} b", "a1b"},
           {"a\n\n{{- 1 }}\nb", "a1\nb"},
           {"{{ 1 -}}  \n {{- 2 }}", "12"},
           {"x{{/* nothing */}}y", "xy"},
           {"x {{- /* nothing\n at all */ -}} y", "xy"},
           {"{{ -1 }}{{- -2 }}", "-1-2"},
           {"{{ \"}}\" }}", "}}"},
           {"{{ `a\n\"b\"` }}", "a\n\"b\""},
           {R"({{ "tab\tquote\" \x41 \u00e9" }})", "tab\tquote\" A é"},
           {"{{ 'a' }} {{ 0x1F }} {{ 1_000 }} {{ 0b11 }} {{ 0o17 }} {{ 2.50 }} {{ 1e3 }}",
            "97 31 1000 3 15 2.5 1000"},
           {"{{ true }} {{ false }} {{ nil }}", "true false <no value>"},
           {"{{\n print\n 1\n}}", "1"}});
}

TEST_CASE("if, else if, with and their truth") {
    check({{"{{ if true }}y{{ end }}", "y"},
           {"{{ if 0 }}y{{ else }}n{{ end }}", "n"},
           {"{{ if \"\" }}a{{ else if 1 }}b{{ else }}c{{ end }}", "b"},
           {"{{ if false }}a{{ else if false }}b{{ else if nil }}c{{ else }}d{{ end }}", "d"},
           {"{{ with \"x\" }}{{ . }}{{ end }}", "x"},
           {"{{ with \"\" }}{{ . }}{{ else }}none{{ end }}", "none"},
           {"{{ with $v := 7 }}{{ $v }}{{ . }}{{ end }}", "77"},
           {"{{ with \"\" }}{{ else with \"z\" }}{{ . }}{{ end }}", "z"},
           {"{{ if and 1 \"\" 2 }}y{{ else }}n{{ end }}", "n"},
           {"{{ and 1 2 }} {{ or 0 \"\" 3 }} {{ or 0 \"\" }} {{ not 0 }}", "2 3  true"},
           {"{{ if or true (index \"\" 5) }}lazy{{ end }}", "lazy"}});
}

TEST_CASE("range over lists, maps, numbers and nothing") {
    check({{"{{ range split \",\" \"a,b,c\" }}<{{ . }}>{{ end }}", "<a><b><c>"},
           {"{{ range $i, $v := split \",\" \"a,b\" }}{{ $i }}={{ $v }};{{ end }}", "0=a;1=b;"},
           {"{{ range $v := split \",\" \"a,b\" }}{{ $v }}{{ . }}{{ end }}", "aabb"},
           {"{{ range $k, $v := parseJSON `{\"b\":2,\"a\":1}` }}{{ $k }}{{ $v }}{{ end }}", "a1b2"},
           {"{{ range split \",\" \"\" }}x{{ else }}none{{ end }}", "none"},
           {"{{ range nil }}x{{ else }}none{{ end }}", "none"},
           {"{{ range 3 }}{{ . }}{{ end }}", "012"},
           {"{{ range loop 5 8 }}{{ . }}{{ end }}", "567"},
           {"{{ range loop 9 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "012"},
           {"{{ range loop 4 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "023"},
           {"{{ range loop 2 }}{{ range loop 2 }}{{ . }}{{ break }}{{ end }};{{ end }}", "0;0;"}});
}

TEST_CASE("variables live until the end of their block, and = changes an outer one") {
    check({{"{{ $x := 1 }}{{ $x }}{{ $x = 2 }}{{ $x }}", "12"},
           {"{{ $x := 1 }}{{ if true }}{{ $x := 5 }}{{ $x }}{{ end }}{{ $x }}", "51"},
           {"{{ $x := 1 }}{{ range loop 3 }}{{ $x = add $x . }}{{ end }}{{ $x }}", "4"},
           {"{{ $last := 0 }}{{ range $i, $last = loop 3 }}{{ end }}{{ $last }}",
            "! line 1, column 38: variable $i is not declared; write :="},
           {"{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}",
            "! line 1, column 39: undefined variable $x"},
           {"{{ $ }}", "<no value>"}});
}

TEST_CASE("pipelines give their value to the next command as its last argument") {
    check({{"{{ \"a\" | print \"b\" }}", "ba"},
           {"{{ 10 | divide 2 }} {{ 5 | subtract 2 }} {{ 7 | modulo 4 }}", "5 3 3"},
           {"{{ print (len \"abc\") (index (split \",\" \"x,y\") 1) }}", "3y"},
           {"{{ (parseJSON `{\"a\":{\"b\":7}}`).a.b }}", "7"},
           {"{{ $m := parseJSON `{\"a\":{\"b\":7}}` }}{{ $m.a.b }}{{ $m.c }}", "7<no value>"},
           {"{{ \"x\" | 5 }}",
            "! line 1, column 10: a value cannot be given arguments; only functions can"}});
}

TEST_CASE("define, template and block") {
    check(
        {{"{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" 1 }}{{ template \"t\" }}",
          "<1><<no value>>"},
         {"{{ block \"b\" 7 }}[{{ . }}]{{ end }}{{ template \"b\" 8 }}", "[7][8]"},
         {"{{ template \"missing\" }}", "! line 1, column 4: template \"missing\" is not defined"},
         {"{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}",
          "! line 1, column 20: templates call one another too deeply"}});
}

TEST_CASE("own delimiters") {
    const TestWorld world;
    const auto out = world.render("{{ keep }} [[ env \"NAME\" ]] <<x>>", {"[[", "]]"});
    REQUIRE(out.ok());
    CHECK(out->text == "{{ keep }} web <<x>>");
    CHECK(world.render("<<- 1 ->> 2", {"<<", ">>"})->text == "12");
}

TEST_CASE("a missing key is no value, or an error when the job says so") {
    TestWorld world;
    const char* text =
        "{{ with parseJSON `{}` }}x{{ else }}{{ (parseJSON `{\"a\":1}`).b }}{{ end }}";
    CHECK(world.shown(text) == "<no value>");
    world.error_on_missing_key = true;
    CHECK(world.shown(text) ==
          "! line 1, column 40: there is no key \"b\" (error_on_missing_key is set)");
}

TEST_CASE("errors say where and which function") {
    const TestWorld world;
    check_error(world, "a\n {{ nofunc 1 }}", "line 2, column 5",
                "function \"nofunc\" is not known");
    check_error(world, "{{ if true }}x", "line 1, column 4", "\"if\" without its end");
    check_error(world, "{{ end }}", "line 1, column 4", "\"end\" without");
    check_error(world, "{{ if 1 }}{{ else }}{{ else }}{{ end }}", "line 1, column 24",
                "a second else");
    check_error(world, "{{ \"x }}", "line 1, column 4", "a string that is not closed");
    check_error(world, "{{ print 1", "line 1, column 1", "not closed with }}");
    check_error(world, "{{ /* x }}", "line 1, column 4", "unexpected / in an action");
    check_error(world, "{{/* x }}", "line 1, column 1", "comment is not closed");
    check_error(world, "{{ }}", "line 1, column 4", "a command is missing");
    check_error(world, "{{ break }}", "line 1, column 4", "outside of a range");
    check_error(world, "{{ (print 1 }}", "line 1, column 13", "a ) is missing");
    check_error(world, "{{ 09x }}", "line 1, column 4", "is no number");
    check_error(world, "{{ split \",\" }}", "line 1, column 4",
                "function split: wants 2 arguments and has 1");
    check_error(world, "{{ 3 | join \",\" }}", "line 1, column 8",
                "function join: argument 2 must be a list, not a number");
    check_error(world, "{{ eq 1 \"1\" }}", "line 1, column 4",
                "cannot compare a number with a string");
    check_error(world, "{{ \"abc\".Name }}", "line 1, column 9", "no fields");
    check_error(world, "{{ range nomadService \"web\" }}{{ .Adress }}{{ end }}",
                "line 1, column 34",
                "service instance has no field .Adress; it has .Address, .AllocID");
    check_error(world, "{{ file \"/etc/shadow\" }}", "line 1, column 4", "function file: read");
}

TEST_CASE("what would never end is refused") {
    const TestWorld world;
    check_error(world, "{{ range loop 1000000 }}{{ range loop 1000000 }}{{ end }}{{ end }}",
                "line 1", "steps");
    check_error(world, "{{ range loop 99999999 }}{{ end }}", "line 1", "loops more than");
    check_error(
        world,
        "{{ range loop 100000 }}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{ end }}",
        "line 1", "grows beyond");
    check_error(world, "{{ printf \"%999999d\" 1 }}", "line 1", "width");
    const std::string bomb =
        "{{ $x := \"aaaaaaaa\" }}{{ range loop 40 }}{{ $x = print $x $x }}{{ end }}";
    check_error(world, bomb.c_str(), "line 1", "grows beyond");
    const std::string deep = "{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}";
    check_error(world, deep.c_str(), "line 1", "nest too deeply");
    std::string blocks;
    for (int i = 0; i < 5000; ++i) blocks += "{{ if true }}";
    check_error(world, blocks.c_str(), "line 1", "nest too deeply");
    blocks = "{{ if true }}";
    for (int i = 0; i < 5000; ++i) blocks += "{{ else if true }}";
    check_error(world, (blocks + "{{ end }}").c_str(), "line 1", "nest too deeply");
}

TEST_CASE("a text that would fill the machine's memory is refused before it is made") {
    const TestWorld world;
    const std::string mebibyte =
        "{{ $x := \"aaaaaaaa\" }}{{ range loop 17 }}{{ $x = print $x $x }}{{ end }}";
    std::string many;
    for (int i = 0; i < 1000; ++i) many += " $l";
    const std::string nothing_between =
        "{{ $z := print 0 }}{{ range loop 20 }}"
        "{{ $z = print $z \",\" $z }}{{ end }}";
    const auto peak_kib = [] {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        return used.ru_maxrss;
    };
    const long before = peak_kib();
    // Arguments that the format does not name; a verb that does not fit.
    const std::string list = mebibyte + "{{ $l := split \"#\" $x }}";
    for (const char* function : {"printf \"\"", "printf \"%d\"", "print"})
        check_error(world, (list + "{{ " + function + many + " }}").c_str(), "line 1",
                    "grows beyond");
    // One large item in a thousand groups.
    std::string tags = "0";
    for (int i = 1; i < 1000; ++i) tags += "," + std::to_string(i);
    const std::string groups = mebibyte +
                               "{{ $g := byTag (parseJSON (print `[{\"Big\":\"` $x `\"," +
                               "\"Tags\":[" + tags + "]}]`)) }}";
    check_error(world, (groups + "{{ $g }}").c_str(), "line 1", "grows beyond");
    check_error(world, (groups + "{{ printf \"%d\" $g }}").c_str(), "line 1", "grows beyond");
    // A large list inside of a small one.
    const std::string lists =
        "{{ range loop 9 }}{{ $k := parseJSON (print `[[` $z `]]`) }}{{ end }}";
    check_error(world, (nothing_between + lists).c_str(), "line 1", "steps");
    CHECK(peak_kib() - before < 500 << 10);
}

TEST_CASE("any text ends with a rendering or an error that says where") {
    // Pieces of templates in any order: far more of them parse than of random bytes.
    constexpr const char* kPieces[] = {"{{",
                                       "}}",
                                       "{{- ",
                                       " -}}",
                                       "if ",
                                       "else",
                                       "end",
                                       "range ",
                                       "with ",
                                       "define ",
                                       "\"t\"",
                                       "block",
                                       "template ",
                                       "$x",
                                       " := ",
                                       " = ",
                                       ".",
                                       ".Name",
                                       "(",
                                       ")",
                                       "|",
                                       ",",
                                       " 1 ",
                                       "-",
                                       "nil",
                                       "\"",
                                       "`",
                                       "'",
                                       "/*",
                                       "*/",
                                       "len ",
                                       "index ",
                                       "printf ",
                                       "%",
                                       "loop 3",
                                       "break",
                                       "nomadService \"web\"",
                                       "\\",
                                       "\n",
                                       "é"};
    TestWorld world;
    Rng rng(20261123);
    int rendered = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = round % 3 == 0 ? "" : "{{ ";
        for (std::uint64_t left = 1 + rng.below(14); left > 0; --left)
            text += round % 7 == 0 ? std::string(1, static_cast<char>(rng.below(256)))
                                   : kPieces[rng.below(std::size(kPieces))];
        if (round % 3 == 1) text += " }}";
        const auto out = world.render(text);
        rendered += out.ok() ? 1 : 0;
        if (!out.ok() && out.error().detail.rfind("line ", 0) != 0) {
            CAPTURE(text);
            CHECK(out.error().detail == "an error with its line");
        }
    }
    CHECK(rendered > 100);
}

TEST_CASE("whole templates as users write them") {
    namespace fs = std::filesystem;
    const TestWorld world;
    const auto read = [](const fs::path& path) {
        std::ifstream in(path, std::ios::binary);
        std::ostringstream out;
        out << in.rdbuf();
        return out.str();
    };
    int seen = 0;
    for (const auto& entry : fs::directory_iterator("tests/golden/template")) {
        if (entry.path().extension() != ".tpl") continue;
        ++seen;
        CAPTURE(entry.path().string());
        const std::string shown = world.shown(read(entry.path()));
        fs::path golden = entry.path();
        golden.replace_extension(".out");
        if (std::getenv("UPDATE") != nullptr) std::ofstream(golden, std::ios::binary) << shown;
        CHECK(shown == read(golden));
    }
    CHECK(seen >= 3);
}
