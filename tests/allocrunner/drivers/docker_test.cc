// Driver docker and its supervisor against an engine that behaves, hangs, dies and errs.
#include <doctest/doctest.h>
#include <signal.h>

#include <future>
#include <map>

#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/docker_images.h"
#include "allocrunner/drivers/engine_http.h"
#include "tests/allocrunner/drivers/fake_engine.h"
#include "tests/allocrunner/drivers/stage.h"

namespace gaggle::allocrunner {

namespace {

/// A fake engine with one image and containers that can be made, and a task that wants one.
struct World {
    explicit World(Duration image_delay = 3min)
        : settings{.docker_socket = engine.socket(), .image_delay = image_delay},
          stage("docker", settings) {
        engine.answer("GET /version", 200, R"({"Version":"20.10","Os":"linux"})");
        engine.answer("GET /images/web:1/json", 200, "{}");
        engine.answer("POST /containers/create", 201, R"({"Id":"c1"})");
        engine.answer("POST /containers/c1/start", 204, "");
        engine.answer("GET /containers/c1/json", 200, R"({"State":{"Pid":0,"OOMKilled":false}})");
        engine.answer("DELETE /containers/c1", 204, "");
        attach_with(FakeEngine::frame(1, "hello\n") + FakeEngine::frame(2, "oops\n"));
        engine.answer("POST /containers/c1/wait", 200, R"({"Error":null,"StatusCode":7})");
        stage.spec().config = {{"image", Value{std::string("web:1")}}};
        stage.spec().user.clear();
    }
    void attach_with(const std::string& output) {
        engine.on("POST /containers/c1/attach", [output](int connection, const std::string&) {
            FakeEngine::say(connection, "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n" + output);
        });
    }

