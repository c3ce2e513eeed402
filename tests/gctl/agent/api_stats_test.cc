#include <doctest/doctest.h>

#include <cmath>

#include "gctl/agent/metrics.h"
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

constexpr const char* kAlloc = "/v1/client/allocation/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb/stats";

node::TaskFigures busy(const std::string& name) {
    return {.task = name,
            .user_nanoseconds = 2'000'000'000,
            .system_nanoseconds = 500'000'000,
            .user_percent = 20,
            .system_percent = 5,
            .rss = 4096,
            .measured = {9}};
}

node::AllocFigures figures() {
    return {.tasks = {busy("server"), busy("helper")},
            .mhz_per_core = 2000,
            .disk_used = 77,
            .disk_known = true,
            .measured = {10}};
}

node::HostFigures host() {
    node::HostFigures out;
    out.memory_total = 1000;
    out.memory_available = 400;
    out.cores = {{.name = "cpu0", .user = 30, .system = 10, .idle = 60},
                 {.name = "cpu1", .user = 0, .system = 0, .idle = 100}};
    out.mhz_per_core = 2000;
    out.disks = {
        {.device = "/dev/sda1", .mount_point = "/", .size = 220, .used = 50, .available = 150}};
    out.uptime_seconds = 3600;
    return out;
}

node::SelfInfo self() {
    node::SelfInfo info{.member = sample_member(1, "a"), .region = {}};
    info.region.term = Term{3};
    info.region.applied = LogIndex{99};
    info.region.leader = info.member.id;
    return info;
}

NodeReply what(node::ApiReply::What answer) { return NodeReply(std::move(answer)); }

}  // namespace

TEST_CASE("what an allocation uses, in Nomad's words, with the sum of its tasks") {
    ApiWorld world;
    const ExchangeId client = world.get(kAlloc);
    world.reply(sample_answer());
    world.reply(said(figures()));
    const Value json = world.json(client);
    CHECK(number_at(json, "Tasks.server.ResourceUsage.MemoryStats.RSS") == 4096);
    CHECK(number_at(json, "ResourceUsage.MemoryStats.RSS") == 8192);
    CHECK(std::get<double>(at(json, "ResourceUsage.CpuStats.Percent").data) == 50);
    CHECK(std::get<double>(at(json, "ResourceUsage.CpuStats.TotalTicks").data) == 1000);
    CHECK(number_at(json, "DiskSize") == 77);
    CHECK(number_at(json, "Tasks.helper.Timestamp") == 9);
}

TEST_CASE("one task is asked for by name, and an unknown one is refused") {
    ApiWorld world;
    world.get(kAlloc, {{"task", "server"}});
    world.reply(sample_answer());
    const auto& ask = world.question_as<node::AskPeer>();
    CHECK(std::get<node::MeasureAlloc>(ask.what).task == "server");
    ApiWorld other;
    const ExchangeId client = other.get(kAlloc, {{"task", "cook"}});
    other.reply(sample_answer());
    CHECK(other.response(client).status == 404);
}

