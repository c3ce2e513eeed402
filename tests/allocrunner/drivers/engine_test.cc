// Driver docker with a real engine: where one is named by GAGGLE_ENGINE_SOCKET and an image with a
// shell by GAGGLE_ENGINE_IMAGE. The end-to-end tests do the same with a dockerd of their own; this
// is for another engine (Podman), by hand.
#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>

#include "tests/allocrunner/drivers/stage.h"

namespace gaggle::allocrunner {

namespace {

/// Then the tests are counted as skipped.
bool no_engine() {
    return std::getenv("GAGGLE_ENGINE_SOCKET") == nullptr ||
           std::getenv("GAGGLE_ENGINE_IMAGE") == nullptr;
}

struct RealEngine {
    RealEngine() {
        const char* socket = std::getenv("GAGGLE_ENGINE_SOCKET");
        const char* image = std::getenv("GAGGLE_ENGINE_IMAGE");
        stage.emplace("docker", DriverSettings{.docker_socket = socket});
        stage->spec().config = {{"image", Value{std::string(image)}},
                                {"network_mode", Value{std::string("none")}}};
        stage->spec().user.clear();
        stage->spec().env = {{"COLOUR", "green"}};
        stage->spec().resources.memory = MegaBytes{32};
        std::filesystem::create_directories(stage->dir() + "/main/secrets");
    }
    std::optional<DriverStage> stage;
};

}  // namespace

TEST_CASE("a real engine runs a container, and its end is told" * doctest::skip(no_engine())) {
    RealEngine real;
    DriverStage& stage = *real.stage;
    REQUIRE(stage.usable());
    stage.start({"sh", "-c", "echo $COLOUR; echo bad >&2; echo x > /local/out; exit 7"});
    const shim::Record record = stage.wait_for_exit();
    CHECK(record.code == 7);
    CHECK(stage.log("stdout.0") == "green\n");
    CHECK(stage.log("stderr.0") == "bad\n");
    CHECK(text_of(stage.dir() + "/main/local/out") == "x\n");
    CHECK(!stage.driver().usage(stage.started()).ok());
}

TEST_CASE("a real engine runs commands beside a task, measures it and ends it" *
          doctest::skip(no_engine())) {
    RealEngine real;
    DriverStage& stage = *real.stage;
    stage.start({"sh", "-c", "while :; do :; done"});
    CHECK(stage.live().record.pid > 1);
    auto session =
        stage.driver().exec(stage.started(), {.argv = {"sh", "-c", "echo $COLOUR; cat; exit 3"}});
    REQUIRE(session.ok());
    CHECK(*(*session)->write(as_bytes("typed\n")) == 6);
    const auto end = run_to_end(std::move(*session), 20s, 1'000);
    REQUIRE(end.ok());
    CHECK(end->output == "green\ntyped\n");
    CHECK(end->exit_code == 3);
    const ExecRequest terminal{
        .argv = {"sh", "-c", "test -t 0 && echo yes"}, .env = {}, .terminal = TerminalSize{30, 90}};
    auto shown = stage.driver().exec(stage.started(), terminal);
    REQUIRE(shown.ok());
    const auto said = run_to_end(std::move(*shown), 20s, 1'000);
    REQUIRE(said.ok());
    CHECK(said->output == "yes\r\n");
    CHECK(eventually([&] {
        const auto usage = stage.driver().usage(stage.started());
        return usage.ok() && usage->used > 0 && usage->user_nanoseconds > 0;
    }));
    REQUIRE(send_signal(stage.live().socket.get(), SIGKILL).ok());
    CHECK(stage.wait_for_exit().code == 137);
}

TEST_CASE("a real engine's container that takes too much memory is told as such" *
          doctest::skip(no_engine())) {
    RealEngine real;
    real.stage->start({"sh", "-c", "x=x; while :; do x=$x$x; done"});
    const shim::Record record = real.stage->wait_for_exit();
    CHECK((record.flags & shim::kOutOfMemory) != 0);
    CHECK(record.code != 0);
}

}  // namespace gaggle::allocrunner
