#include "gctl/agent/api_core.h"

#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

NodeReply what(node::ApiReply::What value) { return NodeReply(std::move(value)); }

}  // namespace

TEST_CASE("the three headers are always there") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/jobs");
    world.reply(sample_answer());
    CHECK(world.header(client, "X-Nomad-Index") == "42");
    CHECK(world.header(client, "X-Nomad-LastContact") == "50");
    CHECK(world.header(client, "X-Nomad-KnownLeader") == "true");
    const ExchangeId missing = world.get("/v1/job/none");
    world.reply(node::Answer{.index = 9, .found = false});
    CHECK(world.response(missing).status == 404);
    CHECK(world.response(missing).body == "job not found");
    CHECK(world.header(missing, "X-Nomad-Index") == "9");
    CHECK(world.header(missing, "X-Nomad-KnownLeader") == "false");
    const ExchangeId empty = world.get("/v1/nodes");
    world.reply(node::Answer{.index = 0});
    CHECK(world.header(empty, "X-Nomad-Index") == "1");
    CHECK(world.response(empty).body == "[]");
}

TEST_CASE("blocking parameters reach the node") {
    struct Row {
        ApiWorld::Query query;
        std::uint64_t index;
        Duration wait;
        bool stale;
    };
    for (const Row& row : {
             Row{{}, 0, 300s, false},
             Row{{{"index", "17"}, {"wait", "2000ms"}, {"stale", ""}}, 17, 2s, true},
             Row{{{"index", "17"}, {"wait", "1m30s"}, {"stale", "false"}}, 17, 90s, false},
             Row{{{"index", "18446744073709551615"}, {"wait", "2h"}}, UINT64_MAX, 300s, false},
         }) {
        ApiWorld world;
        world.get("/v1/job/web/allocations", row.query);
        const auto& query = world.question_as<node::Query>();
        CHECK(query.kind == node::QueryKind::job_allocations);
        CHECK(query.id == "web");
        CHECK(query.name_space == "default");
        CHECK(query.index == row.index);
        CHECK(query.wait == row.wait);
        CHECK(query.stale == row.stale);
    }
}

TEST_CASE("wrong parameters are refused with their names") {
    struct Row {
        const char* path;
        ApiWorld::Query query;
        const char* begins;
    };
    for (const Row& row : {
             Row{"/v1/jobs", {{"index", "x"}}, "Invalid index \"x\""},
             Row{"/v1/jobs", {{"index", "-1"}}, "Invalid index \"-1\""},
             Row{"/v1/jobs", {{"wait", "soon"}}, "Invalid wait time \"soon\""},
             Row{"/v1/jobs", {{"wait", "-3s"}}, "Invalid wait time \"-3s\""},
             Row{"/v1/jobs", {{"stale", "maybe"}}, "Failed to parse value of \"stale\" (maybe)"},
             Row{"/v1/jobs", {{"filter", "x == 1"}}, "filter expressions are not known"},
             Row{"/v1/allocations", {{"prefix", "a"}}, "prefix \"a\" is too short"},
             Row{"/v1/job/w/versions", {{"diffs", "2"}}, "Failed to parse value of \"diffs\""},
         }) {
        ApiWorld world;
        const ExchangeId client = world.get(row.path, row.query);
        CHECK(world.response(client).status == 400);
        CAPTURE(world.response(client).body);
        CHECK(world.response(client).body.starts_with(row.begins));
        CHECK(world.questions.empty());
    }
    ApiWorld world;
    const ExchangeId elsewhere = world.get("/v1/jobs", {{"region", "moon"}});
    CHECK(world.response(elsewhere).status == 500);
    CHECK(world.response(elsewhere).body.starts_with("No path to region \"moon\""));
    world.get("/v1/jobs", {{"prefix", "w"}, {"namespace", "*"}});
    CHECK(world.question_as<node::Query>().id == "w");
    CHECK(world.question_as<node::Query>().name_space == "*");
}

