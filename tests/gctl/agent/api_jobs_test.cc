#include "gctl/agent/job_diff.h"
#include "placement/jobspec/value_json.h"
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

/// A registration's body, with more members beside the job.
std::string body_of(const Job& job, Object more = {}) {
    more["Job"] = job_to_api_value(job);
    return value_to_json(val(std::move(more)));
}

node::Registered registered() {
    node::Registered done{.eval_index = 43, .job_modify_index = 43, .index = 43};
    done.eval.bytes.fill(0xcc);
    return done;
}

NodeReply what(node::ApiReply::What value) { return NodeReply(std::move(value)); }

/// The diff's entry of that name in one of its lists.
const Value* named(const Value& diff, const std::string& list, const std::string& name) {
    const auto* items = std::get_if<List>(&at(diff, list).data);
    if (items == nullptr) return nullptr;
    for (const Value& item : *items)
        if (text_at(item, "Name") == name) return &item;
    return nullptr;
}

}  // namespace

TEST_CASE("a job is registered as it was sent") {
    ApiWorld world;
    const ExchangeId client = world.send("POST", "/v1/jobs", {}, body_of(sample_job()));
    const auto& request = world.question_as<node::RegisterJob>();
    CHECK(request.job == sample_job());
    CHECK_FALSE(request.check_index.has_value());
    node::Registered done = registered();
    done.warnings = {"updates come later"};
    world.reply(what(done));
    const Value answer = world.json(client);
    for (const char* name : {"EvalCreateIndex", "EvalID", "Index", "JobModifyIndex", "KnownLeader",
                             "LastContact", "Warnings"})
        CHECK(member(answer, name) != nullptr);
    CHECK(text_at(answer, "EvalID") == "cccccccc-cccc-cccc-cccc-cccccccccccc");
    CHECK(number_at(answer, "JobModifyIndex") == 43);
    CHECK(text_at(answer, "Warnings") == "1 warning(s):\n\n* updates come later");
    CHECK(world.header(client, "X-Nomad-Index") == "43");
}

TEST_CASE("check-and-set") {
    ApiWorld world;
    const Object enforce{{"EnforceIndex", val(true)}, {"JobModifyIndex", val(7)}};
    const ExchangeId client = world.send("POST", "/v1/jobs", {}, body_of(sample_job(), enforce));
    CHECK(world.question_as<node::RegisterJob>().check_index == 7);
    const char* conflict =
        "Enforcing job modify index 7: job exists with conflicting job modify index: 30";
    world.reply(Error{Errc::invalid, conflict});
    CHECK(world.response(client).status == 400);
    CHECK(world.response(client).body == conflict);
    world.send("POST", "/v1/jobs", {}, body_of(sample_job(), {{"EnforceIndex", val(true)}}));
    CHECK(world.question_as<node::RegisterJob>().check_index == 0);
}

TEST_CASE("what is no job is refused with the place of the error") {
    Job invalid = sample_job();
    invalid.priority = 500;
    invalid.groups.front().tasks.front().driver = "";
    Job stranger = sample_job();
    stranger.name_space = "team";
    Job far = sample_job();
    far.region = "moon";
    struct Row {
        std::string body;
        int status;
        std::vector<const char*> says;
    };
    for (const Row& row : {
             Row{"{\"Job\": {\"ID\": \"a\",}}",
                 400,
                 {"read the request's body: not JSON", "line 1"}},
             Row{"[]", 400, {"wanted a JSON object"}},
             Row{"", 400, {"not JSON"}},
             Row{"{}", 400, {"Job must be specified"}},
             Row{R"({"Job":null})", 400, {"Job must be specified"}},
             Row{R"({"Job":{"Type":"batch"}})", 400, {"Job ID hasn't been provided"}},
             Row{R"({"Job":{"ID":"x","Priority":"high"}})", 400, {"Priority"}},
             Row{R"({"Job":{"ID":"x","Periodic":{"Spec":"* * * * *"}}})", 400, {"Periodic"}},
             Row{body_of(invalid), 400, {"2 errors occurred:\n\t* ", "priority 500", "driver"}},
             Row{body_of(stranger), 400, {"nonexistent namespace \"team\""}},
             Row{body_of(far), 500, {"No path to region \"moon\""}},
             Row{std::string(2U << 20U, ' '), 413, {"too large"}},
         }) {
        ApiWorld world;
        const ExchangeId client = world.send("POST", "/v1/jobs", {}, row.body);
        CHECK(world.response(client).status == row.status);
        const std::string& text = world.response(client).body;
        CAPTURE(text);
        for (const char* part : row.says) CHECK(text.find(part) != std::string::npos);
        CHECK(world.questions.empty());
    }
    ApiWorld world;
    const ExchangeId other = world.send("POST", "/v1/job/other", {}, body_of(sample_job()));
    CHECK(world.response(other).body.starts_with("Job ID does not match"));
}

