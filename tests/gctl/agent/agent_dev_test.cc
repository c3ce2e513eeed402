// A whole agent, as a user starts it: a job runs, and what a signal does to it.
#include <fstream>

#include "gctl/agent/cluster.h"
#include "tests/gctl/agent/agent_child.h"

namespace gaggle::agent {

namespace {

/// A raw_exec job that writes its process number and then stays.
std::string job_that_stays(const std::string& pid_file) {
    return R"({"Job": {"ID": "stay", "Name": "stay", "Type": "service", "Datacenters": ["dc1"],
      "TaskGroups": [{"Name": "g", "Count": 1, "EphemeralDisk": {"SizeMB": 10}, "Tasks": [{
        "Name": "t", "Driver": "raw_exec",
        "Config": {"command": "/bin/sh", "args": ["-c", "echo hello; echo $$ > )" +
           pid_file + R"(.new; mv )" + pid_file + ".new " + pid_file + R"(; exec sleep 600"]},
        "Resources": {"CPU": 10, "MemoryMB": 10},
        "LogConfig": {"MaxFiles": 1, "MaxFileSizeMB": 1}}]}]}})";
}

pid_t pid_in(const std::string& file) {
    const std::string text = allocrunner::text_of(file);
    return text.empty() ? 0 : std::stoi(text);
}

AgentOptions small(std::uint16_t port) {
    AgentOptions out;
    out.port = port;
    out.http_port = 0;
    out.cpu_total = MegaHertz{1000};
    out.memory_total = MegaBytes{1000};
    out.disk_total = MegaBytes{1000};
    return out;
}

std::string after(const std::string& text, const std::string& mark) {
    const std::size_t at = text.find(mark);
    if (at == std::string::npos) return "";
    return text.substr(at + mark.size(), text.find('\n', at) - at - mark.size());
}

/// Registers the job and waits until its task and the API say that it runs.
pid_t run_job(std::uint16_t http, const std::string& token, const ScratchDir& scratch) {
    const std::string pid_file = scratch.path() + "/task.pid";
    const std::string answer = ask_http(http, token, "PUT", "/v1/jobs", job_that_stays(pid_file));
    CAPTURE(answer);
    REQUIRE(answer.starts_with("HTTP/1.1 200"));
    REQUIRE(eventually([&] { return pid_in(pid_file) != 0; }));
    CHECK(eventually([&] {
        const std::string allocs = ask_http(http, token, "GET", "/v1/job/stay/allocations");
        return field_of(allocs, "ClientStatus") == "running";
    }));
    return pid_in(pid_file);
}

unsigned mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 07777U;
}

bool is_gone(pid_t pid) {
    return eventually([&] { return !allocrunner::is_alive(pid); });
}

}  // namespace

TEST_CASE("a --dev agent runs a job, and takes its tasks and its directory with it") {
    int end = SIGINT;
    SUBCASE("at Ctrl-C") { end = SIGINT; }
    SUBCASE("when its terminal is closed") { end = SIGHUP; }
    const ScratchDir scratch;
    AgentOptions options = small(free_base_port("127.0.0.1"));
    options.dev = true;
    AgentChild agent(scratch, options);
    const std::uint16_t http = agent.http_port();
    CAPTURE(agent.err());
    REQUIRE(http != 0);
    const std::string banner = agent.out();
    CHECK(after(banner, "export NOMAD_ADDR=") == "http://127.0.0.1:" + std::to_string(http));
    const std::string token = after(banner, "export NOMAD_TOKEN=");
    const std::string data_dir =
        after(banner, "  data    ").substr(0, after(banner, "  data    ").find(' '));
    CHECK(data_dir.starts_with(scratch.path()));

    CHECK(ask_http(http, "wrong", "GET", "/v1/jobs").starts_with("HTTP/1.1 403"));
    const pid_t task = run_job(http, token, scratch);
    CHECK(allocrunner::is_alive(task));
    const std::string alloc =
        field_of(ask_http(http, token, "GET", "/v1/job/stay/allocations"), "ID");
    CHECK(eventually([&] {
        return ask_http(http, token, "GET",
                        "/v1/client/fs/logs/" + alloc + "?task=t&type=stdout&plain=true")
                   .find("hello") != std::string::npos;
    }));

    CHECK(agent.end(end) == 0);
    CHECK(is_gone(task));
    CHECK_FALSE(std::filesystem::exists(data_dir));
}

TEST_CASE("a --dev agent that is given a data directory leaves its tasks to the next one") {
    const ScratchDir scratch;
    AgentOptions options = small(free_base_port("127.0.0.1"));
    options.dev = true;
    options.data_dir = scratch.path() + "/data";
    pid_t task = 0;
    {
        AgentChild first(scratch, options);
        const std::uint16_t http = first.http_port();
        CAPTURE(first.err());
        REQUIRE(http != 0);
        CHECK(first.out().find("Its tasks run on") != std::string::npos);
        task = run_job(http, after(first.out(), "export NOMAD_TOKEN="), scratch);
        CHECK(first.end(SIGINT) == 0);
    }
    CHECK(allocrunner::is_alive(task));
    AgentChild next(scratch, options);
    const std::uint16_t http = next.http_port();
    CAPTURE(next.err());
    REQUIRE(http != 0);
    const std::string token = after(next.out(), "export NOMAD_TOKEN=");
    CHECK(eventually([&] {
        const std::string allocs = ask_http(http, token, "GET", "/v1/job/stay/allocations");
        return field_of(allocs, "ClientStatus") == "running";
    }));
    CHECK(field_of(ask_http(http, token, "GET", "/v1/job/stay"), "Status") == "running");
    CHECK(pid_in(scratch.path() + "/task.pid") == task);
    CHECK(ask_http(http, token, "DELETE", "/v1/job/stay").starts_with("HTTP/1.1 200"));
    CHECK(is_gone(task));
    CHECK(next.end(SIGHUP) == 0);
}