TEST_CASE("what the checks of an allocation said, in Nomad's words") {
    ApiWorld world;
    const ExchangeId client =
        world.get("/v1/client/allocation/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb/checks");
    world.reply(sample_answer());
    CHECK(std::holds_alternative<node::ListChecks>(world.question_as<node::AskPeer>().what));
    const allocrunner::CheckHealth failed{.service = "web",
                                          .check = "up",
                                          .task = "server",
                                          .status = allocrunner::CheckStatus::failure,
                                          .output = "503 Busy",
                                          .since = {},
                                          .code = 503,
                                          .heard = {5'000'000'000}};
    world.reply(said(node::CheckList{"cache.redis[0]", {failed, failed}}));
    const Value json = world.json(client);
    const auto& checks = std::get<Object>(json.data);
    REQUIRE(checks.size() == 2);  // of one name, and yet two
    const auto& [id, check] = *checks.begin();
    CHECK(id.size() == 32);
    CHECK(text_at(check, "ID") == id);
    CHECK(text_at(check, "Check") == "up");
    CHECK(text_at(check, "Group") == "cache.redis[0]");
    CHECK(text_at(check, "Mode") == "healthiness");
    CHECK(text_at(check, "Output") == "503 Busy");
    CHECK(text_at(check, "Service") == "web");
    CHECK(text_at(check, "Status") == "failure");
    CHECK(number_at(check, "StatusCode") == 503);
    CHECK(text_at(check, "Task") == "server");
    CHECK(number_at(check, "Timestamp") == 5);
}

TEST_CASE("what a machine uses, of this peer or of another") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/client/stats");
    CHECK(world.question_as<node::AskPeer>().peer.empty());
    world.reply(said(host()));
    const Value json = world.json(client);
    CHECK(number_at(json, "Memory.Total") == 1000);
    CHECK(text_at(json, "CPU.0.CPU") == "cpu0");
    CHECK(std::get<double>(at(json, "CPUTicksConsumed").data) == 800);
    CHECK(std::get<double>(at(json, "DiskStats.0.UsedPercent").data) == 25);
    CHECK(number_at(json, "Uptime") == 3600);
    const std::string id = to_string(sample_peer().who.id);
    world.get("/v1/client/stats", {{"node_id", id}});
    CHECK(world.question_as<node::AskPeer>().peer == sample_peer().who.id);
    ApiWorld shortened;
    shortened.get("/v1/client/stats", {{"node_id", id.substr(0, 8)}});
    CHECK(shortened.question_as<node::Query>().kind == node::QueryKind::peer);
    shortened.reply(sample_answer());
    CHECK(shortened.question_as<node::AskPeer>().peer == sample_peer().who.id);
}

TEST_CASE("metrics are what the peer knows of itself, the others and its tasks") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/metrics", {{"format", "prometheus"}});
    world.reply(what(self()));
    world.reply(what(node::Members{.self = {}, .members = {sample_member(1, "a")}}));
    CHECK(world.question_as<node::Query>().kind == node::QueryKind::peer_allocations);
    world.reply(sample_answer());
    node::PeerFigures measured{.host = host(), .allocs = {}};
    measured.allocs.emplace_back(sample_alloc().id, figures());
    world.reply(said(measured));
    const std::string& text = world.response(client).body;
    CHECK(world.response(client).content_type.starts_with("text/plain; version=0.0.4"));
    for (const char* line :
         {"# TYPE nomad_client_host_memory_total gauge\nnomad_client_host_memory_total 1000\n",
          "nomad_client_host_cpu_idle{cpu=\"cpu1\"} 100\n", "gaggle_raft_applied_index 99\n",
          "gaggle_raft_is_leader 1\n", "gaggle_gossip_members{state=\"alive\"} 1\n",
          "# TYPE gaggle_allocs_cpu_seconds_total counter\n",
          "gaggle_allocs_cpu_seconds_total{alloc_id=\"bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb\","
          "job=\"web\",namespace=\"default\",task=\"server\",task_group=\"app\"} 2.5\n"}) {
        CAPTURE(line);
        CHECK(text.find(line) != std::string::npos);
    }
}

TEST_CASE("without a ledger the metrics are the rest") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/metrics");
    world.reply(what(self()));
    world.reply(what(node::Members{}));
    world.reply(Error{Errc::unavailable, "No cluster leader"});
    world.reply(Error{Errc::io, "no /proc"});
    const Value json = world.json(client);
    CHECK(!std::get<List>(at(json, "Gauges").data).empty());
    CHECK(std::get<List>(at(json, "Samples").data).empty());
    CHECK(world.response(world.get("/v1/metrics", {{"format", "xml"}})).status == 400);
}

TEST_CASE("Prometheus' text keeps a name together and escapes what it must") {
    CHECK(prometheus_text({{"b.x", Metric::Kind::gauge, 0.5, {{"l", "a\"b\\c\nd"}}},
                           {"a-1", Metric::Kind::counter, 3, {}},
                           {"b.x", Metric::Kind::gauge, 1e15, {}}}) ==
          "# TYPE a_1 counter\na_1 3\n"
          "# TYPE b_x gauge\nb_x{l=\"a\\\"b\\\\c\\nd\"} 0.5\nb_x 1e+15\n");
    CHECK(prometheus_text({{"9", Metric::Kind::gauge, std::nan(""), {}}}) ==
          "# TYPE _9 gauge\n_9 NaN\n");
}

}  // namespace gaggle
