// Lines of an environment, and where the paths of a job file lead.
#include <doctest/doctest.h>

#include "allocrunner/setup/destination.h"
#include "allocrunner/setup/env_lines.h"
#include "base/rng.h"

using namespace gaggle;
using namespace gaggle::setup;

TEST_CASE("environment lines: quotes, comments, export, blanks") {
    struct Row {
        const char* line;
        const char* name;
        const char* value;
    };
    for (const Row& row : {Row{"A=1", "A", "1"},
                           {"  export A = b c  ", "A", "b c"},
                           {"A=b # comment", "A", "b"},
                           {"A=\"b # no comment\" # comment", "A", "b # no comment"},
                           {"A='it''s'", "A", "its"},
                           {"A='a\\nb'", "A", "a\\nb"},
                           {"A=\"a\\nb\\t\\\"\\\\ \\u00e9\"", "A", "a\nb\t\"\\ é"},
                           {"A=x\"y\"'z'", "A", "xyz"},
                           {"A=", "A", ""},
                           {"A=b=c", "A", "b=c"},
                           {"a.b_1=2\r", "a.b_1", "2"},
                           {"A=ü", "A", "ü"}}) {
        CAPTURE(row.line);
        const auto out = parse_env_lines(row.line);
        REQUIRE(out.ok());
        CHECK(*out == std::map<std::string, std::string>{{row.name, row.value}});
    }
    const auto many = parse_env_lines("# top\n\nA=1\n  \nB=2\nA=3");
    REQUIRE(many.ok());
    CHECK(*many == std::map<std::string, std::string>{{"A", "3"}, {"B", "2"}});
}

TEST_CASE("a bad environment line is named by its number, without its value") {
    struct Row {
        const char* text;
        const char* error;
    };
    for (const Row& row :
         {Row{"A=1\nsecret", "line 2 of the environment: a = is missing; write NAME=value"},
          {"=secret", "line 1 of the environment: the name before = is missing"},
          {"1A=secret", "line 1 of the environment: the name must begin with a letter or _"},
          {"A B=secret",
           "line 1 of the environment: the name may hold letters, digits, _ and . only"},
          {"A=\"secret", "line 1 of the environment: a \" that is not closed"},
          {"A='secret", "line 1 of the environment: a ' that is not closed"},
          {"A=\"\\q\"", "line 1 of the environment: unknown escape \\q"},
          {"A=\x01", "line 1 of the environment: a control character in the value"}}) {
        CAPTURE(row.text);
        const auto out = parse_env_lines(row.text);
        REQUIRE_FALSE(out.ok());
        CHECK(out.error().detail == row.error);
    }
}

TEST_CASE("any bytes are an environment or an error") {
    Rng rng(7);
    for (int round = 0; round < 5000; ++round) {
        std::string text;
        for (std::uint64_t left = rng.below(40); left > 0; --left)
            text += rng.below(2) == 0 ? "A=\"'\\#u\n0 "[rng.below(10)]
                                      : static_cast<char>(rng.below(256));
        const auto out = parse_env_lines(text);
        CHECK((out.ok() || out.error().code == Errc::invalid));
    }
}

TEST_CASE("paths of a job file stay in the allocation") {
    const TaskDirs host{.shared = "/d/1/alloc",
                        .task = "/d/1/web",
                        .local = "/d/1/web/local",
                        .secrets = "/d/1/web/secrets"};
    const TaskDirs inside{
        .shared = "/alloc", .task = "/", .local = "/local", .secrets = "/secrets"};
    using Root = Destination::Root;
    struct Row {
        const char* text;
        Root root;
        const char* path;
    };
    for (const Row& row : {Row{"local/app.conf", Root::task, "local/app.conf"},
                           {"./local//a/./b/", Root::task, "local/a/b"},
                           {"", Root::task, ""},
                           {"/local/x", Root::task, "local/x"},
                           {"/secrets/key", Root::task, "secrets/key"},
                           {"/alloc/data/x", Root::shared, "data/x"},
                           {"/d/1/web/local/x", Root::task, "local/x"},
                           {"/d/1/alloc/x", Root::shared, "x"},
                           {"../alloc/data/x", Root::shared, "data/x"},
                           {"../web/local/x", Root::task, "local/x"},
                           {"local/../secrets/x", Root::task, "secrets/x"},
                           {"/etc/passwd", Root::task, "etc/passwd"},
                           {"/localx/y", Root::task, "localx/y"}}) {
        CAPTURE(row.text);
        const auto out = destination_of(host, inside, row.text);
        REQUIRE(out.ok());
        CHECK((*out == Destination{row.root, row.path}));
    }
    for (const char* text : {"../x", "../../x", "../other/local/x", "local/../../../etc/passwd",
                             "/local/../../order", "../order", "/alloc/../state"}) {
        CAPTURE(text);
        const auto out = destination_of(host, inside, text);
        REQUIRE_FALSE(out.ok());
        CHECK(out.error().code == Errc::denied);
    }
}