TEST_CASE("an error's code and text decide the status") {
    struct Row {
        Error error;
        int status;
    };
    for (const Row& row : {
             Row{{Errc::invalid, "that is wrong"}, 400},
             Row{{Errc::invalid, "job not found"}, 404},
             Row{{Errc::not_found, "gone"}, 404},
             Row{{Errc::denied, "no"}, 403},
             Row{{Errc::io, "verify token: Permission denied"}, 403},
             Row{{Errc::unavailable, "No cluster leader: nobody answered"}, 500},
             Row{{Errc::timeout, "who knows"}, 504},
             Row{{Errc::corrupt, "short by 2 bytes"}, 500},
         }) {
        ApiWorld world;
        const ExchangeId client = world.get("/v1/jobs");
        world.reply(row.error);
        CHECK(world.response(client).status == row.status);
        CHECK(world.response(client).body == row.error.detail);
    }
}

TEST_CASE("pretty answers are for people") {
    ApiWorld world;
    CHECK(world.response(world.get("/v1/regions")).body == R"(["global"])");
    CHECK(world.response(world.get("/v1/regions", {{"pretty", "1"}})).body ==
          "[\n    \"global\"\n]");
    CHECK(world.response(world.get("/v1/regions", {{"pretty", "0"}})).body == R"(["global"])");
}

TEST_CASE("when a client goes away the node is told, and a late answer is dropped") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/jobs", {{"index", "42"}});
    const std::uint64_t asked = world.question().id;
    world.input(ApiCore::Gone{client});
    CHECK(world.cancelled == std::vector<std::uint64_t>{asked});
    CHECK(world.core.under_way() == 0);
    world.reply(sample_answer());
    CHECK(world.sent.empty());
    world.input(ApiCore::Gone{client});  // once more does no harm
    CHECK(world.cancelled.size() == 1);
}

TEST_CASE("requests do not mix") {
    ApiWorld world;
    const ExchangeId first = world.get("/v1/jobs");
    const ExchangeId second = world.get("/v1/nodes");
    REQUIRE(world.questions.size() == 2);
    std::swap(world.questions[0], world.questions[1]);  // the second is answered first
    world.reply(sample_answer());
    CHECK(world.response(second).body.find("\"NodeClass\"") != std::string::npos);
    CHECK(world.core.under_way() == 1);
    world.reply(sample_answer());
    CHECK(world.response(first).body.find("\"JobSummary\"") != std::string::npos);
}

TEST_CASE("there is no deployment yet: null, [] and 404") {
    ApiWorld world;
    const ExchangeId one = world.get("/v1/job/web/deployment");
    world.reply(sample_answer());
    CHECK(world.response(one).body == "null");
    const ExchangeId all = world.get("/v1/job/web/deployments");
    world.reply(sample_answer());
    CHECK(world.response(all).body == "[]");
    CHECK(world.response(world.get("/v1/deployment/x")).status == 404);
}

TEST_CASE("search asks each context and counts what it leaves out") {
    ApiWorld world;
    const ExchangeId client =
        world.send("POST", "/v1/search", {}, R"({"Prefix":"we","Context":"jobs"})");
    CHECK(world.question_as<node::Query>().id == "we");
    node::Answer many = sample_answer();
    while (many.jobs.size() < 21) many.jobs.push_back(many.jobs.front());
    world.reply(std::move(many));
    const Value found = world.json(client);
    CHECK(std::get<List>(at(found, "Matches.jobs").data).size() == 20);
    CHECK(at(found, "Truncations.jobs") == Value{true});

    const ExchangeId everything =
        world.send("POST", "/v1/search", {}, R"({"Prefix":"zz","Context":"all"})");
    for (int context = 0; context < 4; ++context) world.reply(node::Answer{.index = 3});
    const Value nothing = world.json(everything);
    for (const char* name : {"allocs", "evals", "jobs", "nodes", "deployment", "volumes"})
        CHECK(at(nothing, std::string("Matches.") + name) == Value{});
    CHECK(number_at(nothing, "Index") == 3);
    const ExchangeId unknown = world.send("POST", "/v1/search", {}, R"({"Context":"pods"})");
    CHECK(world.response(unknown).status == 400);
}

