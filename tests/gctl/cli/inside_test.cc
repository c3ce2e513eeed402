#include "base/bytes.h"
#include "gctl/cli/escape.h"
#include "gctl/cli/options.h"
#include "tests/gctl/cli/fake_agent.h"

namespace gaggle::cli {

namespace {

constexpr const char* kAlloc = "a1a1a1a1-0000-0000-0000-000000000000";
constexpr const char* kStubs =
    R"([{"ID":"a1a1a1a1-0000-0000-0000-000000000000","ClientStatus":"running","CreateIndex":5},)"
    R"({"ID":"b2b2b2b2-0000-0000-0000-000000000000","ClientStatus":"complete","CreateIndex":9}])";

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string call(const std::string& verb) { return "GET /v1/client/fs/" + verb + "/" + kAlloc; }

class Setup {
  public:
    Setup() { agent.on("GET /v1/allocations", {kStubs}); }
    FakeAgent agent;
    FakeMachine machine{agent.address()};
};

std::string frame(const std::string& alloc, const std::string& task, const std::string& text,
                  const std::string& more = "") {
    return R"({"AllocID":")" + alloc + R"(","Task":")" + task + R"(","Data":")" +
           to_base64(as_bytes(text)) + "\"" + more + "}";
}

/// An agent whose exec says what it was asked for, then ends with 7.
class ExecAgent {
  public:
    ExecAgent() {
        auto opened =
            HttpServer::open({.port = 0, .token = "secret"}, [this](auto request, auto to) {
                if (request.path == "/v1/allocations") return to.send({.body = kStubs});
                if (!request.upgrade || request.query["command"] == R"(["no"])")
                    return to.send(
                        {.status = 404, .content_type = "text/plain", .body = "no such task"});
                to.accept_web_socket([this, to, request](const std::string& message) mutable {
                    if (!has(message, R"("close":true)")) return to.listen();
                    const std::string said = request.query["command"] + request.query["tty"];
                    to.piece(R"({"stdout":{"data":")" + to_base64(as_bytes(said)) + R"("}})");
                    to.piece(R"({"stderr":{"data":")" + to_base64(as_bytes("oops")) + R"("}})");
                    if (request.query["task"] == "dies")
                        return to.fail_stream("the peer went away");
                    to.piece(R"({"exited":true,"result":{"exit_code":7}})");
                    to.end_stream();
                });
                to.listen();
            });
        REQUIRE(opened.ok());
        server_ = std::move(*opened);
    }
    std::string address() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  private:
    std::unique_ptr<HttpServer> server_;
};

template <class Wanted>
Wanted parsed(const std::vector<std::string>& words) {
    const ParsedLine line = parse_command_line(words, "/data");
    REQUIRE_MESSAGE(line.invocation.has_value(), line.text);
    REQUIRE(std::holds_alternative<Wanted>(line.invocation->command));
    return std::get<Wanted>(line.invocation->command);
}

}  // namespace

TEST_CASE("alloc fs lists a directory and prints a file") {
    Setup with;
    with.agent.on(call("ls"),
                  {R"([{"Name":"data","IsDir":true,"FileMode":"drwxrwxrwx","Size":4096,)"
                   R"("ModTime":"2023-11-14T22:13:20Z"}])"});
    const Ran root = with.machine.run({"alloc", "fs", "-H", "a1a1"});
    CHECK(root.err == "");
    CHECK(has(root.out, "drwxrwxrwx  4 KiB  2023-11-14T22:13:20Z  data/"));
    CHECK(with.agent.calls().back() == call("ls") + " path=/");
    with.agent.on(call("stat"), {R"({"Name":"f","IsDir":false,"Size":10,"FileMode":"-rw-r--r--",)"
                                 R"("ContentType":"text/plain"})"});
    with.agent.on(call("cat"), {"one\ntwo\nthree\n"});
    CHECK(with.machine.run({"alloc", "fs", kAlloc, "alloc/data/f"}).out == "one\ntwo\nthree\n");
    CHECK(with.agent.calls().back() == call("cat") + " path=alloc/data/f");
    with.agent.on(call("stream"), {"one\ntwo\nthree\n"});
    CHECK(with.machine.run({"alloc", "fs", "-n", "2", kAlloc, "f"}).out == "two\nthree\n");
    CHECK(with.agent.calls().back() ==
          call("stream") + " follow=false offset=512 origin=end path=f plain=true");
    CHECK(with.machine.run({"alloc", "fs", "-c", "3", kAlloc, "f"}).out == "one\ntwo\nthree\n");
    CHECK(has(with.agent.calls().back(), "offset=3 origin=end"));
    CHECK(has(with.machine.run({"alloc", "fs", "-stat", kAlloc, "f"}).out, "text/plain"));
    with.agent.on(call("stat"), {"!403 a task's secrets are not shown to anybody but the task"});
    const Ran secret = with.machine.run({"alloc", "fs", kAlloc, "t/secrets/key"});
    CHECK(secret.code == 1);
    CHECK(has(secret.err, "secrets are not shown"));
}