TEST_CASE("a job without a region goes to this one") {
    ApiWorld world;
    world.core = ApiCore({.region = "north"});
    world.send("POST", "/v1/jobs", {}, body_of(sample_job()));  // "global" is the default's name
    CHECK(world.question_as<node::RegisterJob>().job.region == "north");
}

TEST_CASE("what is meant for another region changes nothing here") {
    struct Row {
        const char* method;
        const char* path;
        std::string body;
    };
    for (const Row& row : {
             Row{"POST", "/v1/jobs", body_of(sample_job())},
             Row{"POST", "/v1/job/web", body_of(sample_job())},
             Row{"POST", "/v1/job/web/plan", body_of(sample_job())},
             Row{"DELETE", "/v1/job/web", ""},
             Row{"POST", "/v1/cluster/expel", R"({"Statement":"AAAA"})"},
             Row{"POST", "/v1/search", R"({"Prefix":"ab","Context":"all"})"},
             Row{"GET", "/v1/jobs", ""},
             Row{"GET", "/v1/client/fs/logs/aa", ""},
         }) {
        CAPTURE(row.method);
        CAPTURE(row.path);
        ApiWorld world;
        const ExchangeId client =
            world.send(row.method, row.path,
                       {{"region", "moon"}, {"task", "t"}, {"type", "stdout"}}, row.body);
        REQUIRE(world.questions.empty());
        CHECK(world.response(client).status == 500);
        CHECK(world.response(client).body.starts_with("No path to region \"moon\""));
    }
    ApiWorld world;
    world.send("DELETE", "/v1/job/web", {{"region", "global"}});
    CHECK(world.question_as<node::DeregisterJob>().id == "web");
}

TEST_CASE("stopping a job") {
    ApiWorld world;
    const ExchangeId client =
        world.send("DELETE", "/v1/job/a%2Fb", {{"purge", "true"}, {"no_shutdown_delay", "true"}});
    const auto& stop = world.question_as<node::DeregisterJob>();
    CHECK(stop.id == "a/b");
    CHECK(stop.name_space == "default");
    CHECK(stop.purge);
    CHECK(stop.no_shutdown_delay);
    world.reply(Error{Errc::invalid, "job not found"});
    CHECK(world.response(client).status == 404);
    const ExchangeId again = world.send("DELETE", "/v1/job/web");
    const auto& plain = world.question_as<node::DeregisterJob>();
    CHECK_FALSE(plain.purge);
    CHECK_FALSE(plain.no_shutdown_delay);
    world.reply(what(registered()));
    CHECK(number_at(world.json(again), "EvalCreateIndex") == 43);
}

