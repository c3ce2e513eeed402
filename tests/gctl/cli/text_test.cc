#include <doctest/doctest.h>

#include "gctl/cli/http_client.h"
#include "gctl/cli/job_file.h"
#include "gctl/cli/json.h"
#include "gctl/cli/model.h"
#include "gctl/cli/tail.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

TEST_CASE("addresses") {
    struct Row {
        const char* text;
        const char* host;
        int port;  // 0: refused
    };
    for (const auto& row :
         {Row{"http://127.0.0.2:4646", "127.0.0.2", 4646}, Row{"host", "host", 4646},
          Row{"host:80/", "host", 80}, Row{"http://[::1]:5000", "::1", 5000},
          Row{"[::1]", "::1", 4646}, Row{"https://host", "", 0}, Row{"http://host/v1", "", 0},
          Row{"host:", "host", 0}, Row{"host:x", "", 0}, Row{"host:70000", "", 0},
          Row{"host:0", "", 0}, Row{"", "", 0}, Row{":80", "", 0}, Row{"[::1", "", 0}}) {
        CAPTURE(row.text);
        const auto address = parse_address(row.text);
        CHECK(address.ok() == (row.port != 0));
        if (!address.ok()) continue;
        CHECK(address->host == row.host);
        CHECK(address->port == row.port);
    }
    CHECK(parse_address("http://[::1]:5000")->url() == "http://[::1]:5000");
}

TEST_CASE("what goes into a path or query is escaped") {
    CHECK(url_encoded("a-b_c.d~9") == "a-b_c.d~9");
    CHECK(url_encoded("a/b c%") == "a%2Fb%20c%25");
    CHECK(url_encoded("\xC3\xA9") == "%C3%A9");
}

TEST_CASE("the last lines of a text") {
    struct Row {
        const char* text;
        std::size_t lines;
        const char* wanted;
    };
    for (const auto& row :
         {Row{"a\nb\nc\n", 2, "b\nc\n"}, Row{"a\nb\nc", 2, "b\nc"}, Row{"a\nb\n", 5, "a\nb\n"},
          Row{"a\n", 0, ""}, Row{"", 3, ""}, Row{"\n\n\n", 2, "\n\n"}, Row{"a", 1, "a"}}) {
        CAPTURE(row.text);
        CAPTURE(row.lines);
        CHECK(last_lines(row.text, row.lines) == row.wanted);
    }
}

TEST_CASE("frames are read however the stream is cut") {
    const std::string stream =
        R"({"Data":"b25lCg==","File":"alloc/logs/a}\"{.stdout.0","Offset":4}{}{"Data":"dHdv"})";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        FrameReader reader;
        std::vector<LogFrame> all;
        for (const std::string& piece : {stream.substr(0, cut), stream.substr(cut)}) {
            const auto frames = reader.take(piece);
            REQUIRE(frames.ok());
            all.insert(all.end(), frames->begin(), frames->end());
        }
        REQUIRE(all.size() == 3);
        CHECK(all[0].data == "one\n");
        CHECK(!all[0].heartbeat);
        CHECK(all[1].heartbeat);
        CHECK(all[2].data == "two");
    }
    for (const char* wrong : {"plain text}", "{\"Data\":\"?\"}", "{nonsense}"})
        CHECK(!FrameReader().take(wrong).ok());
    CHECK(!FrameReader().take(std::string(5U << 20U, 'x')).ok());
}

TEST_CASE("a followed tail is cut once, where that ends which was there") {
    const LogFrame beat{.heartbeat = true};
    FollowedTail several(2, 1'000);
    CHECK(several.take({.data = "a\nb\nc"}).empty());
    CHECK(several.take({.data = "c\nd\n"}).empty());
    CHECK(several.take(beat) == "cc\nd\n");
    CHECK(several.take({.data = "e\nf\ng\n"}) == "e\nf\ng\n");
    CHECK(several.take(beat).empty());
    CHECK(several.rest().empty());
    FollowedTail busy(1, 4);  // a log that grows so fast that there is never a pause
    CHECK(busy.take({.data = "a\n"}).empty());
    CHECK(busy.take({.data = "b\nc\n"}) == "c\n");
    CHECK(busy.take({.data = "d\ne\n"}) == "d\ne\n");
    FollowedTail fresh(0, 0);
    CHECK(fresh.take({.data = "a\n"}) == "a\n");
    FollowedTail ended(1, 100);
    CHECK(ended.take({.data = "a\nb\n"}).empty());
    CHECK(ended.rest() == "b\n");
}

TEST_CASE("JSON is shown with two spaces a level") {
    CHECK(pretty(R"({"b":[1,{"c":null}],"a":{},"d":"x\"y","e":[]})") ==
          "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"c\": null\n    }\n  ],\n"
          "  \"d\": \"x\\\"y\",\n  \"e\": []\n}\n");
    CHECK(pretty("no json") == "no json");
}

TEST_CASE("an answer of any shape gives a value for each field") {
    for (const char* text : {"null", "[]", "{}", "[null]", R"({"ID":5,"TaskGroups":{}})",
                             R"([{"ID":[],"JobSummary":7,"Events":null}])",
                             R"({"Diff":{"TaskGroups":[{"Tasks":"x","Fields":[3]}]}})",
                             R"({"Members":[{"Tags":[1]}],"TaskStates":{"a":null}})"}) {
        CAPTURE(text);
        const auto value = value_from_json(text);
        REQUIRE(value.ok());
        const Json json(*value);
        (void)jobs_of(json);
        (void)summary_of(json);
        (void)allocs_of(json);
        (void)usage_of(json);
        (void)evals_of(json);
        (void)nodes_of(json);
        (void)plan_of(json);
        (void)registered_of(json);
        CHECK(job_of(json).name.empty());
        CHECK(alloc_of(json).copies.empty());
        CHECK(node_of(json).stub.name.empty());
        CHECK(region_of(json).notes.empty());
        for (const MemberView& member : members_of(json)) CHECK(member.name.empty());
    }
}

TEST_CASE("a finding is shown under its line, with a mark and the hint") {
    const Console plain([](std::string_view) {}, [](std::string_view) {}, false);
    const Texts texts{{"a.nomad", "job \"x\" {\n\tcont = 1\n}\n"}};
    const Diagnostic one{.file = "a.nomad",
                         .line = 2,
                         .column = 2,
                         .message = "unknown attribute `cont`",
                         .hint = "did you mean `count`?",
                         .path = "group.g"};
    CHECK(diagnostics_text(plain, {one}, texts) ==
          "a.nomad:2:2: error: unknown attribute `cont`\n"
          "  2 | \tcont = 1\n"
          "    | \t^\n"
          "  did you mean `count`?\n");
    Diagnostic placeless = one;
    placeless.line = 0;
    placeless.severity = Diagnostic::Severity::warning;
    CHECK(diagnostics_text(plain, {placeless}, texts) ==
          "a.nomad: warning: unknown attribute `cont`\n"
          "  in group.g\n"
          "  did you mean `count`?\n");
    Diagnostic beyond = one;
    beyond.line = 99;
    CHECK(diagnostics_text(plain, {beyond}, texts).find("in group.g") != std::string::npos);
}

}  // namespace gaggle::cli