TEST_CASE("a followed file says when it was cut short") {
    Setup with;
    with.agent.on(call("stat"), {R"({"Name":"f","IsDir":false})"});
    with.agent.on(call("stream"), {"old\n", R"({"Data":"b2xkCg==","File":"f"}{})"
                                            R"({"Data":"","FileEvent":"file truncated"})"
                                            R"({"Data":"bmV3Cg=="})"});
    const Ran ran = with.machine.run({"alloc", "fs", "-f", "-n", "1", kAlloc, "f"});
    CHECK(ran.out == "old\nnew\n");
    CHECK(has(ran.err, "file truncated"));
}

TEST_CASE("a job stands for its newest running allocation") {
    Setup with;
    with.agent.on("GET /v1/jobs", {R"([{"ID":"redis","Type":"service","Status":"running"}])"});
    with.agent.on("GET /v1/job/redis/allocations", {kStubs});
    with.agent.on(call("ls"), {"[]"});
    CHECK(with.machine.run({"alloc", "fs", "-job", "redis"}).out == "The directory is empty\n");
    with.agent.on("GET /v1/job/redis/allocations", {"[]"});
    CHECK(has(with.machine.run({"alloc", "fs", "-job", "redis"}).err, "has no allocation"));
}

TEST_CASE("a job stands for an allocation that has the task") {
    Setup with;
    with.agent.on("GET /v1/jobs", {R"([{"ID":"shop","Type":"service","Status":"running"}])"});
    const std::string other = "b2b2b2b2-0000-0000-0000-000000000000";
    const auto stub = [](const std::string& id, const char* task, int index) {
        return R"({"ID":")" + id + R"(","ClientStatus":"running","CreateIndex":)" +
               std::to_string(index) + R"(,"TaskStates":{")" + task + R"(":{}}})";
    };
    with.agent.on("GET /v1/job/shop/allocations",
                  {"[" + stub(kAlloc, "web", 1) + "," + stub(other, "db", 2) + "]"});
    with.agent.on("GET /v1/allocation/" + std::string(kAlloc), {stub(kAlloc, "web", 1)});
    with.agent.on("GET /v1/client/fs/logs/" + std::string(kAlloc), {"from web\n"});
    CHECK(with.machine.run({"alloc", "logs", "-job", "shop", "web"}).out == "from web\n");
    const Ran none = with.machine.run({"alloc", "logs", "-job", "shop", "cache"});
    CHECK(none.code == 1);
    CHECK(has(none.err, "no allocation with a task \"cache\"; its tasks are: db, web"));
}

TEST_CASE("job logs of a parameterized job name what was dispatched from it") {
    Setup with;
    with.agent.on("GET /v1/jobs", {R"([{"ID":"sum","ParameterizedJob":true},
        {"ID":"sum/dispatch-1","ParentID":"sum","Status":"dead","ParameterizedJob":false}])"});
    const Ran refused = with.machine.run({"job", "logs", "-f", "sum"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "it is parameterized"));
    CHECK(has(refused.err, "gctl job logs sum/dispatch-1  (dead)"));
    with.agent.on("GET /v1/job/sum/dispatch-1/logs", {frame(kAlloc, "t", "done\n")});
    with.agent.on("GET /v1/jobs", {R"([{"ID":"sum","ParameterizedJob":true}])"});
    CHECK(has(with.machine.run({"job", "logs", "sum"}).err, "gctl job dispatch sum"));
}

