#include "gctl/agent/api_routes.h"

#include "base/rng.h"
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

TEST_CASE("a path finds its handler, and a job's id may contain slashes") {
    struct Row {
        const char* method;
        std::vector<std::string> segments;
        Handler handler;
        const char* wild;
    };
    for (const Row& row : {
             Row{"GET", {"v1", "jobs"}, list_jobs, ""},
             Row{"POST", {"v1", "jobs"}, register_job, ""},
             Row{"POST", {"v1", "jobs", "parse"}, parse_job_source, ""},
             Row{"GET", {"v1", "job", "web"}, show_job, "web"},
             Row{"GET", {"v1", "job", "a", "b"}, show_job, "a/b"},
             Row{"GET", {"v1", "job", "a", "b", "summary"}, show_job_summary, "a/b"},
             Row{"GET", {"v1", "job", "a/summary"}, show_job, "a/summary"},
             Row{"GET", {"v1", "job", "a/b", "summary"}, show_job_summary, "a/b"},
             Row{"POST", {"v1", "job", "web", "plan"}, plan_job, "web"},
             Row{"DELETE", {"v1", "job", "web"}, deregister_job, "web"},
             Row{"GET", {"v1", "evaluation", "x", "allocations"}, list_evaluation_allocations, "x"},
             Row{"GET", {"v1", "client", "fs", "logs", "x"}, stream_logs, "x"},
         }) {
        CAPTURE(row.segments.back());
        const auto found = match_route(row.method, row.segments);
        REQUIRE(found);
        CHECK((found->handler == row.handler));
        CHECK(found->wild == row.wild);
    }
}

TEST_CASE("unknown paths and wrong methods") {
    struct Row {
        const char* method;
        const char* path;
        int status;
        const char* body;
    };
    for (const Row& row : {
             Row{"GET", "/", 404, "no such path: /"},
             Row{"GET", "/v1/unheard", 404, "no such path: /v1/unheard"},
             Row{"GET", "/v1/job", 404, "no such path: /v1/job"},
             Row{"GET", "/v1/jobs/more", 404, "no such path: /v1/jobs/more"},
             Row{"DELETE", "/v1/jobs", 405, "Invalid method"},
             Row{"GET", "/v1/job/web/plan", 405, "Invalid method"},
             Row{"POST", "/v1/nodes", 405, "Invalid method"},
             Row{"BREW", "/v1/jobs", 405, "Invalid method"},
         }) {
        CAPTURE(row.path);
        ApiWorld world;
        const ExchangeId client = world.send(row.method, row.path);
        CHECK(world.response(client).status == row.status);
        CHECK(world.response(client).body == row.body);
        CHECK(world.response(client).content_type.starts_with("text/plain"));
        CHECK(world.header(client, "X-Nomad-Index") == "1");
        CHECK(world.core.under_way() == 0);
    }
}

TEST_CASE("whatever is sent, there is one answer or one question") {
    Rng rng(7);
    const std::vector<std::string> bodies{
        R"({"Job":{"ID":"web","TaskGroups":[{"Name":"g","Tasks":)"
        R"([{"Name":"t","Driver":"raw_exec"}]}]}})",
        R"({"JobHCL":"job \"a\" { group \"g\" { task \"t\" { driver = \"raw_exec\" } } }"})",
        R"({"Prefix":"ab","Context":"all"})", R"({"Statement":"AAAA"})"};
    const std::vector<std::string> names{"index", "wait",   "stale",  "pretty",    "prefix", "type",
                                         "task",  "offset", "follow", "namespace", "filter"};
    for (int round = 0; round < 20'000; ++round) {
        ApiWorld world;
        const Route& route = api_routes()[rng.below(api_routes().size())];
        std::string path = route.pattern;
        if (const auto star = path.find('*'); star != std::string::npos) path.replace(star, 1, "w");
        std::string body = bodies[rng.below(bodies.size())];
        for (std::uint64_t hits = rng.below(4); hits > 0; --hits)
            body[rng.below(body.size())] = static_cast<char>(rng.below(256));
        ApiWorld::Query query;
        for (std::uint64_t more = rng.below(3); more > 0; --more)
            query[names[rng.below(names.size())]] = std::string(rng.below(3), '0' + rng.below(40));
        const char* method = rng.chance(0.5) ? "POST" : "GET";
        world.send(method, path, query, body);
        CAPTURE(path);
        CAPTURE(body);
        REQUIRE(world.questions.size() + world.sent.size() == 1);
        REQUIRE(world.core.under_way() == world.questions.size());
    }
}

}  // namespace gaggle
