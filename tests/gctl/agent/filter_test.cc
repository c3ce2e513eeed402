#include "gctl/agent/filter.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

const char* const kRecord = R"json({
  "ServiceName": "web", "Port": 8080, "Weight": 1.5, "Up": true, "Empty": "", "Null": null,
  "Tags": ["blue", "v1.2", "traefik.http.routers.web.rule=Host(`a.example`)"],
  "Meta": {"rack": "r2", "my key": "x"}, "None": []
})json";

bool keeps(const std::string& text) {
    CAPTURE(text);
    const auto filter = Filter::parse(text);
    REQUIRE(filter.ok());
    return filter->keeps(*value_from_json(kRecord));
}

std::string wrong(const std::string& text) {
    const auto filter = Filter::parse(text);
    return filter.ok() ? "" : filter.error().detail;
}

}  // namespace

TEST_CASE("filters keep what they say") {
    for (const char* text : {
             R"(ServiceName == "web")",
             R"(ServiceName == web)",
             R"(ServiceName != "api")",
             R"(Port == 8080)",
             R"(Weight == 1.5)",
             R"(Up == true)",
             R"(Tags contains "blue")",
             R"("blue" in Tags)",
             R"("green" not in Tags)",
             R"(Tags not contains green)",
             R"(ServiceName contains "we")",
             R"("rack" in Meta)",
             R"(Meta.rack == "r2")",
             R"(Meta["my key"] == "x")",
             R"("/Meta/rack" == "r2")",
             R"(None is empty and Empty is empty and Null is empty)",
             R"(Missing is empty)",
             R"(Missing != "x")",
             R"(Tags is not empty)",
             R"(ServiceName matches "^w.b$")",
             R"(ServiceName not matches `^x`)",
             R"x(Tags contains "traefik.http.routers.web.rule=Host(`a.example`)")x",
             R"(Port == 1 or Port == 8080)",
             R"(not Port == 1)",
             R"(Port == 1 and Port == 2 or Up == true)",
             R"((Port == 1 or Up == true) and not (ServiceName == "api"))",
         })
        CHECK(keeps(text));
    for (const char* text : {
             R"(ServiceName == "we")",
             R"(Missing == "x")",
             R"(Missing contains "x")",
             R"(Missing matches ".*")",
             R"(Port == 1 and (Port == 2 or Up == true))",
             R"(Up == false)",
             R"(Port == web)",
             R"(not not Port == 1)",
         })
        CHECK_FALSE(keeps(text));
}

TEST_CASE("a wrong filter is refused with its place") {
    CHECK(wrong("") == "at byte 0, the end: wanted the name of a field");
    CHECK(wrong("Tags") ==
          "at byte 4, the end: wanted an operator such as ==, !=, contains, matches or is empty");
    CHECK(wrong("Tags contains") == "at byte 13, the end: wanted a value");
    CHECK(wrong("(Port == 1") == "at byte 10, the end: wanted a closing parenthesis");
    CHECK(wrong("Port == 1 Port == 2") == "at byte 10, \"Port\": wanted `and`, `or` or the end");
    CHECK(wrong("Name == \"x") == "the text that begins at byte 8 has no end: a \" is missing");
    CHECK_FALSE(wrong("Name matches \"(\"").empty());
    CHECK_FALSE(wrong(std::string(10'000, 'x')).empty());
    std::string deep;
    for (int i = 0; i < 1000; ++i) deep += "not ";
    CHECK(wrong(deep + "Port == 1") == "nested deeper than 64");
}

TEST_CASE("no text hurts the parser of filters") {
    Rng rng(7);
    const std::vector<std::string> words{
        "not", "and", "or", "(", ")", "[", "]",     ".",        "==",      "!=", "is", "in",
        "x",   "1",   "\"", "`", " ", "a", "empty", "contains", "matches", "/",  "\\"};
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        for (std::uint64_t left = rng.below(12); left > 0; --left)
            text += words[rng.below(words.size())] + (rng.chance(0.7) ? " " : "");
        CAPTURE(text);
        const auto filter = Filter::parse(text);
        if (filter.ok())
            static_cast<void>(filter->keeps(*value_from_json(kRecord)));
        else
            CHECK_FALSE(filter.error().detail.empty());
    }
}

}  // namespace gaggle
