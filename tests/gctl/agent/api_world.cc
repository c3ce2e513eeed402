#include "tests/gctl/agent/api_world.h"

#include "allocrunner/alloc_status.h"
#include "base/wire.h"
#include "placement/jobspec/jobspec.h"
#include "placement/jobspec/value_json.h"
#include "placement/scheduler/metrics.h"

namespace gaggle {

namespace {

template <class Any>
Any id_of(std::uint8_t number) {
    Any id;
    id.bytes.fill(number);
    return id;
}

constexpr const char* kJob = R"(
job "web" {
  datacenters = ["dc1"]
  group "app" {
    count = 2
    network {
      port "http" {}
    }
    task "server" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["60"]
      }
      env { MODE = "fast" }
      resources {
        cpu    = 200
        memory = 64
      }
    }
  }
})";

}  // namespace

NodeReply said(node::LocalAnswer what) {
    return NodeReply(node::ApiReply::What(node::PeerSaid{sample_peer().who.id, std::move(what)}));
}

ExchangeId ApiWorld::send(const std::string& method, const std::string& path, Query query,
                          const std::string& body) {
    return send(
        HttpRequest{.method = method, .path = path, .query = std::move(query), .body = body});
}

ExchangeId ApiWorld::upgrade(const std::string& path, Query query) {
    return send(
        HttpRequest{.method = "GET", .path = path, .query = std::move(query), .upgrade = true});
}

ExchangeId ApiWorld::send(HttpRequest request) {
    const std::string& path = request.path;
    for (std::size_t from = 1; from < path.size();) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        request.segments.push_back(url_decoded(path.substr(from, end - from), UrlPart::path));
        from = end + 1;
    }
    input(ApiCore::Arrived{++last_, std::move(request)});
    return last_;
}

void ApiWorld::input(ApiCore::Input what) {
    ApiEffects effects = core.step({now, wall}, std::move(what));
    for (auto& one : effects.asks) questions.push_back(std::move(one));
    for (const auto id : effects.cancels) cancelled.push_back(id);
    for (auto& one : effects.clients) sent.push_back(std::move(one));
}

const node::ApiRequest& ApiWorld::question() const {
    REQUIRE(!questions.empty());
    return questions.front();
}

void ApiWorld::reply(NodeReply what) {
    const std::uint64_t id = question().id;
    questions.erase(questions.begin());
    input(node::ApiReply{id, std::move(what)});
}

void ApiWorld::pass(Duration span) {
    const TimePoint end = now + span;
    for (auto due = core.next_wakeup(); due && *due <= end; due = core.next_wakeup()) {
        now = std::max(now, *due);
        input(ApiCore::Tick{});
    }
    now = end;
}

const HttpResponse& ApiWorld::response(ExchangeId client) const {
    const HttpResponse* found = nullptr;
    for (const ToClient& one : sent) {
        const auto* whole = std::get_if<ToClient::Send>(&one.what);
        if (one.exchange != client || whole == nullptr) continue;
        REQUIRE(found == nullptr);
        found = &whole->response;
    }
    REQUIRE(found != nullptr);
    return *found;
}

std::string ApiWorld::header(ExchangeId client, const std::string& name) const {
    for (const auto& [key, value] : response(client).headers)
        if (key == name) return value;
    return "(none)";
}

Value ApiWorld::json(ExchangeId client) const {
    const HttpResponse& got = response(client);
    CAPTURE(got.body);
    REQUIRE(got.status == 200);
    auto value = value_from_json(got.body);
    REQUIRE(value.ok());
    return std::move(*value);
}

std::string ApiWorld::streamed(ExchangeId client) const {
    std::string all;
    for (const ToClient& one : sent)
        if (const auto* piece = std::get_if<ToClient::Piece>(&one.what);
            piece != nullptr && one.exchange == client)
            all += piece->data;
    return all;
}

bool ApiWorld::ended(ExchangeId client) const {
    for (const ToClient& one : sent)
        if (one.exchange == client && std::holds_alternative<ToClient::EndStream>(one.what))
            return true;
    return false;
}

bool ApiWorld::broken(ExchangeId client) const {
    for (const ToClient& one : sent)
        if (one.exchange == client && std::holds_alternative<ToClient::BreakStream>(one.what))
            return true;
    return false;
}

Job sample_job() {
    const Parsed parsed = parse_job(kJob, "web.nomad");
    CAPTURE(to_string(parsed.diagnostics));
    REQUIRE(parsed.job);
    return *parsed.job;
}

ledger::JobRecord sample_job_record() {
    ledger::JobRecord record;
    record.versions[3] = {.job = sample_job(),
                          .version = 3,
                          .submitted = WallTime{1'700'000'000'000'000'000},
                          .index = LogIndex{30}};
    record.status = ledger::JobStatus::running;
    record.summary["app"] = {.queued = 1, .running = 1};
    record.create_index = LogIndex{10};
    record.modify_index = LogIndex{42};
    record.job_modify_index = LogIndex{30};
    return record;
}