TEST_CASE("a plan says what would happen, where, and what does not fit") {
    ApiWorld world;
    const ExchangeId client =
        world.send("POST", "/v1/job/web/plan", {}, body_of(sample_job(), {{"Diff", val(true)}}));
    CHECK(world.question_as<node::PlanJob>().job == sample_job());
    node::Planned planned{.job_modify_index = 30, .present = sample_job()};
    planned.present->groups.front().count = 1;
    planned.plan.updates["app"] = {.ignore = 1, .place = 1};
    planned.plan.failed["app"] = {.nodes_exhausted = 2, .dimension_exhausted = {{"cpu", 2}}};
    planned.plan.warnings = {"mind the gap"};
    PlannedClaim claim{.slot = {"app", 1}};
    claim.candidates.push_back({.peer = PeerNumber{1}, .id = sample_peer().who.id, .score = 0.5});
    planned.plan.claims.push_back(claim);
    planned.names[PeerNumber{1}] = "node-a";
    world.reply(what(planned));
    const Value plan = world.json(client);
    for (const char* name : {"Annotations", "CreatedEvals", "Diff", "FailedTGAllocs", "Index",
                             "JobModifyIndex", "NextPeriodicLaunch", "Warnings"})
        CHECK(member(plan, name) != nullptr);
    for (const char* name : {"Canary", "DestructiveUpdate", "Ignore", "InPlaceUpdate", "Migrate",
                             "Place", "Preemptions", "Stop"})
        CHECK(member(at(plan, "Annotations.DesiredTGUpdates.app"), name) != nullptr);
    CHECK(number_at(plan, "Annotations.DesiredTGUpdates.app.Place") == 1);
    CHECK(number_at(plan, "FailedTGAllocs.app.DimensionExhausted.cpu") == 2);
    CHECK(text_at(plan, "Diff.Type") == "Edited");
    CHECK(number_at(plan, "Diff.TaskGroups.0.Updates.create") == 1);
    const Value* count = named(plan, "Diff.TaskGroups.0.Fields", "Count");
    REQUIRE(count != nullptr);
    CHECK(text_at(*count, "Old") == "1");
    CHECK(text_at(*count, "New") == "2");
    CHECK(text_at(*count, "Annotations.0") == "forces create");
    CHECK(text_at(plan, "Placements.0.Name") == "web.app[1]");
    CHECK(text_at(plan, "Placements.0.NodeName") == "node-a");
    CHECK(text_at(plan, "Placements.0.Reason") == "new");
}

TEST_CASE("validate tells all errors and changes nothing") {
    ApiWorld world;
    Job job = sample_job();
    CHECK(text_at(world.json(world.send("POST", "/v1/validate/job", {}, body_of(job))), "Error") ==
          "");
    job.priority = 500;
    job.groups.front().count = -1;
    const Value bad = world.json(world.send("POST", "/v1/validate/job", {}, body_of(job)));
    CHECK(std::get<List>(at(bad, "ValidationErrors").data).size() == 2);
    CHECK(text_at(bad, "Error").starts_with("2 errors occurred:\n\t* "));
    CHECK(world.questions.empty());
}

TEST_CASE("what a driver or a template would refuse is refused when the job comes") {
    Job job = sample_job();
    Task& task = job.groups.front().tasks.front();
    task.driver = "raw_exec";
    task.config = {{"comand", val("/bin/true")}};
    ApiWorld world;
    const Value bad = world.json(world.send("POST", "/v1/validate/job", {}, body_of(job)));
    CHECK(text_at(bad, "ValidationErrors.0").find("unknown option comand") != std::string::npos);
    for (const std::string& path : {std::string("/v1/jobs"), "/v1/job/" + job.id + "/plan"}) {
        CAPTURE(path);
        const ExchangeId client = world.send("POST", path, {}, body_of(job));
        CHECK(world.response(client).status == 400);
    }
    task.driver = "quantum";
    const Value odd = world.json(world.send("POST", "/v1/validate/job", {}, body_of(job)));
    CHECK(text_at(odd, "Error").empty());
    CHECK(text_at(odd, "Warnings").find("\"quantum\"") != std::string::npos);
    CHECK(world.questions.empty());
}

TEST_CASE("a job file is parsed, with its variables") {
    ApiWorld world;
    const std::string hcl = R"(
variable "n" { default = 1 }
job "a" {
  group "g" {
    count = var.n
    task "t" {
      driver = "raw_exec"
      config { command = "/bin/true" }
    }
  }
})";
    const auto parse = [&](Object request) {
        return world.send("POST", "/v1/jobs/parse", {}, value_to_json(val(std::move(request))));
    };
    const Value job = world.json(parse({{"JobHCL", val(hcl)}, {"Variables", val("n = 5")}}));
    CHECK(text_at(job, "ID") == "a");
    CHECK(number_at(job, "TaskGroups.0.Count") == 5);
    const ExchangeId bad = parse({{"JobHCL", val("job \"a\" {\n  colour = 3\n}")}});
    CHECK(world.response(bad).status == 400);
    CHECK(world.response(bad).body.find("JobHCL:2:3: error") != std::string::npos);
    CHECK(world.response(parse({})).body == "Job spec is empty");
}

