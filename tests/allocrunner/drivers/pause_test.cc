// The container that holds an allocation's network, by an engine whose containers are processes.
#include <doctest/doctest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "allocrunner/drivers/docker_pause.h"
#include "allocrunner/network/netns.h"
#include "tests/allocrunner/drivers/fake_engine.h"
#include "tests/allocrunner/needs.h"

namespace gaggle::allocrunner {

namespace {

/// Runs the real program where an engine would: with the path that it was told to mount.
struct World {
    World() : images(engine.socket(), scratch.path() + "/images", 3min) {
        engine.on(
            "POST /images/create?fromSrc=-&repo=gaggle-pause&tag=",
            [this](int connection, const std::string& request) { import(connection, request); });
        engine.answer("POST /containers/create?name=pause_a", 201, R"({"Id":"p"})");
        engine.on("POST /containers/pause_a/start", [this](int connection, const std::string&) {
            spawn_it();
            FakeEngine::say(connection, "HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n");
        });
        engine.on("GET /containers/pause_a/json",
                  [this](int connection, const std::string&) { tell(connection); });
        engine.on("DELETE /containers/pause_a", [this](int connection, const std::string&) {
            end();
            FakeEngine::say(connection, "HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n");
        });
        engine.answer("GET /containers/pause_a/logs", 200,
                      FakeEngine::frame(2, "enter the network: no such file\n"));
    }
    ~World() {
        end();
        CHECK(remove_netns(netns).ok());
    }

    void import(int connection, const std::string& request) {
        std::size_t have = request.size() - request.find("\r\n\r\n") - 4;
        const std::size_t size = std::stoul(request.substr(request.find("Content-Length: ") + 16));
        char bytes[65'536];
        while (have < size) {
            const ssize_t got = read(connection, bytes, sizeof bytes);
            if (got <= 0) return;
            have += static_cast<std::size_t>(got);
        }
        imported = size;
        engine.answer("GET /images/gaggle-pause:", 200, "{}");
        FakeEngine::say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    }

    void spawn_it() {
        std::string program = built_program("gctl-shim");
        std::string option = "--pause";
        char* argv[] = {program.data(), option.data(), netns.data(), nullptr};
        REQUIRE(posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environ) == 0);
    }

    void tell(int connection) {
        const bool runs = pid > 0 && waitpid(pid, nullptr, WNOHANG) == 0;
        if (!runs) pid = 0;
        const std::string body = std::string(R"({"State":{"Running":)") +
                                 (runs ? "true" : "false") + R"(,"Pid":)" + std::to_string(pid) +
                                 "}}";
        FakeEngine::say(connection, "HTTP/1.1 200 OK\r\nContent-Length: " +
                                        std::to_string(body.size()) + "\r\n\r\n" + body);
    }

    void end() {
        if (pid <= 0) return;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        pid = 0;
    }

    Result<void> make() { return pause.make_present("a", {.netns = netns, .owner = "/data"}); }
    std::string its_network() const {
        return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/net");
    }

    ScratchDir scratch;
    FakeEngine engine;
    DockerImages images;
    DockerPause pause{engine.socket(), built_program("gctl-shim"), images};
    std::string netns = scratch.path() + "/netns";
    std::atomic<std::size_t> imported = 0;
    pid_t pid = 0;  // the engine answers one call at a time here
};

bool possible() {
    const auto may = try_netns();
    return is_met(may.ok(), may.ok() ? "" : may.error().detail);
}

}  // namespace

TEST_CASE("the container stands in the allocation's network, and is made anew when it does not") {
    if (!possible()) return;
    World world;
    REQUIRE(make_netns(world.netns).ok());
    const auto made = world.make();
    INFO((made.ok() ? std::string() : made.error().detail));
    REQUIRE(made.ok());
    CHECK(world.imported > 100'000);
    CHECK(world.its_network() != std::filesystem::read_symlink("/proc/self/ns/net").string());
    const pid_t first = world.pid;
    REQUIRE(world.make().ok());
    CHECK(world.pid == first);
    world.end();  // the engine was restarted
    REQUIRE(world.make().ok());
    CHECK(world.pid != first);
    const std::string before = world.its_network();
    REQUIRE(make_netns(world.netns).ok());  // the machine was
    REQUIRE(world.make().ok());
    CHECK(world.its_network() != before);
    REQUIRE(world.pause.remove("a").ok());
    CHECK(world.pid == 0);
}

TEST_CASE("a container that cannot enter the network is told with its own words, and removed") {
    if (!possible()) return;
    World world;
    const auto failed = world.make();
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().detail.find("enter the network: no such file") != std::string::npos);
    CHECK(world.engine.was_asked("DELETE /containers/pause_a"));
}

}  // namespace gaggle::allocrunner