    FakeEngine engine;
    DriverSettings settings;
    DriverStage stage;
};

}  // namespace

TEST_CASE("a container's output, end and removal are the supervisor's") {
    World world;
    world.stage.start({});
    const shim::Record record = world.stage.wait_for_exit();
    CHECK(record.code == 7);
    CHECK(record.flags == 0);
    CHECK(world.stage.log("stdout.0") == "hello\n");
    CHECK(world.stage.log("stderr.0") == "oops\n");
    CHECK(world.engine.was_asked("DELETE /containers/c1"));
}

TEST_CASE("an engine may say the head of its answer in pieces") {
    World world;
    world.engine.on("POST /containers/c1/attach", [](int connection, const std::string&) {
        for (const char* piece : {"HTTP/1.1 101 UPGRADED\r\n", "Upgrade: tcp\r\n", "\r", "\n"}) {
            FakeEngine::say(connection, piece);
            poll(nullptr, 0, 20);  // so that it is read alone
        }
        FakeEngine::say(connection, FakeEngine::frame(1, "hello\n"));
    });
    world.stage.start({});
    CHECK(world.stage.wait_for_exit().code == 7);
    CHECK(world.stage.log("stdout.0") == "hello\n");
}

TEST_CASE("a container that ran out of memory says so") {
    World world;
    world.engine.answer("GET /containers/c1/json", 200, R"({"State":{"OOMKilled":true,"Pid":0}})");
    world.engine.answer("POST /containers/c1/wait", 200, R"({"StatusCode":137})");
    world.stage.start({});
    const shim::Record record = world.stage.wait_for_exit();
    CHECK(record.code == 137);
    CHECK(record.flags == shim::kOutOfMemory);
}

TEST_CASE("signals and the last resort go through the engine") {
    World world;
    world.engine.hang("POST /containers/c1/wait");
    world.engine.answer("POST /containers/c1/kill", 204, "");
    world.stage.start({});
    REQUIRE(send_signal(world.stage.live().socket.get(), SIGHUP).ok());
    CHECK(eventually([&] { return world.engine.was_asked("POST /containers/c1/kill?signal=1"); }));
    REQUIRE(send_kill(world.stage.live().socket.get()).ok());
    CHECK(eventually([&] { return world.engine.was_asked("POST /containers/c1/kill?signal=9"); }));
    world.engine.answer("POST /containers/c1/wait", 200, R"({"StatusCode":137})");
    world.engine.stop();  // its connections break; the supervisor calls again
    world.engine.start_again();
    CHECK(world.stage.wait_for_exit().code == 137);
}

TEST_CASE("a task without a signal of its own is stopped as its image says") {
    for (const auto& [inspected, expected] :
         std::map<std::string, std::string>{{R"({"State":{"Pid":0}})", "SIGTERM"},
                                            {R"({"Config":{"StopSignal":"SIGQUIT"}})", "SIGQUIT"},
                                            {R"({"Config":{"StopSignal":"37"}})", "37"},
                                            {R"({"Config":{"StopSignal":""}})", "SIGTERM"},
                                            {R"({"Config":{"StopSignal":"A&b=c"}})", "A"}}) {
        CAPTURE(inspected);
        World world;
        world.engine.hang("POST /containers/c1/wait");
        world.engine.answer("GET /containers/c1/json", 200, inspected);
        world.engine.answer("POST /containers/c1/kill", 204, "");
        world.stage.start({});
        REQUIRE(send_signal(world.stage.live().socket.get(), 0).ok());
        const std::string asked = "POST /containers/c1/kill?signal=" + expected;
        CHECK(eventually([&] { return world.engine.heard_line(asked); }));
        world.engine.answer("POST /containers/c1/wait", 200, R"({"StatusCode":0})");
        world.engine.stop();
        world.engine.start_again();
        world.stage.wait_for_exit();
    }
}

TEST_CASE("signals that meet an engine that is away, or goes away, are sent when it is back") {
    World world;
    world.engine.hang("POST /containers/c1/wait");
    world.engine.hang("POST /containers/c1/kill");  // it goes away over the first one
    world.stage.start({});
    REQUIRE(send_signal(world.stage.live().socket.get(), SIGHUP).ok());
    CHECK(eventually([&] { return world.engine.was_asked("POST /containers/c1/kill?signal=1"); }));
    world.engine.stop();
    REQUIRE(send_signal(world.stage.live().socket.get(), SIGTERM).ok());
    world.engine.forget_heard();
    world.engine.answer("POST /containers/c1/kill", 204, "");
    world.engine.start_again();
    CHECK(eventually([&] { return world.engine.was_asked("POST /containers/c1/kill?signal=15"); }));
    CHECK(world.engine.was_asked("POST /containers/c1/kill?signal=1"));
    world.engine.answer("POST /containers/c1/wait", 200, R"({"StatusCode":143})");
    world.engine.stop();
    world.engine.start_again();
    CHECK(world.stage.wait_for_exit().code == 143);
}

TEST_CASE("an engine that is back but does not give the log at first is asked for it again") {
    World world;
    world.engine.hang("POST /containers/c1/wait");
    world.stage.start({});
    CHECK(eventually([&] { return world.stage.log("stdout.0") == "hello\n"; }));
    world.engine.stop();
    world.engine.answer("GET /containers/c1/logs", 500, "{}");
    world.engine.start_again();
    CHECK(eventually([&] { return world.engine.was_asked("GET /containers/c1/logs"); }));
    world.engine.on("GET /containers/c1/logs", [](int connection, const std::string&) {
        FakeEngine::say(connection, "HTTP/1.0 200 OK\r\n\r\n" + FakeEngine::frame(1, "later\n"));
    });
    CHECK(eventually([&] { return world.stage.log("stdout.0") == "hello\nlater\n"; }));
    REQUIRE(send_kill(world.stage.live().socket.get()).ok());
    world.engine.answer("POST /containers/c1/wait", 200, R"({"StatusCode":137})");
    world.engine.stop();
    world.engine.start_again();
    CHECK(world.stage.wait_for_exit().code == 137);
}

TEST_CASE("an engine that goes away and comes back loses no exit, and the gap is said") {
    World world;
    world.engine.hang("POST /containers/c1/wait");
    world.stage.start({});
    CHECK(eventually([&] { return world.stage.log("stdout.0") == "hello\n"; }));
    world.engine.stop();
    CHECK(is_alive(world.stage.live().shim_pid));
    world.engine.answer("POST /containers/c1/wait", 200, R"({"StatusCode":3})");
    world.engine.on("GET /containers/c1/logs", [](int connection, const std::string& request) {
        CHECK(request.find("since=") != std::string::npos);
        FakeEngine::say(connection, "HTTP/1.0 200 OK\r\n\r\n" + FakeEngine::frame(1, "later\n"));
    });
    world.engine.start_again();
    const shim::Record record = world.stage.wait_for_exit();
    CHECK(record.code == 3);
    CHECK(world.stage.log("stdout.0") == "hello\nlater\n");
    CHECK(world.stage.log("stderr.0").find("the container engine was away") != std::string::npos);
}

TEST_CASE("a container that vanished with its engine is told as lost, not as ended well") {
    World world;
    world.engine.hang("POST /containers/c1/wait");
    world.stage.start({});
    world.engine.stop();
    world.engine.answer("POST /containers/c1/wait", 404, R"({"message":"No such container"})");
    world.engine.start_again();
    CHECK((world.stage.wait_for_exit().flags & shim::kEngineLost) != 0);
}

TEST_CASE("an engine that refuses says why, and what may pass is told from what does not") {
    struct Row {
        const char* route;
        int status;
        const char* body;
        const char* says;
        bool may_pass;
    };
    for (const auto& row : {
             Row{"POST /containers/c1/start", 500, R"({"message":"no space left"})",
                 "HTTP 500: {\"message\":\"no space left\"}", true},
             Row{"POST /containers/c1/start", 400, R"({"message":"exec: x: not found"})",
                 "HTTP 400: {\"message\":\"exec: x: not found\"}", false},
             Row{"POST /containers/c1/attach", 409, R"({"message":"dead"})", "HTTP 409", false},
             Row{"POST /containers/create", 400, R"({"message":"bad mount"})", "bad mount", false},
             Row{"POST /containers/create", 500, R"({"message":"busy"})", "busy", true},
             Row{"POST /containers/create", 200, "what", "create container", true},
             Row{"GET /images/web:1/json", 500, R"({"message":"oh"})", "look for image web:1: oh",
                 true},
         }) {
        CAPTURE(row.route);
        World world;
        world.engine.answer(row.route, row.status, row.body);
        const StartFailure failure = world.stage.failure({});
        CAPTURE(failure.error);
        CHECK(failure.error.find(row.says) != std::string::npos);
        CHECK(failure.may_pass == row.may_pass);
    }
}

TEST_CASE("an engine that hangs while a container starts is given up, and that may pass") {
    for (const char* route : {"POST /containers/c1/attach", "POST /containers/c1/start"}) {
        CAPTURE(route);
        World world;
        world.engine.hang(route);
        world.stage.patience_ms = 200;
        const StartFailure failure = world.stage.failure({});
        CHECK(failure.error.find("it hangs, and was given up") != std::string::npos);
        CHECK(failure.may_pass);
    }
}

TEST_CASE("an engine that is missing or hangs makes the driver ill, not the agent") {
    World world;
    CHECK(world.stage.driver().fingerprint().healthy);
    CHECK(world.stage.driver().fingerprint().attributes.at("driver.docker.version") == "20.10");
    world.engine.answer("GET /version", 500, "");
    CHECK_FALSE(world.stage.driver().fingerprint().healthy);
    world.engine.hang("GET /version");
    const EngineCall impatient{.target = "/version", .patience = 50ms};
    const auto late = call_engine(world.engine.socket(), impatient);
    REQUIRE(!late.ok());
    CHECK(late.error().code == Errc::timeout);
    world.engine.stop();
    const DriverState gone = world.stage.driver().fingerprint();
    CHECK_FALSE(gone.detected);
    CHECK(gone.description.find("--docker-socket") != std::string::npos);
}

TEST_CASE("an image that is not here is downloaded, with progress and the registry's words") {
    World world;
    std::vector<std::string> said;
    const FetchWatch watch{.say = [&](std::string line) { said.push_back(std::move(line)); },
                           .cancelled = {}};
    DockerImages images(world.engine.socket(), world.stage.root() + "/images", 3min);
    TaskSpec spec = world.stage.spec();
    spec.config = {{"image", Value{std::string("far:2")}}};
    world.engine.answer(
        "POST /images/create?fromImage=far&tag=2", 200,
        R"({"status":"Downloading","id":"a","progressDetail":{"current":30,"total":100}})"
        "\n"
        R"({"status":"Downloading","id":"a","progressDetail":{"current":60,"total":100}})"
        "\nnot json\n{\"status\":\"done\"}\n");
    const auto present = images.make_present(spec, watch);
    INFO((present.ok() ? std::string() : present.error().detail));
    REQUIRE(present.ok());
    CHECK(said == std::vector<std::string>{"Downloading image far:2",
                                           "Downloading image far:2: 25 %",
                                           "Downloading image far:2: 50 %"});
    struct Row {
        const char* line;
        Errc code;
    };
    for (const auto& row :
         {Row{"manifest unknown", Errc::not_found}, Row{"pull access denied for far", Errc::denied},
          Row{"dial tcp: i/o timeout", Errc::unavailable}}) {
        CAPTURE(row.line);
        world.engine.answer("POST /images/create", 200,
                            std::string("{\"error\":\"") + row.line + "\"}\n");
        const auto failed = images.make_present(spec, watch);
        REQUIRE(!failed.ok());
        CHECK(failed.error().code == row.code);
        CHECK(failed.error().detail.find(row.line) != std::string::npos);
    }
}

TEST_CASE("a running container is kept to other processors by its engine's own call") {
    struct Row {
        const char* version;
        const char* call;
    };
    for (const auto& row : {Row{R"({"Version":"20.10"})", "POST /containers/main-"},
                            Row{R"({"Version":"4.3.1","Components":[{"Name":"Podman Engine"}]})",
                                "POST /v4.3.0/libpod/containers/main-"}}) {
        CAPTURE(row.call);
        World world;
        world.engine.answer("GET /version", 200, row.version);
        const std::string call = row.call + world.stage.at().alloc + "/update";
        const StartedTask task{.at = world.stage.at(), .spec = {}, .pid = 1};
        const auto gone = world.stage.driver().confine(task, "1");
        REQUIRE(!gone.ok());
        CHECK(gone.error().code == Errc::not_found);
        world.engine.answer(call, 200, "{}");
        CHECK(world.stage.driver().confine(task, "1").ok());
        CHECK(world.engine.was_asked(call));
    }
}

TEST_CASE("no words of a job become a request of their own") {
    World world;
    for (const std::string target : {"/images/a b/json", "/images/a\r\n\r\nPOST /x", "/images/\x7f",
                                     "/images/\xc3\xa9/json"}) {
        const auto answer = call_engine(world.engine.socket(), {.target = target});
        REQUIRE(!answer.ok());
        CHECK(answer.error().code == Errc::invalid);
    }
    world.stage.spec().config = {
        {"image", Value{std::string("x@a:b HTTP/1.1\r\nHost: x\r\n\r\n"
                                    "POST /containers/create?name=e HTTP/1.1\r\n\r\n")}}};
    CHECK(!world.stage.make_ready().ok());
    CHECK(world.engine.heard().empty());
}

TEST_CASE("a container that cannot be removed keeps its processors") {
    World world;
    const TaskLocation at = world.stage.at();
    REQUIRE(save_spec(at, world.stage.spec()).ok());
    REQUIRE(take_cores(world.stage.root(), at, 1).ok());
    world.engine.answer("DELETE /containers/", 500, R"({"message":"device is busy"})");
    const auto refused = world.stage.driver().clean_up(world.stage.started());
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Errc::io);  // it is there, and may run
    CHECK(cpu_pool(world.stage.root())->reserved);
    world.engine.answer("DELETE /containers/", 204, "");
    CHECK(world.stage.driver().clean_up(world.stage.started()).ok());
    CHECK_FALSE(cpu_pool(world.stage.root())->reserved);
}

