#include "allocrunner/local_tasks.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <sstream>

#include "allocrunner/agent_environment.h"
#include "allocrunner/alloc_dir.h"
#include "allocrunner/check_probe.h"
#include "allocrunner/drivers/shim.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/real_peer.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

/// Stops all that a test left running.
void clean_up(RealPeer& peer) {
    peer.orders({});
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
}

bool is(const RealPeer& peer, const AllocId& alloc, ClientStatus client) {
    return peer.status(alloc).client == client;
}

/// The supervisor of the task whose first process is `pid`.
pid_t shim_of(std::int64_t pid) {
    std::istringstream stat(text_of("/proc/" + std::to_string(pid) + "/stat"));
    std::string skip;
    pid_t shim = 0;
    stat >> skip >> skip >> skip >> shim;  // the parent
    REQUIRE(shim > 1);
    return shim;
}

/// A task whose supervisor is stopped, in an allocation directory without an agent.
struct Silent {
    std::int64_t pid = 0;
    pid_t shim = 0;
};

std::vector<Silent> silence(const ScratchDir& scratch, const std::vector<Order>& orders) {
    RealPeer peer(scratch.path());
    peer.orders(orders);
    std::vector<Silent> out;
    for (const Order& order : orders) {
        REQUIRE(peer.until([&] { return is(peer, order.alloc, ClientStatus::running); }));
        const std::int64_t pid = peer.pid(order.alloc);
        out.push_back({pid, shim_of(pid)});
        kill(out.back().shim, SIGSTOP);
    }
    return out;
}

}  // namespace

TEST_CASE("a batch job runs to completion, with its environment and its log") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({shell(1,
                       "echo $NOMAD_TASK_NAME in $NOMAD_ALLOC_NAME; echo x > "
                       "$NOMAD_ALLOC_DIR/data/file",
                       JobType::batch)});
    CHECK(peer.until([&] { return is(peer, kOne, ClientStatus::complete); }));
    CHECK(peer.log(kOne, "main.stdout.0") == "main in web.front[0]\n");
    CHECK(text_of(peer.tasks->alloc_dir(kOne) + "/alloc/data/file") == "x\n");
}

TEST_CASE("a service that fails starts again, then fails for good") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({shell(1, "echo once more; exit 3")});
    CHECK(peer.until([&] { return is(peer, kOne, ClientStatus::failed); }));
    CHECK(peer.log(kOne, "main.stdout.0") == "once more\nonce more\n");
    CHECK(peer.status(kOne).tasks.at("main").restarts == 1);
    CHECK(peer.status(kOne).tasks.at("main").events.back().message ==
          "Exceeded allowed attempts 1 in interval 30m00s and mode is \"fail\"");
}

TEST_CASE("fewer log files are kept from the next start on") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    Order order = shell(1, "echo run; sleep 1000");
    peer.orders({order});
    REQUIRE(peer.until([&] {
        return peer.log(kOne, "main.stdout.0") == "run\n" && is(peer, kOne, ClientStatus::running);
    }));
    const std::string logs = peer.tasks->alloc_dir(kOne) + "/alloc/logs/main.stdout.";
    for (const char* number : {"1", "2", "3", "4"}) std::ofstream(logs + number) << "said\n";
    order.group.tasks[0].logs.files_max = 2;
    peer.orders({order});
    kill(static_cast<pid_t>(peer.pid(kOne)), SIGKILL);
    CHECK(peer.until([&] { return peer.log(kOne, "main.stdout.4") == "said\nrun\n"; }));
    CHECK(peer.log(kOne, "main.stdout.3") == "said\n");
    for (const char* number : {"0", "1", "2"}) CHECK_FALSE(std::filesystem::exists(logs + number));
    clean_up(peer);
}

TEST_CASE("a missing executable is a driver failure that says what is missing") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    Order order = shell(1, "");
    order.group.tasks[0].config = {{"command", Value{std::string("redis-servr")}}};
    peer.orders({order});
    CHECK(peer.until([&] { return is(peer, kOne, ClientStatus::failed); }));
    const auto& events = peer.status(kOne).tasks.at("main").events;
    REQUIRE(events.size() == 4);
    CHECK(events[2].type == EventType::driver_failure);
    CHECK(events[2].message.find("find executable \"redis-servr\"") != std::string::npos);
}