ledger::PeerRecord sample_peer() {
    ledger::PeerRecord peer;
    peer.number = PeerNumber{1};
    peer.who.id = id_of<PeerId>(0xaa);
    peer.who.name = "admitted-as";
    peer.status = ledger::PeerStatus::ready;
    peer.description = {
        .name = "node-a",
        .http_address = "10.0.0.1:4646",
        .attributes = {{"kernel.name", "linux"}, {"cpu.numcores", "4"}, {"driver.raw_exec", "1"}},
        .drivers = {{"raw_exec", {true, true, "Healthy"}},
                    {"docker", {true, false, "does not answer"}}}};
    peer.books.offer = {.total = {MegaHertz{4000}, MegaBytes{8000}, MegaBytes{50000}},
                        .drivers = {"raw_exec"}};
    peer.create_index = LogIndex{5};
    peer.modify_index = LogIndex{6};
    peer.admitted = WallTime{1'700'000'000'000'000'000};
    return peer;
}

ledger::AllocRecord sample_alloc() {
    ledger::AllocRecord alloc;
    alloc.id = id_of<AllocId>(0xbb);
    alloc.eval = id_of<EvalId>(0xcc);
    alloc.slot = {.job = {"default", "web"}, .group = "app", .index = 1};
    alloc.job_version = 3;
    alloc.peer = PeerNumber{1};
    alloc.ask = ask_of(sample_job().groups.front());
    alloc.ports = {{.label = "http", .value = 23456, .to = 0}};
    alloc.client = ledger::ClientStatus::running;
    alloc.create_index = LogIndex{40};
    alloc.modify_index = LogIndex{42};
    alloc.create_time = WallTime{1'700'000'001'000'000'000};
    alloc.modify_time = WallTime{1'700'000'002'000'000'000};
    allocrunner::AllocStatus status{.client = allocrunner::ClientStatus::running,
                                    .description = "Tasks are running"};
    allocrunner::TaskState& task = status.tasks["server"];
    task.phase = allocrunner::TaskPhase::running;
    task.started = WallTime{1'700'000'001'500'000'000};
    task.events.push_back(allocrunner::event_terminated(task.started, {.code = 7}));
    status.healthy = true;
    status.modified = alloc.modify_time;
    alloc.status = encode(status);
    PlacementMetrics metrics{.nodes_evaluated = 3, .nodes_available = {{"dc1", 3}}};
    metrics.scores.push_back(
        {.peer = id_of<PeerId>(0xaa), .scores = {{"binpack", 0.25}}, .normalized = 0.25});
    alloc.explanation = encode(metrics);
    return alloc;
}

ledger::EvalRecord sample_eval() {
    ledger::EvalRecord eval;
    eval.id = id_of<EvalId>(0xcc);
    eval.job = {"default", "web"};
    eval.status = ledger::EvalStatus::complete;
    eval.queued["app"] = 1;
    eval.failed_groups["app"] =
        encode(PlacementMetrics{.nodes_exhausted = 1, .dimension_exhausted = {{"memory", 1}}});
    eval.blocked = id_of<EvalId>(0xcd);
    eval.create_index = LogIndex{39};
    eval.modify_index = LogIndex{41};
    return eval;
}

node::Answer sample_answer() {
    node::Answer answer{.index = 42, .last_contact = 50ms, .known_leader = true};
    answer.jobs.push_back(sample_job_record());
    answer.allocs.push_back(sample_alloc());
    answer.evals.push_back(sample_eval());
    answer.peers.push_back(sample_peer());
    answer.copies.push_back({.peer = id_of<PeerId>(0xdd),
                             .name = "node-d",
                             .generation = Generation{40},
                             .n = 6,
                             .taken_at = WallTime{1'700'000'050'000'000'000},
                             .reachable = true});
    answer.copies.push_back({.peer = id_of<PeerId>(0xee), .name = "node-e"});
    return answer;
}

node::MemberInfo sample_member(std::uint8_t number, const std::string& name,
                               const std::string& state) {
    node::MemberInfo member;
    member.id = id_of<PeerId>(number);
    member.number = PeerNumber{number};
    member.name = name;
    member.region = "global";
    member.state = state;
    member.endpoint.host = "127.0.0." + std::to_string(number);
    return member;
}

const Value& at(const Value& value, const std::string& path) {
    const Value* here = &value;
    for (std::size_t from = 0; from < path.size();) {
        const std::size_t end = std::min(path.find('.', from), path.size());
        const std::string step = path.substr(from, end - from);
        CAPTURE(path);
        CAPTURE(step);
        if (const auto* list = std::get_if<List>(&here->data)) {
            REQUIRE(std::stoul(step) < list->size());
            here = &(*list)[std::stoul(step)];
        } else {
            here = member(*here, step);
            REQUIRE(here != nullptr);
        }
        from = end + 1;
    }
    return *here;
}

std::string text_at(const Value& value, const std::string& path) {
    const auto* text = std::get_if<std::string>(&at(value, path).data);
    return text == nullptr ? "(no text)" : *text;
}

std::int64_t number_at(const Value& value, const std::string& path) {
    const auto* number = std::get_if<std::int64_t>(&at(value, path).data);
    return number == nullptr ? -1 : *number;
}

}  // namespace gaggle