TEST_CASE("evaluations can be chosen by status and job") {
    ApiWorld world;
    const auto count = [&](ApiWorld::Query query) {
        const ExchangeId client = world.get("/v1/evaluations", std::move(query));
        world.reply(sample_answer());
        return std::get<List>(world.json(client).data).size();
    };
    CHECK(count({}) == 1);
    CHECK(count({{"status", "complete"}, {"job", "web"}}) == 1);
    CHECK(count({{"status", "blocked"}}) == 0);
    CHECK(count({{"job", "other"}}) == 0);
}

TEST_CASE("the leader's address is found among the members") {
    ApiWorld world;
    node::SelfInfo self{.member = sample_member(1, "a")};
    self.region.leader = sample_member(2, "b").id;
    const node::Members members{.members = {sample_member(1, "a"), sample_member(2, "b")}};
    const ExchangeId client = world.get("/v1/status/leader");
    world.reply(what(self));
    world.reply(what(members));
    CHECK(world.response(client).body == "\"127.0.0.2:4647\"");
    const ExchangeId none = world.get("/v1/status/leader");
    self.region.leader = {};
    world.reply(what(self));
    world.reply(what(members));
    CHECK(world.response(none).body == "\"\"");
    CHECK(world.header(none, "X-Nomad-KnownLeader") == "false");
}

TEST_CASE("health is the client's and the server's") {
    ApiWorld world;
    node::SelfInfo self{.member = sample_member(1, "a")};
    const ExchangeId ill = world.get("/v1/agent/health");
    world.reply(what(self));
    CHECK(world.response(ill).status == 500);
    CHECK(world.response(ill).body.find("No cluster leader") != std::string::npos);
    const ExchangeId client = world.get("/v1/agent/health", {{"type", "client"}});
    world.reply(what(self));
    CHECK(world.response(client).body == R"({"client":{"message":"ok","ok":true}})");
    self.region.leader = self.member.id;
    const ExchangeId well = world.get("/v1/agent/health");
    world.reply(what(self));
    CHECK(world.response(well).status == 200);
}

TEST_CASE("the region is told by the leader, else by any copy, else by this peer alone") {
    ApiWorld world;
    node::SelfInfo self{.member = sample_member(1, "a")};
    self.region.name = "global";
    self.region.notes = {"my own words"};
    self.region.leader = sample_member(2, "b").id;
    node::Members members{.members = {sample_member(1, "a"), sample_member(2, "b")}};
    node::Answer answer{.index = 5};
    answer.region = self.region;
    answer.region->has_quorum = true;
    answer.region->members = {{.peer = sample_member(2, "b").id,
                               .number = PeerNumber{2},
                               .role = node::Role::voter,
                               .leader = true},
                              {.peer = sample_member(9, "x").id, .role = node::Role::standby}};

    const ExchangeId client = world.get("/v1/region");
    world.reply(what(self));
    world.reply(what(members));
    CHECK_FALSE(world.question_as<node::Query>().stale);
    world.reply(answer);
    const Value region = world.json(client);
    CHECK(at(region, "HasQuorum") == Value{true});
    CHECK(text_at(region, "Members.0.Name") == "b");
    CHECK(text_at(region, "Members.0.Role") == "voter");
    CHECK(at(region, "Members.0.SilentMs") == Value{});
    CHECK(text_at(region, "Missing.0") == "09090909-0909-0909-0909-090909090909");

    const ExchangeId lost = world.get("/v1/region");
    members.members.back().state = "dead";
    world.reply(what(self));
    world.reply(what(members));
    CHECK(world.question_as<node::Query>().stale);  // nobody waits for a dead leader
    world.reply(Error{Errc::unavailable, "No cluster leader"});
    CHECK(text_at(world.json(lost), "Notes.0") == "my own words");
    CHECK(at(world.json(lost), "HasQuorum") == Value{false});
}

TEST_CASE("an expulsion is handed on as it is") {
    ApiWorld world;
    const ExchangeId client =
        world.send("POST", "/v1/cluster/expel", {}, R"({"Statement":"AQID"})");
    CHECK(world.question_as<node::ExpelPeer>().statement == Bytes{1, 2, 3});
    world.reply(what(std::monostate{}));
    CHECK(world.response(client).status == 200);
    const ExchangeId bad =
        world.send("POST", "/v1/cluster/expel", {}, R"({"Statement":"not base64!"})");
    CHECK(world.response(bad).status == 400);
}

}  // namespace gaggle
