// Script checks with real processes: where they run, how they end, what they leave behind.
#include "allocrunner/script_runner.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <sstream>

#include "allocrunner/check_probe.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/real_peer.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

Order with_script(const std::string& script, Duration timeout = 10s) {
    Order order = shell(1, "cd $NOMAD_TASK_DIR; echo ready > state; sleep 1000");
    ServiceCheck check;
    check.name = "probe";
    check.type = "script";
    check.command = "/bin/sh";
    check.args = {"-c", script};
    check.task = "main";
    check.interval = 1s;
    check.timeout = timeout;
    order.group.tasks[0].services = {{.name = "web", .checks = {check}}};
    return order;
}

bool comes_to(RealPeer& peer, CheckStatus wanted) {
    return peer.until([&] { return peer.status(kOne).checks.at(0).status == wanted; });
}

void end(RealPeer& peer) {
    peer.orders({});
    REQUIRE(peer.until([&] { return is_terminal(peer.status(kOne).client); }));
}

}  // namespace

TEST_CASE("a script runs in its task's place with its environment, and its exit code is judged") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({with_script("echo as $NOMAD_TASK_NAME in $(pwd | grep -c main); "
                             "exit $(cat $NOMAD_TASK_DIR/code 2>/dev/null || echo 0)")});
    REQUIRE(comes_to(peer, CheckStatus::success));
    CHECK(peer.status(kOne).checks[0].output == "as main in 1");
    const std::string code = scratch.path() + "/" + to_string(kOne) + "/main/local/code";
    FILE* file = fopen(code.c_str(), "w");
    REQUIRE(file != nullptr);
    fputs("2", file);
    fclose(file);
    CHECK(comes_to(peer, CheckStatus::failure));
    end(peer);
}

TEST_CASE("a script that hangs is killed at its timeout, with what it started") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({with_script(
        "cd $NOMAD_TASK_DIR; sleep 1000 & echo $$ $! > pids.$$; mv pids.$$ pids; sleep 1000", 1s)});
    REQUIRE(comes_to(peer, CheckStatus::failure));
    std::istringstream pids(text_of(scratch.path() + "/" + to_string(kOne) + "/main/local/pids"));
    std::int64_t shell = 0;
    std::int64_t child = 0;
    pids >> shell >> child;
    REQUIRE(child > 0);
    CHECK(eventually([&] { return !is_alive(shell) && !is_alive(child); }));
    CHECK(peer.status(kOne).checks[0].output ==
          "script /bin/sh: killed, for it did not end within 1.0s");
    end(peer);
}

TEST_CASE("a script that is not there fails its check in words, and harms nobody") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    Order order = with_script("true");
    order.group.tasks[0].services[0].checks[0].command = "/no/such/probe";
    peer.orders({order});
    REQUIRE(comes_to(peer, CheckStatus::failure));
    CHECK(peer.status(kOne).checks[0].output.find("/no/such/probe") != std::string::npos);
    CHECK(peer.status(kOne).client == ClientStatus::running);
    end(peer);
}

TEST_CASE("a script that hangs holds up neither another one nor the end of the agent") {
    const ScratchDir scratch;
    Order other = with_script("true");
    other.alloc = alloc_id(2);
    std::string pid;
    {
        RealPeer peer(scratch.path());
        Order hangs = with_script("echo $$ > $NOMAD_TASK_DIR/pid; exec sleep 1000", 1h);
        // Three of them, and two of one allocation may run at a time.
        Service& service = hangs.group.tasks[0].services[0];
        service.checks.resize(3, service.checks[0]);
        for (std::size_t at = 0; at < 3; ++at) service.checks[at].name = std::to_string(at);
        service.checks[2].timeout = 1s;
        peer.orders({hangs});
        const std::string file = scratch.path() + "/" + to_string(kOne) + "/main/local/pid";
        REQUIRE(peer.until([&] { return !text_of(file).empty(); }));
        peer.orders({hangs, other});
        CHECK(peer.until([&] {
            return peer.status(other.alloc).checks.at(0).status == CheckStatus::success;
        }));
        CHECK(peer.until([&] {
            return peer.status(kOne).checks.at(2).status == CheckStatus::failure;
        }));
        CHECK(peer.status(kOne).checks[2].output ==
              "script /bin/sh: it waited for its turn all its time, for others hang");
        CHECK(peer.status(kOne).checks[0].status == CheckStatus::pending);
        pid = text_of(file);
    }  // which kills it, or this test never ends
    CHECK_FALSE(is_alive(std::stol(pid)));
    RealPeer peer(scratch.path());
    end(peer);
}

TEST_CASE("a request over HTTP carries the check's own header and body") {
    RunCheck check;
    check.host = "10.0.0.1";
    check.port = 80;
    check.path = "/health";
    CHECK(http_request(check) ==
          "GET /health HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: gaggle-check\r\n"
          "Connection: close\r\n\r\n");
    check.method = "POST";
    check.header = {{"host", {"db.example"}}, {"X-Probe", {"a", "b"}}};
    check.body = "{}";
    CHECK(http_request(check) ==
          "POST /health HTTP/1.1\r\nX-Probe: a\r\nX-Probe: b\r\nhost: db.example\r\n"
          "User-Agent: gaggle-check\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

}  // namespace gaggle::allocrunner