TEST_CASE("a task that ignores its signal is killed after its timeout") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({shell(1, "trap '' TERM; echo ready; while :; do sleep 0.05; done")});
    REQUIRE(peer.until([&] {
        return peer.log(kOne, "main.stdout.0") == "ready\n" &&
               is(peer, kOne, ClientStatus::running);
    }));
    const std::int64_t pid = peer.pid(kOne);
    CHECK(is_alive(pid));
    peer.orders({});
    CHECK(peer.until([&] { return is(peer, kOne, ClientStatus::complete); }));
    CHECK_FALSE(is_alive(pid));
    CHECK(peer.status(kOne).tasks.at("main").events.back().type == EventType::killed);
}

TEST_CASE("agents come and go, the task stays: same process, no gap in its log") {
    const ScratchDir scratch;
    const Order order = shell(
        1, "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); sleep 0.003; done; sleep 1000");
    std::int64_t pid = 0;
    std::string expected;
    for (int line = 0; line < 300; ++line) expected += std::to_string(line) + "\n";
    for (int agent = 0; agent < 4; ++agent) {
        CAPTURE(agent);
        RealPeer peer(scratch.path());
        if (agent == 3) peer.until([&] { return peer.log(kOne, "main.stdout.0") == expected; });
        peer.orders({order});
        REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
        if (agent > 0) CHECK(peer.pid(kOne) == pid);
        pid = peer.pid(kOne);
        CHECK(peer.status(kOne).tasks.at("main").restarts == 0);
        if (agent < 3) continue;
        CHECK(peer.log(kOne, "main.stdout.0") == expected);
        clean_up(peer);
    }
    CHECK_FALSE(is_alive(pid));
}

TEST_CASE("what ended while no agent was there is known to the next one") {
    const ScratchDir scratch;
    const Order order = shell(1, "sleep 0.1; exit 6", JobType::batch);
    std::int64_t pid = 0;
    {
        RealPeer peer(scratch.path());
        peer.orders({order});
        REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
        pid = peer.pid(kOne);
    }
    REQUIRE(eventually([&] { return !is_alive(pid); }));
    REQUIRE(eventually([&] {
        const auto record = read_record(scratch.path() + "/" + to_string(kOne), "main");
        return record && record->state == shim::RecordState::exited;
    }));
    RealPeer peer(scratch.path());
    const auto& events = peer.status(kOne).tasks.at("main").events;
    CHECK(std::any_of(events.begin(), events.end(), [](const TaskEvent& event) {
        return event.type == EventType::terminated && event.details.at("exit_code") == "6";
    }));
    peer.orders({order});
    CHECK(peer.until([&] { return is(peer, kOne, ClientStatus::failed); }));
}

TEST_CASE("a killed supervisor takes its task along, and the task starts again") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({shell(1, "sleep 1000")});
    REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
    const std::int64_t first = peer.pid(kOne);
    kill(shim_of(first), SIGKILL);
    CHECK(peer.until([&] {
        return is(peer, kOne, ClientStatus::running) && peer.pid(kOne) != first &&
               peer.pid(kOne) != 0;
    }));
    CHECK(eventually([&] { return !is_alive(first); }));
    CHECK(peer.status(kOne).tasks.at("main").restarts == 1);
    clean_up(peer);
}

TEST_CASE("a supervisor that is silent while a second run begins keeps its task") {
    const ScratchDir scratch;
    Order order = shell(1, "test -e ran || { touch ran; exit 1; }; sleep 1000");
    order.group.tasks[0].restart = {.attempts = 5, .interval = 30min, .delay = 300ms};
    const std::string exit = scratch.path() + "/" + to_string(kOne) + "/exit/main";
    std::string first;  // the record of the first run, which stays until the second one runs
    Silent silent;
    {
        RealPeer peer(scratch.path());
        peer.orders({order});
        REQUIRE(peer.until([&] { return peer.status(kOne).tasks.at("main").restarts == 1; }));
        first = text_of(exit);
        REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
        silent = {peer.pid(kOne), shim_of(peer.pid(kOne))};
        kill(silent.shim, SIGSTOP);
    }
    std::ofstream(exit, std::ios::binary) << first;
    RealPeer peer(scratch.path());
    peer.orders({order});
    CHECK(is(peer, kOne, ClientStatus::running));
    kill(silent.shim, SIGCONT);
    REQUIRE(peer.until([&] { return peer.pid(kOne) == silent.pid; }));
    CHECK(is_alive(silent.pid));
    CHECK(peer.status(kOne).tasks.at("main").restarts == 1);
    clean_up(peer);
    CHECK_FALSE(is_alive(silent.pid));
}