TEST_CASE("job logs keep lines whole and say whose they are") {
    Setup with;
    with.agent.on("GET /v1/jobs", {R"([{"ID":"shop","Type":"service","Status":"running"}])"});
    const std::string other = "b2b2b2b2-0000-0000-0000-000000000000";
    with.agent.on("GET /v1/job/shop/logs",
                  {frame(kAlloc, "web", "one\ntw") + frame(other, "web", "1\n") +
                   frame(kAlloc, "web", "o\n") + frame(other, "db", "last") +
                   frame(other, "db", "", R"(,"Error":"it is gone","CaughtUp":true)")});
    const Ran ran = with.machine.run({"job", "logs", "-stderr", "-task", "", "shop"});
    CHECK(ran.out ==
          "a1a1a1a1/web | one\nb2b2b2b2/web | 1\na1a1a1a1/web | two\nb2b2b2b2/db | last\n");
    CHECK(has(ran.err, "b2b2b2b2/db: it is gone"));
    CHECK(has(with.agent.calls().back(), "follow=false task= type=stderr"));
    with.machine.world().terminal = true;
    const std::string coloured = with.machine.run({"job", "logs", "shop"}).out;
    CHECK(has(coloured, "\x1b[36ma1a1a1a1/web |\x1b[0m one"));
    CHECK(has(coloured, "\x1b[33mb2b2b2b2/web |\x1b[0m 1"));
}

