// Services as Nomad's clients read them.
#include "allocrunner/service_instance.h"
#include "base/wire.h"
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

using allocrunner::ServiceInstance;

ledger::AllocRecord listing(std::uint8_t number, std::vector<ServiceInstance> instances) {
    ledger::AllocRecord alloc = sample_alloc();
    alloc.id.bytes.fill(number);
    alloc.services = {
        .instances = encode(instances), .create_index = LogIndex{30}, .modify_index = LogIndex{31}};
    return alloc;
}

ServiceInstance web(std::uint16_t port, std::vector<std::string> tags = {}) {
    return {.name = "web", .port_label = "http", .address = "10.0.0.7", .port = port, .tags = tags};
}

node::Answer two_instances() {
    node::Answer answer = sample_answer();
    ServiceInstance admin{.name = "admin",
                          .task = "server",
                          .port_label = "9",
                          .address = "::1",
                          .port = 9,
                          .health = allocrunner::CheckStatus::failure};
    answer.allocs = {listing(2, {web(8002, {"blue", "b"})}), listing(1, {web(8001), admin})};
    return answer;
}

std::string id_of(std::uint8_t number) {
    AllocId id;
    id.bytes.fill(number);
    return to_string(id);
}

}  // namespace

TEST_CASE("services are listed by namespace, each with all its tags") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/services", {{"namespace", "*"}, {"index", "7"}});
    const auto& query = world.question_as<node::Query>();
    CHECK(query.kind == node::QueryKind::services);
    CHECK(query.name_space == "*");
    CHECK(query.index == 7);
    world.reply(two_instances());
    const Value list = world.json(client);
    CHECK(text_at(list, "0.Namespace") == "default");
    CHECK(text_at(list, "0.Services.0.ServiceName") == "admin");
    CHECK(text_at(list, "0.Services.1.ServiceName") == "web");
    CHECK(text_at(list, "0.Services.1.Tags.0") == "b");
    CHECK(text_at(list, "0.Services.1.Tags.1") == "blue");
    const ExchangeId none = world.get("/v1/services");
    world.reply(node::Answer{.index = 3});
    CHECK(world.response(none).body == "[]");
}

TEST_CASE("a service's registrations have Nomad's fields") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/service/web");
    CHECK(world.question_as<node::Query>().kind == node::QueryKind::service);
    CHECK(world.question_as<node::Query>().id == "web");
    world.reply(two_instances());
    const Value list = world.json(client);
    REQUIRE(std::get<Value::List>(list.data).size() == 2);
    CHECK(text_at(list, "0.ID") == "_nomad-task-" + id_of(1) + "-group-app-web-http");
    CHECK(text_at(list, "0.ServiceName") == "web");
    CHECK(text_at(list, "0.Namespace") == "default");
    CHECK(text_at(list, "0.NodeID") == to_string(sample_peer().who.id));
    CHECK(text_at(list, "0.Datacenter") == sample_peer().description.datacenter);
    CHECK(text_at(list, "0.JobID") == "web");
    CHECK(text_at(list, "0.AllocID") == id_of(1));
    CHECK(text_at(list, "0.Address") == "10.0.0.7");
    CHECK(number_at(list, "0.Port") == 8001);
    CHECK(at(list, "0.Tags") == Value{});
    CHECK(text_at(list, "0.Health") == "passing");
    CHECK(number_at(list, "0.CreateIndex") == 30);
    CHECK(number_at(list, "0.ModifyIndex") == 31);
    CHECK(text_at(list, "1.Tags.0") == "blue");
}

TEST_CASE("a filter chooses among registrations, and a wrong one is told") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/service/web", {{"filter", "Tags contains \"blue\""}});
    world.reply(two_instances());
    const Value list = world.json(client);
    REQUIRE(std::get<Value::List>(list.data).size() == 1);
    CHECK(number_at(list, "0.Port") == 8002);
    const ExchangeId bad = world.get("/v1/service/web", {{"filter", "Tags contains"}});
    CHECK(world.response(bad).status == 400);
    CHECK(world.response(bad).body ==
          "read filter expression \"Tags contains\": at byte 13, the end: wanted a value");
}

TEST_CASE("choose gives the same instances for the same key") {
    const auto ask = [](const std::string& choose) {
        ApiWorld world;
        const ExchangeId client = world.get("/v1/service/web", {{"choose", choose}});
        node::Answer many = sample_answer();
        many.allocs.clear();
        for (std::uint8_t n = 1; n < 50; ++n) many.allocs.push_back(listing(n, {web(n)}));
        world.reply(many);
        std::vector<std::int64_t> ports;
        const Value list = world.json(client);
        for (const Value& one : std::get<Value::List>(list.data))
            ports.push_back(number_at(one, "Port"));
        return ports;
    };
    CHECK(ask("2|a").size() == 2);
    CHECK(ask("2|a") == ask("2|a"));
    CHECK(ask("2|a") != ask("2|b"));
    CHECK(ask("500|a").size() == 49);
    for (const char* wrong : {"2", "x|a", "0|a", "2|", "|a"}) {
        CAPTURE(wrong);
        ApiWorld world;
        CHECK(world.response(world.get("/v1/service/web", {{"choose", wrong}})).status == 400);
    }
}

TEST_CASE("a job's and an allocation's services are told with them") {
    ApiWorld world;
    const ExchangeId job = world.get("/v1/job/web/services");
    CHECK(world.question_as<node::Query>().kind == node::QueryKind::job_allocations);
    world.reply(two_instances());
    CHECK(std::get<Value::List>(world.json(job).data).size() == 3);
    const ExchangeId alloc = world.get("/v1/allocation/" + id_of(1) + "/services");
    node::Answer one = two_instances();
    one.allocs.erase(one.allocs.begin());
    world.reply(one);
    const Value list = world.json(alloc);
    CHECK(text_at(list, "0.ID") == "_nomad-task-" + id_of(1) + "-group-app-web-http");
    CHECK(text_at(list, "1.ID") == "_nomad-task-" + id_of(1) + "-server-admin-9");
    CHECK(text_at(list, "1.Health") == "failing");
}

}  // namespace gaggle