TEST_CASE("an order that is saved and then prepared does not trip over itself") {
    const ScratchDir scratch;
    std::mutex mutex;
    std::vector<DirReady> ready;
    auto tasks = LocalTasks::open({.alloc_root = scratch.path(),
                                   .shim_path = built_program("gctl-shim"),
                                   .restore_copy = {}},
                                  [&](const Input& input) {
                                      const std::lock_guard lock(mutex);
                                      if (const auto* one = std::get_if<DirReady>(&input.what))
                                          ready.push_back(*one);
                                  });
    REQUIRE(tasks.ok());
    constexpr std::size_t kRounds = 100;
    (*tasks)->carry_out(PrepareDir{.order = order_of(1), .network = {}});
    for (std::size_t round = 0; round < kRounds; ++round) {
        (*tasks)->carry_out(SaveOrder{order_of(1)});
        (*tasks)->carry_out(PrepareDir{.order = order_of(1), .again = true, .network = {}});
    }
    (*tasks)->stop();
    REQUIRE(ready.size() == kRounds + 1);
    for (const DirReady& one : ready) CHECK(one.error.value_or("") == "");
}

TEST_CASE("supervisors that do not answer together cost a start one patience, and no task") {
    const ScratchDir scratch;
    const std::vector<Order> orders = {shell(1, "sleep 1000"), shell(2, "sleep 1000"),
                                       shell(3, "sleep 1000"), shell(4, "sleep 1000")};
    const std::vector<Silent> silent = silence(scratch, orders);
    RealPeer peer(scratch.path());
    peer.orders(orders);
    for (std::size_t at = 0; at < orders.size(); ++at) {
        CHECK(is(peer, orders[at].alloc, ClientStatus::running));
        CHECK(peer.pid(orders[at].alloc) == silent[at].pid);
        CHECK(is_alive(silent[at].pid));
        kill(silent[at].shim, SIGCONT);
    }
    kill(static_cast<pid_t>(silent[0].pid), SIGKILL);
    CHECK(peer.until([&] { return peer.status(kOne).tasks.at("main").restarts == 1; }));
    for (std::size_t at = 1; at < orders.size(); ++at)
        CHECK(peer.status(orders[at].alloc).tasks.at("main").restarts == 0);
    clean_up(peer);
    for (const Silent& one : silent) CHECK_FALSE(is_alive(one.pid));
}

TEST_CASE("a supervisor that cannot be called is called again until it can be, or is gone") {
    const ScratchDir scratch;
    const Order order = shell(1, "sleep 1000");
    const Silent silent = silence(scratch, {order})[0];
    const std::string dir = scratch.path() + "/" + to_string(kOne);
    std::vector<ShimCall> queue;  // until there is no room for another
    do queue.push_back(call_shim(dir, "main"));
    while (queue.back().reach == ShimReach::reached && queue.size() < 100);
    REQUIRE(queue.back().reach == ShimReach::not_now);
    RealPeer peer(scratch.path());
    peer.orders({order});
    CHECK(is(peer, kOne, ClientStatus::running));
    CHECK(peer.pid(kOne) == silent.pid);
    CHECK(is_alive(silent.pid));
    SUBCASE("it answers later") {
        queue.clear();
        kill(silent.shim, SIGCONT);
        kill(static_cast<pid_t>(silent.pid), SIGKILL);
    }
    SUBCASE("it is killed") { kill(silent.shim, SIGKILL); }
    SUBCASE("what was said to it meanwhile is said to it then") {
        peer.tasks->carry_out(SignalTask{kOne, "main", SIGTERM});
        queue.clear();
        kill(silent.shim, SIGCONT);
    }
    CHECK(peer.until([&] { return peer.status(kOne).tasks.at("main").restarts == 1; }));
    CHECK(eventually([&] { return !is_alive(silent.pid); }));
    clean_up(peer);
}

TEST_CASE("a damaged order file costs nothing once the order comes again") {
    const ScratchDir scratch;
    const Order order = shell(1, "sleep 1000");
    std::int64_t pid = 0;
    {
        RealPeer peer(scratch.path());
        peer.orders({order});
        REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
        pid = peer.pid(kOne);
    }
    std::ofstream(scratch.path() + "/" + to_string(kOne) + "/order") << "half a fi";
    RealPeer peer(scratch.path());
    CHECK(is_alive(pid));
    peer.orders({order});
    REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
    CHECK(peer.pid(kOne) == pid);
    clean_up(peer);
    CHECK_FALSE(is_alive(pid));
}