TEST_CASE(
    "job logs do not wait for ever for the end of a line, and show what came before a break") {
    const std::string large(70'000, 'x');
    auto opened = HttpServer::open({.port = 0, .token = "secret"}, [&](auto request, auto to) {
        if (request.path == "/v1/jobs")
            return to.send({.body = R"([{"ID":"shop","Type":"service","Status":"running"}])"});
        to.begin_stream({});
        to.piece(frame(kAlloc, "web", large));
        to.piece(frame(kAlloc, "web", "tail\nlast"));
        to.break_stream();
    });
    REQUIRE(opened.ok());
    FakeMachine machine("http://127.0.0.1:" + std::to_string((*opened)->port()));
    const Ran ran = machine.run({"job", "logs", "shop"});
    CHECK(ran.code != 0);
    CHECK(ran.out == "a1a1a1a1/web | " + large + "\na1a1a1a1/web | tail\na1a1a1a1/web | last\n");
}

TEST_CASE("a line whose end does not come is shown after a second; the rest is a line of its own") {
    Setup with;
    with.agent.on("GET /v1/jobs", {R"([{"ID":"shop","Type":"service","Status":"running"}])"});
    const std::string other = "b2b2b2b2-0000-0000-0000-000000000000";
    with.agent.on(
        "GET /v1/job/shop/logs",
        {frame(kAlloc, "web", "password: ") + "{}" + "{}" + frame(other, "web", "1\n") +
         frame(kAlloc, "web", "\nthen\nagain: ") + "{}{}" + frame(kAlloc, "web", "more\n")});
    std::int64_t now = 1'700'000'000'000'000'000;
    with.machine.world().now = [&now] { return WallTime{now += 600'000'000}; };
    CHECK(with.machine.run({"job", "logs", "-f", "shop"}).out ==
          "a1a1a1a1/web | password: \n"
          "b2b2b2b2/web | 1\n"
          "a1a1a1a1/web | then\n"
          "a1a1a1a1/web | again: \n"
          "a1a1a1a1/web | more\n");
}

TEST_CASE("job logs show the last lines of each task, then what follows") {
    Setup with;
    with.agent.on("GET /v1/jobs", {R"([{"ID":"shop","Type":"service","Status":"running"}])"});
    with.agent.on("GET /v1/job/shop/logs", {frame(kAlloc, "web", "one\ntwo\nthree\n") +
                                            frame(kAlloc, "web", "", R"(,"CaughtUp":true)") +
                                            frame(kAlloc, "web", "four\n")});
    const Ran ran = with.machine.run({"job", "logs", "-f", "-n", "1", "shop"});
    CHECK(ran.out == "a1a1a1a1/web | three\na1a1a1a1/web | four\n");
    CHECK(has(with.agent.calls().back(), "follow=true offset=1024 origin=end"));
}

TEST_CASE("exec options end where the command begins") {
    const auto plain = parsed<AllocExec>({"alloc", "exec", "a1", "ls", "-la", "--json", "-t"});
    CHECK(plain.id == "a1");
    CHECK(plain.argv == std::vector<std::string>{"ls", "-la", "--json", "-t"});
    CHECK(plain.input);
    CHECK_FALSE(plain.terminal.has_value());
    const auto full = parsed<AllocExec>({"alloc", "exec", "-i=false", "-t=false", "-task", "web",
                                         "-e", "none", "-job", "shop", "sh", "-c", "x -y"});
    CHECK(full.by_job);
    CHECK(full.task == "web");
    CHECK_FALSE(full.input);
    CHECK(full.terminal == false);
    CHECK(full.escape == "none");
    CHECK(full.argv == std::vector<std::string>{"sh", "-c", "x -y"});
    CHECK(parsed<AllocExec>({"alloc", "exec", "-it", "a1", "sh"}).terminal == true);
    CHECK(parsed<AllocExec>({"alloc", "exec", "a1", "--", "-x"}).argv ==
          std::vector<std::string>{"-x"});
    CHECK_FALSE(parse_command_line({"alloc", "exec", "a1"}, "/").invocation.has_value());
    CHECK_FALSE(parse_command_line({"alloc", "exec", "-e", "ab", "a1", "x"}, "/").invocation);
}

TEST_CASE("exec passes on output, errors and the exit code") {
    const ExecAgent agent;
    FakeMachine machine(agent.address());
    const Ran ran = machine.run({"alloc", "exec", "-i=false", "a1a1", "echo", "-n", "x y"});
    CHECK(ran.code == 7);
    CHECK(ran.out == R"(["echo","-n","x y"]false)");
    CHECK(ran.err == "oops");
    const Ran refused = machine.run({"alloc", "exec", "-i=false", "a1a1", "no"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "run no in allocation a1a1a1a1: no such task"));
    const Ran broken = machine.run({"alloc", "exec", "-i=false", "-task", "dies", "a1a1", "x"});
    CHECK(broken.code == 1);
    CHECK(has(broken.err, "the peer went away"));
    machine.world().environment["GCTL_TOKEN"] = "wrong";
    CHECK(has(machine.run({"alloc", "exec", "-i=false", kAlloc, "x"}).err, "Permission denied"));
}

TEST_CASE("the escape character ends a session at the beginning of a line only") {
    struct Row {
        std::vector<const char*> typed;
        const char* sent;
        bool quit;
    };
    for (const Row& row :
         {Row{{"ls\r"}, "ls\r", false}, Row{{"~."}, "", true}, Row{{"ls\r~", "."}, "ls\r", true},
          Row{{"a~.b"}, "a~.b", false}, Row{{"~~x"}, "~x", false}, Row{{"~", "x"}, "~x", false},
          Row{{"x\n~.y"}, "x\n", true}}) {
        CAPTURE(row.sent);
        EscapeReader reader('~');
        std::string sent;
        bool quit = false;
        for (const char* part : row.typed) {
            const auto taken = reader.take(part);
            sent += taken.send;
            quit = quit || taken.quit;
        }
        CHECK(sent == row.sent);
        CHECK(quit == row.quit);
    }
    CHECK(EscapeReader(std::nullopt).take("~.").send == "~.");
}

}  // namespace gaggle::cli
