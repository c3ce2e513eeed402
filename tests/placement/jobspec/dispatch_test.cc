#include "placement/jobspec/dispatch.h"

#include "placement/jobspec/job_api.h"
#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

namespace {

Job parent_with(const std::string& rules) {
    return good(job_with("", "",
                         "type = \"batch\"\nparameterized {\n" + rules +
                             "\n}\n"
                             "meta {\n size = \"small\"\n own = \"1\"\n}"));
}

}  // namespace

TEST_CASE("dispatch: the child is a job of its own, with payload, meta and its parent's id") {
    const Job parent = parent_with("meta_optional = [\"size\"]");
    CHECK(waits_for_dispatch(parent));
    const Dispatch dispatch{.payload = std::string("a\0b", 3), .meta = {{"size", "large"}}};
    const std::string id =
        dispatched_id(parent, dispatch, WallTime{1'700'000'000'999'000'000}, 0xa2);
    CHECK(id == "web/dispatch-1700000000-000000a2");
    const auto child = dispatched(parent, dispatch, id);
    REQUIRE(child.ok());
    CHECK(!waits_for_dispatch(*child));
    CHECK(child->id == id);
    CHECK(child->name == id);
    CHECK(child->meta == Meta{{"own", "1"}, {"size", "large"}});
    CHECK(validate(*child).empty());
    const Value shown = job_to_api_value(*child);
    const auto& object = std::get<Value::Map>(shown.data);
    CHECK(json(object.at("ParentID")) == "\"web\"");
    CHECK(json(object.at("Dispatched")) == "true");
    CHECK(json(object.at("Payload")) == "\"YQBi\"");
    CHECK(!dispatched(*child, {}, "x").ok());  // a child is not dispatched again

    CHECK(dispatched_id(parent, {.payload = "", .meta = {}, .id_prefix = "eu"}, WallTime{}, 1) ==
          "web/dispatch-eu-0-00000001");
}

TEST_CASE("dispatch: payload and meta are as the job asks for them") {
    struct Row {
        const char* rules;
        std::string payload;
        Meta meta;
        std::string why;
    };
    const std::string large(kPayloadBytesMax + 1, 'x');
    for (const Row& row : {Row{"", "", {}, ""},
                           {"", "x", {}, ""},
                           {"", large, {}, "Payload exceeds maximum size; 16385 > 16384"},
                           {"payload = \"required\"", "x", {}, ""},
                           {"payload = \"required\"",
                            "",
                            {},
                            "Payload is not provided but required by parameterized job"},
                           {"payload = \"forbidden\"",
                            "x",
                            {},
                            "Payload provided but forbidden by parameterized job"},
                           {"meta_required = [\"a\", \"b\"]",
                            "",
                            {},
                            "Dispatch did not provide required meta keys: [a b]"},
                           {"meta_required = [\"a\"]", "", {{"a", ""}}, ""},
                           {"meta_optional = [\"a\"]", "", {{"a", "1"}}, ""},
                           {"meta_optional = [\"a\"]",
                            "",
                            {{"c", "1"}, {"d", "2"}},
                            "Dispatch request included unpermitted metadata keys: [c d]"}}) {
        CAPTURE(row.rules);
        const auto child =
            dispatched(parent_with(row.rules), {.payload = row.payload, .meta = row.meta}, "x");
        CHECK((child.ok() ? "" : child.error().detail) == row.why);
    }
    CHECK(dispatched(good(job_with("")), {}, "x").error().detail ==
          "Specified job \"web\" is not a parameterized job");
}

}  // namespace gaggle