TEST_CASE("a task whose order is damaged is killed once nobody names it") {
    const ScratchDir scratch;
    std::int64_t pid = 0;
    {
        RealPeer peer(scratch.path());
        peer.orders({shell(1, "sleep 1000")});
        REQUIRE(peer.until([&] { return is(peer, kOne, ClientStatus::running); }));
        pid = peer.pid(kOne);
    }
    std::ofstream(scratch.path() + "/" + to_string(kOne) + "/order") << "half a fi";
    RealPeer peer(scratch.path());
    peer.orders({});
    CHECK(peer.until([&] { return !is_alive(pid); }));
    CHECK(std::filesystem::exists(scratch.path() + "/" + to_string(kOne)));
    CHECK(peer.until([&] { return peer.runner.next_wakeup().has_value(); }));  // to remove it
}

TEST_CASE("sticky state moves to the next allocation by rename, before its task starts") {
    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    peer.orders({shell(1, "echo precious > $NOMAD_ALLOC_DIR/data/file; echo done; sleep 1000")});
    REQUIRE(peer.until([&] { return peer.log(kOne, "main.stdout.0") == "done\n"; }));
    Order heir = shell(2, "cat $NOMAD_ALLOC_DIR/data/file", JobType::batch);
    heir.restore = {Restore::Kind::from_alloc, kOne};
    peer.orders({heir});
    REQUIRE(peer.until([&] { return is(peer, alloc_id(2), ClientStatus::complete); }));
    CHECK(peer.log(alloc_id(2), "main.stdout.0") == "precious\n");
}

TEST_CASE("a TCP check tells an open port from a closed one") {
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int on = 1;  // whoever is bound and does not listen holds no port of others
    REQUIRE(setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    REQUIRE(bind(listening, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) == 0);

    const ScratchDir scratch;
    RealPeer peer(scratch.path());
    Order order = shell(1, "sleep 1000");
    order.ports = {{"db", ntohs(address.sin_port), 0}};
    order.group.services = {{.name = "db", .port = "db", .checks = {{.name = "alive"}}}};
    order.group.services[0].checks[0].interval = 1s;
    peer.orders({order});
    REQUIRE(peer.until([&] { return peer.runner.status(kOne) != nullptr; }));
    REQUIRE(listen(listening, 5) == 0);
    const auto check_is = [&](CheckStatus wanted) {
        return peer.until([&] { return peer.status(kOne).checks.at(0).status == wanted; });
    };
    CHECK(check_is(CheckStatus::success));
    close(listening);
    CHECK(check_is(CheckStatus::failure));
    CHECK(peer.status(kOne).checks[0].output ==
          "tcp 127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + ": Connection refused");
    clean_up(peer);
}

TEST_CASE("an HTTP answer is judged by its status line") {
    struct Row {
        const char* text;
        const char* says;  ///< begins with + when it passes; empty: not decided
    };
    for (const auto& row :
         {Row{"HTTP/1.1 200 OK\r\n", "+200 OK"},
          Row{"HTTP/1.0 204 No Content\r\nX: y\r\n", "+204 No Content"},
          Row{"HTTP/1.1 429 Slow\r\n", "+429 Slow"}, Row{"HTTP/1.1 500 Oops\r\n", "500 Oops"},
          Row{"HTTP/1.1 2000\r\n", "no HTTP answer"}, Row{"SSH-2.0\r\n", "no HTTP answer"},
          Row{"HTTP/1.1 20", ""}, Row{"", ""}}) {
        CAPTURE(row.text);
        const auto judged = judge_http(row.text);
        const std::string says = judged ? (judged->ok ? "+" : "") + judged->output : "";
        CHECK(says == row.says);
    }
    CHECK(judge_http("HTTP/1.1 503 Busy\r\n")->code == 503);
}

TEST_CASE("the agent's secrets are not the tasks'") {
    setenv("VAULT_TOKEN", "secret", 1);
    setenv("GCTL_TOKEN", "secret", 1);
    setenv("HARMLESS", "yes", 1);
    const auto environment = environment_for_tasks();
    CHECK(environment.count("VAULT_TOKEN") == 0);
    CHECK(environment.count("GCTL_TOKEN") == 0);
    CHECK(environment.at("HARMLESS") == "yes");
    for (const char* name : {"VAULT_TOKEN", "GCTL_TOKEN", "HARMLESS"}) unsetenv(name);
}

}  // namespace gaggle::allocrunner