TEST_CASE("an earlier container, which could move links, goes before links are judged") {
    World world;
    DriverSettings settings = world.settings;
    settings.docker_volumes = false;
    settings.alloc_root = world.stage.root();
    const Drivers drivers(settings);
    std::filesystem::create_directory_symlink("/", world.stage.dir() + "/main/local/x");
    TaskSpec& spec = world.stage.spec();
    spec.config["volumes"] = Value{Value::List{Value{std::string("local/x:/x")}}};
    const auto launch = drivers.find("docker")->prepare(world.stage.at(), spec);
    REQUIRE(!launch.ok());
    CHECK(launch.error().code == Errc::denied);
    CHECK(world.engine.was_asked("DELETE /containers/"));
    CHECK_FALSE(world.engine.was_asked("POST /containers/create"));
}

TEST_CASE("a download that nobody needs any more ends at once") {
    World world;
    DockerImages images(world.engine.socket(), world.stage.root() + "/images", 3min);
    TaskSpec spec = world.stage.spec();
    spec.config = {{"image", Value{std::string("far:2")}}};
    for (const char* route : {"POST /images/create", "GET /images/far:2/json"}) {
        CAPTURE(route);
        world.engine.hang(route);
        const FetchWatch watch{.say = [](const std::string&) {},
                               .cancelled = [&] { return world.engine.was_asked(route); }};
        CHECK_FALSE(images.make_present(spec, watch).ok());  // else it waits for two minutes
    }
}

