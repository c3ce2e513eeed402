#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "gctl/agent/clock.h"
#include "gctl/agent/loop.h"

namespace gaggle::agent {

namespace {

/// A TCP port of 127.0.0.1 that is bound and, if asked, listened on.
class Port {
  public:
    explicit Port(int backlog) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(bind(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
        if (backlog >= 0) REQUIRE(listen(fd_.get(), backlog) == 0);
        socklen_t size = sizeof to;
        REQUIRE(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&to), &size) == 0);
        number_ = ntohs(to.sin_port);
        address_ = to;
    }
    std::uint16_t number() const { return number_; }

    /// Connections that nobody accepts, until the kernel answers no more.
    std::vector<UniqueFd> fill() const {
        std::vector<UniqueFd> out;
        for (int round = 0; round < 8; ++round) {
            out.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            static_cast<void>(connect(
                out.back().get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_));
        }
        return out;
    }

  private:
    UniqueFd fd_;
    sockaddr_in address_{};
    std::uint16_t number_ = 0;
};

ConnectOutcome outcome_of(const std::string& host, std::uint16_t port) {
    EventLoop loop;
    ConnectOutcome out{};
    loop.test_connect({.host = host, .base_port = port, .curve = {}}, [&](ConnectOutcome ended) {
        out = ended;
        loop.stop();
    });
    loop.run();
    return out;
}

}  // namespace

TEST_CASE("a port that is closed refuses, one that is open accepts") {
    const Port open(8);
    const Port closed(-1);  // bound, so that nobody else opens it meanwhile
    CHECK(outcome_of("127.0.0.1", open.number()) == ConnectOutcome::accepted);
    CHECK(outcome_of("127.0.0.1", closed.number()) == ConnectOutcome::refused);
    CHECK(outcome_of("localhost", closed.number()) == ConnectOutcome::refused);
}

TEST_CASE("no answer is no evidence") {
    const Port deaf(0);
    const auto held = deaf.fill();  // its backlog is full: a new SYN gets no answer
    CHECK(outcome_of("127.0.0.1", deaf.number()) == ConnectOutcome::silent);
    CHECK(outcome_of("no-such-host.invalid", 4647) == ConnectOutcome::silent);
    CHECK(outcome_of("", 4647) == ConnectOutcome::silent);
}

TEST_CASE("tests beyond the limit are answered at once") {
    const Port deaf(0);
    const auto held = deaf.fill();
    EventLoop loop;
    std::size_t answered = 0;
    const std::size_t all = kConnectTestsMax + 5;
    for (std::size_t number = 0; number < all; ++number)
        loop.test_connect({.host = "127.0.0.1", .base_port = deaf.number(), .curve = {}},
                          [&](ConnectOutcome ended) {
                              CHECK(ended == ConnectOutcome::silent);
                              if (++answered == 5) loop.stop();
                          });
    loop.run();
    CHECK(answered == 5);  // and none of those that wait for the network
}

TEST_CASE("the last alarm set is the one that rings") {
    EventLoop loop;
    std::string rung;
    const TimePoint begun = read_clocks().time;
    loop.set_alarm(5ms, [&] { rung += "first"; });
    loop.set_alarm(10ms, [&] {
        rung += "second";
        loop.stop();
    });
    loop.run();
    CHECK(rung == "second");
    CHECK(read_clocks().time - begun >= 10ms);
}

TEST_CASE("work from another thread runs on the loop's, in order") {
    EventLoop loop;
    std::vector<int> seen;
    std::thread::id where;
    std::thread other([&] {
        for (int number = 0; number < 100; ++number)
            loop.post([&, number] { seen.push_back(number); });
        loop.post([&] {
            where = std::this_thread::get_id();
            loop.stop();
        });
    });
    loop.run();
    other.join();
    REQUIRE(seen.size() == 100);
    for (int number = 0; number < 100; ++number) CHECK(seen[number] == number);
    CHECK(where == std::this_thread::get_id());
}

TEST_CASE("every signal is told, not only the first") {
    EventLoop loop;
    std::vector<int> told;
    loop.on_signal([&](int signal) {
        told.push_back(signal);
        if (told.size() == 3) return loop.stop();
        raise(told.size() == 1 ? SIGINT : SIGHUP);
    });
    raise(SIGTERM);  // before run(): kept until then
    loop.run();
    CHECK(told == std::vector<int>{SIGTERM, SIGINT, SIGHUP});
}

TEST_CASE("whoever said that hanging up means nothing is heeded") {
    const auto before = signal(SIGHUP, SIG_IGN);
    {
        EventLoop loop;
        std::vector<int> told;
        loop.on_signal([&](int signal) {
            told.push_back(signal);
            loop.stop();
        });
        raise(SIGHUP);
        raise(SIGTERM);
        loop.run();
        CHECK(told == std::vector<int>{SIGTERM});
    }
    signal(SIGHUP, before);
}

}  // namespace gaggle::agent