TEST_CASE("a task with a user of its own starts, and all else of the agent is closed to it" *
          doctest::skip(::geteuid() != 0)) {
    const ScratchDir scratch;
    REQUIRE(::chmod(scratch.path().c_str(), 0711) == 0);
    AgentOptions options = small(free_base_port("127.0.0.1"));
    options.dev = true;
    AgentChild agent(scratch, options);
    const std::uint16_t http = agent.http_port();
    CAPTURE(agent.err());
    REQUIRE(http != 0);
    const std::string token = after(agent.out(), "export NOMAD_TOKEN=");
    const std::string said = after(agent.out(), "  data    ");
    const std::string data_dir = said.substr(0, said.find(' '));

    std::string job = job_that_stays(scratch.path() + "/unused");
    const std::string driver = R"("Driver": "raw_exec")";
    job.replace(job.find(driver), driver.size(), driver + R"(, "User": "nobody")");
    const std::string words = "echo hello;";
    job.replace(job.find(words), words.size(),
                "id -un; for f in " + data_dir + "/*; do echo seen $f; done; cat " + data_dir +
                    "/FORMAT " + data_dir + "/log/CURRENT; exec sleep 600;");
    REQUIRE(ask_http(http, token, "PUT", "/v1/jobs", job).starts_with("HTTP/1.1 200"));
    std::string allocs;
    CHECK(eventually([&] {
        allocs = ask_http(http, token, "GET", "/v1/job/stay/allocations");
        return field_of(allocs, "ClientStatus") == "running";
    }));
    CAPTURE(allocs);
    std::string out;
    CHECK(eventually([&] {
        out = ask_http(
            http, token, "GET",
            "/v1/client/fs/logs/" + field_of(allocs, "ID") + "?task=t&type=stdout&plain=true");
        return out.find("seen") != std::string::npos;
    }));
    CHECK(out.find("nobody\nseen " + data_dir + "/*\n") != std::string::npos);
    CHECK(out.find("gaggle 1") == std::string::npos);

    CHECK(mode_of(data_dir) == 0711);
    for (const auto& entry : std::filesystem::directory_iterator(data_dir)) {
        CAPTURE(entry.path());
        const bool passage = entry.path().filename() == "alloc";
        CHECK(mode_of(entry.path()) == (passage ? 0711U : entry.is_directory() ? 0700U : 0600U));
    }
    CHECK(agent.end(SIGINT) == 0);
}

TEST_CASE("a task outlives its agent, killed or ended, and the next agent adopts it") {
    const ScratchDir scratch;
    AgentOptions options = small(free_base_port("127.0.0.1"));
    options.data_dir = scratch.path() + "/data";
    const auto founded = init_cluster(
        {.data_dir = options.data_dir, .listen = {.bind = "127.0.0.1", .port = *options.port}});
    REQUIRE(founded.ok());
    pid_t task = 0;
    std::string token;
    {
        AgentChild first(scratch, options);
        const std::uint16_t http = first.http_port();
        CAPTURE(first.err());
        REQUIRE(http != 0);
        token = after(allocrunner::text_of(options.data_dir + "/http-token") + "\n", "");
        task = run_job(http, token, scratch);
        ::kill(first.pid(), SIGHUP);  // nothing to it
        CHECK(ask_http(http, token, "GET", "/v1/jobs").starts_with("HTTP/1.1 200"));
        CHECK(first.end(SIGTERM) == 0);
    }
    CHECK(allocrunner::is_alive(task));
    for (const int signal : {SIGKILL, SIGTERM}) {
        AgentChild next(scratch, options);
        const std::uint16_t http = next.http_port();
        CAPTURE(next.err());
        REQUIRE(http != 0);
        CHECK(next.err().find("found 1 allocations of an earlier agent") != std::string::npos);
        std::string allocs;
        CHECK(eventually([&] {
            allocs = ask_http(http, token, "GET", "/v1/job/stay/allocations");
            return field_of(allocs, "ClientStatus") == "running";
        }));
        CHECK(pid_in(scratch.path() + "/task.pid") == task);
        CHECK(allocrunner::is_alive(task));
        next.end(signal);
    }
    CHECK(allocrunner::is_alive(task));
    {
        AgentChild last(scratch, options);
        const std::uint16_t http = last.http_port();
        REQUIRE(http != 0);
        CHECK(eventually([&] {
            return ask_http(http, token, "DELETE", "/v1/job/stay").starts_with("HTTP/1.1 200");
        }));
        CHECK(is_gone(task));
        CHECK(last.end(SIGTERM) == 0);
    }
}

}  // namespace gaggle::agent