TEST_CASE("tasks that need the same image from the same place are known by their key") {
    TaskSpec spec;
    const auto key = [&](Value::Map config) {
        spec.config = std::move(config);
        return *DockerImages::key_of(spec);
    };
    const Value web{std::string("web")};
    const Value::Map auth{{"username", Value{std::string("me")}}};
    CHECK(key({{"image", web}}) == key({{"image", Value{std::string("web:latest")}}}));
    CHECK(key({{"image", web}}) != key({{"image", Value{std::string("web:1")}}}));
    CHECK(key({{"image", web}}) != key({{"image", web}, {"force_pull", Value{true}}}));
    CHECK(key({{"image", web}}) !=
          key({{"image", web}, {"auth", Value{Value::List{Value{auth}}}}}));
    const std::string loaded = key({{"image", web}, {"load", Value{std::string("x.tar")}}});
    spec.task_dir = "/another";
    CHECK(loaded != key({{"image", web}, {"load", Value{std::string("x.tar")}}}));
}

TEST_CASE("images that we fetched go once nobody uses them; others' images stay") {
    World world;
    DockerImages images(world.engine.socket(), world.stage.root() + "/images", 0s);
    TaskSpec spec = world.stage.spec();
    spec.config = {{"image", Value{std::string("far:2")}}};
    world.engine.answer("POST /images/create", 200, "{}\n");
    const FetchWatch watch{.say = [](const std::string&) {}, .cancelled = {}};
    REQUIRE(images.make_present(world.stage.spec(), watch).ok());  // was here
    REQUIRE(images.make_present(spec, watch).ok());
    world.engine.answer("DELETE /images/far:2", 200, "[]");
    world.engine.answer("GET /containers/json", 200, R"([{"Image":"far:2","ImageID":"x"}])");
    DockerImages patient(world.engine.socket(), world.stage.root() + "/images", 1min);
    patient.collect();  // it read the file, and is patient
    CHECK_FALSE(world.engine.was_asked("DELETE /images"));
    world.engine.answer("GET /containers/json", 200, "[]");
    images.collect();
    CHECK(world.engine.was_asked("DELETE /images/far:2"));
    CHECK_FALSE(world.engine.was_asked("DELETE /images/web:1"));
    CHECK(text_of(world.stage.root() + "/images").empty());
}