TEST_CASE("the difference of two jobs") {
    const Job before = sample_job();
    const Value same = diff_jobs({&before}, {&before}, {});
    CHECK(text_at(same, "Type") == "None");
    CHECK(at(same, "Fields") == Value{});
    CHECK(text_at(same, "TaskGroups.0.Type") == "None");

    Job after = before;
    Task& task = after.groups[0].tasks[0];
    task.config["args"] = Value{List{val("90"), val("x")}};
    task.env["MODE"] = "slow";
    task.env["EXTRA"] = "1";
    task.resources.memory = MegaBytes{128};
    after.datacenters = {"dc1", "dc2"};
    after.constraints.push_back({.left = "${attr.kernel.name}", .right = "linux"});
    after.meta["owner"] = "me";
    const Value diff = diff_jobs({&before}, {&after}, {});
    CHECK(text_at(diff, "Type") == "Edited");
    CHECK(text_at(*named(diff, "Fields", "Meta[owner]"), "Type") == "Added");
    CHECK(text_at(*named(diff, "Objects", "Datacenters"), "Fields.0.New") == "dc2");
    CHECK(text_at(*named(diff, "Objects", "Constraint"), "Type") == "Added");
    const Value& changed = at(diff, "TaskGroups.0.Tasks.0");
    CHECK(text_at(changed, "Annotations.0") == "forces create/destroy update");
    CHECK(text_at(*named(changed, "Fields", "Env[MODE]"), "Old") == "fast");
    CHECK(text_at(*named(changed, "Fields", "Env[EXTRA]"), "Type") == "Added");
    const Value* config = named(changed, "Objects", "Config");
    REQUIRE(config != nullptr);
    CHECK(text_at(*named(*config, "Fields", "args[0]"), "New") == "90");
    CHECK(text_at(*named(*config, "Fields", "args[1]"), "Type") == "Added");
    const Value* resources = named(changed, "Objects", "Resources");
    REQUIRE(resources != nullptr);
    CHECK(text_at(*named(*resources, "Fields", "MemoryMB"), "New") == "128");

    Job gentle = before;
    gentle.groups[0].tasks[0].kill_timeout = 9s;
    CHECK(text_at(diff_jobs({&before}, {&gentle}, {}), "TaskGroups.0.Tasks.0.Annotations.0") ==
          "forces in-place update");
}

TEST_CASE("a new job, a group that goes, and a job that is started again") {
    const Job job = sample_job();
    const Value fresh = diff_jobs({}, {&job}, {});
    CHECK(text_at(fresh, "Type") == "Added");
    CHECK(text_at(fresh, "TaskGroups.0.Type") == "Added");
    CHECK(text_at(fresh, "TaskGroups.0.Tasks.0.Annotations.0") == "forces create");

    Job other = job;
    other.groups.front().name = "new";
    const Value moved = diff_jobs({&job}, {&other}, {});
    CHECK(text_at(*named(moved, "TaskGroups", "app"), "Type") == "Deleted");
    CHECK(text_at(*named(moved, "TaskGroups", "new"), "Type") == "Added");

    const Value back = diff_jobs({&job, true}, {&job, false}, {});
    CHECK(text_at(back, "Type") == "Edited");
    CHECK(text_at(*named(back, "Fields", "Stop"), "New") == "false");
}

TEST_CASE("versions come newest first, with what each changed") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/job/web/versions", {{"diffs", "true"}});
    node::Answer answer = sample_answer();
    ledger::JobVersion next = answer.jobs.front().versions.at(3);
    next.version = 4;
    next.job.groups.front().count = 5;
    answer.jobs.front().versions[4] = next;
    world.reply(std::move(answer));
    const Value versions = world.json(client);
    CHECK(number_at(versions, "Versions.0.Version") == 4);
    CHECK(number_at(versions, "Versions.1.Version") == 3);
    CHECK(std::get<List>(at(versions, "Diffs").data).size() == 1);
    CHECK(text_at(versions, "Diffs.0.TaskGroups.0.Fields.0.New") == "5");
}

}  // namespace gaggle