TEST_CASE("an image that takes long to remove holds up only those who need it") {
    World world;
    DockerImages images(world.engine.socket(), world.stage.root() + "/images", 0s);
    std::ofstream(world.stage.root() + "/images") << "large:1\n";
    world.engine.answer("GET /containers/json", 200, "[]");
    world.engine.answer("GET /images/large:1/json", 200, "{}");
    std::promise<void> asked;
    std::promise<void> may_go;
    world.engine.on("DELETE /images/large:1", [&](int connection, const std::string&) {
        asked.set_value();
        may_go.get_future().wait();
        FakeEngine::say(connection, "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n[]");
    });
    const FetchWatch watch{.say = [](const std::string&) {}, .cancelled = {}};
    const auto need = [&](const char* image) {
        TaskSpec spec = world.stage.spec();
        spec.config = {{"image", Value{std::string(image)}}};
        return std::async(std::launch::async,
                          [&, spec] { return images.make_present(spec, watch).ok(); });
    };
    auto collecting = std::async(std::launch::async, [&] { images.collect(); });
    asked.get_future().wait();
    auto other = need("web:1");
    auto same = need("large:1");
    const bool went_on = other.wait_for(10s) == std::future_status::ready;
    CHECK_FALSE(world.engine.was_asked("GET /images/large:1"));
    may_go.set_value();
    CHECK(went_on);
    CHECK(other.get());
    CHECK(same.get());
    collecting.get();
    CHECK(world.engine.was_asked("GET /images/large:1"));
}

TEST_CASE("an archive is loaded from the task's directory and from nowhere else") {
    World world;
    TaskSpec& spec = world.stage.spec();
    std::ofstream(world.stage.dir() + "/main/local/web.tar") << std::string(100'000, 't');
    std::ofstream(world.stage.dir() + "/main/outside.tar") << "t";
    std::filesystem::create_symlink(world.stage.dir() + "/main/outside.tar",
                                    world.stage.dir() + "/main/local/link.tar");
    world.engine.on("POST /images/load", [](int connection, const std::string& request) {
        std::size_t have = request.size() - request.find("\r\n\r\n") - 4;
        char bytes[4096];
        while (have < 100'000) {
            const ssize_t got = read(connection, bytes, sizeof bytes);
            if (got <= 0) return;
            have += static_cast<std::size_t>(got);
        }
        FakeEngine::say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
    const auto loaded = [&](const char* file, const char* image) {
        spec.config = {{"image", Value{std::string(image)}}, {"load", Value{std::string(file)}}};
        const auto launch = world.stage.make_ready();
        return launch ? std::string("loaded") : launch.error().detail;
    };
    CHECK(loaded("web.tar", "web:1") == "loaded");
    CHECK(loaded("web.tar", "other:1").find("holds no image of that name") != std::string::npos);
    CHECK(loaded("no.tar", "web:1").find("it is not there") != std::string::npos);
    CHECK(loaded("../outside.tar", "web:1").find("leaves the task's directory") !=
          std::string::npos);
    CHECK(loaded("link.tar", "web:1").find("leaves the task's directory") != std::string::npos);
    REQUIRE(mkfifo((world.stage.dir() + "/main/local/pipe").c_str(), 0600) == 0);
    CHECK(loaded("pipe", "web:1").find("it is no plain file") != std::string::npos);
}

TEST_CASE("containers that carry this agent's label and belong to no task are removed") {
    World world;
    world.engine.answer("GET /containers/json?all=1&filters=", 200,
                        R"([{"Id":"old","Names":["/main-gone"],"Created":1},
                            {"Id":"young","Names":["/main-new"],"Created":99999999999},
                            {"Id":"pause","Names":["/pause_gone"],"Created":1},
                            {"Id":"our-pause","Names":["/pause_)" +
                            world.stage.at().alloc + R"("],"Created":1},
                            {"Id":"ours","Names":["/)" +
                            std::string("main-") + world.stage.at().alloc + R"("],"Created":1}])");
    TaskSpec& spec = world.stage.spec();
    spec.network.netns = "/run/netns/1";
    world.stage.driver().collect(
        [&] { return std::vector{StartedTask{.at = world.stage.at(), .spec = spec, .pid = 0}}; });
    CHECK(world.engine.was_asked("DELETE /containers/old"));
    CHECK_FALSE(world.engine.was_asked("DELETE /containers/young"));
    CHECK_FALSE(world.engine.was_asked("DELETE /containers/ours"));
    CHECK(world.engine.was_asked("DELETE /containers/pause"));
    CHECK_FALSE(world.engine.was_asked("DELETE /containers/our-pause"));
}

}  // namespace gaggle::allocrunner
