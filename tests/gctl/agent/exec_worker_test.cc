// The threads of `alloc exec`, with a session that is as slow as a hung container engine.
#include "gctl/agent/exec_worker.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <thread>

#include "tests/gctl/agent/answers.h"

namespace gaggle::agent {

namespace {

/// Whoever passes while it is shut waits; who has waited for all of kPatience is counted.
class Gate {
  public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++passing_;
        changed_.notify_all();
        if (!changed_.wait_for(lock, kPatience, [this] { return open_; })) ++starved_;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    bool somebody_passes() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [this] { return passing_ > 0; });
    }
    int starved() {
        const std::lock_guard lock(mutex_);
        return starved_;
    }

  private:
    static constexpr std::chrono::seconds kPatience{5};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int passing_ = 0;
    int starved_ = 0;
};

struct Engine {
    Gate resize, end;
    std::atomic<bool> exits = false;
    std::atomic<int> rows = 0;
};

/// What the engine takes long for waits at its gates.
class FakeSession : public allocrunner::ExecSession {
  public:
    explicit FakeSession(Engine& engine) : engine_(engine) {}
    ~FakeSession() override { engine_.end.pass(); }
    Result<allocrunner::ExecOutput> read(Duration) override {
        allocrunner::ExecOutput out;
        if (engine_.exits) out.exit_code = 3;
        std::this_thread::yield();
        return out;
    }
    Result<std::size_t> write(BytesView bytes) override { return bytes.size(); }
    void close_input() override {}
    void resize(allocrunner::TerminalSize size) override {
        engine_.resize.pass();
        engine_.rows = size.rows;
    }

  private:
    Engine& engine_;
};

node::ExecKey key(std::uint64_t exchange) {
    return {PeerId{{1}}, {.began = {}, .exchange = exchange}};
}

struct World {
    Engine engine;
    Answers<node::ExecNews> news;
    ExecWorker worker{[this](const AllocId&, const std::string&, const allocrunner::ExecRequest&)
                          -> Result<ExecWorker::Session> {
                          return ExecWorker::Session(std::make_unique<FakeSession>(engine));
                      },
                      news.take()};

    void ask(const node::ExecKey& of, decltype(node::ExecWork::what) what) {
        worker.carry_out({of, std::move(what)});
    }
    void begin(const node::ExecKey& of) {
        ask(of, node::ExecBegin{.alloc = {}, .task = "web", .argv = {"sh"}, .terminal = {}});
        ask(of, node::ExecMore{1'000});
        const auto began = news.next();
        REQUIRE(std::holds_alternative<node::ExecBegan>(began.what));
        CHECK_FALSE(std::get<node::ExecBegan>(began.what).error);
    }
    template <class What>
    What next() {
        const node::ExecNews one = news.next();
        REQUIRE(std::holds_alternative<What>(one.what));
        return std::get<What>(one.what);
    }
};

}  // namespace

TEST_CASE("an engine that does not take a new size holds nobody up") {
    World world;
    world.begin(key(1));
    world.ask(key(1), node::ExecResize{{.rows = 50, .columns = 100}});
    CHECK(world.engine.resize.somebody_passes());
    world.ask(key(1), node::ExecInput{Bytes{1, 2, 3}, false});
    CHECK(world.next<node::ExecConsumed>().bytes == 3);
    world.ask(key(1), node::ExecResize{{.rows = 60, .columns = 100}});
    world.engine.resize.open();
    world.engine.end.open();
    while (world.engine.rows != 60) std::this_thread::yield();
    CHECK(world.engine.resize.starved() == 0);
}

TEST_CASE("a session that ends slowly holds nobody up") {
    World world;
    world.engine.resize.open();
    world.begin(key(1));
    world.engine.exits = true;
    CHECK(world.next<node::ExecEnded>().code == 3);
    CHECK(world.engine.end.somebody_passes());
    world.engine.exits = false;
    world.ask(key(1), node::ExecInput{Bytes{1}, false});
    world.ask(key(1), node::ExecKill{});
    world.begin(key(1));  // the same number again
    world.begin(key(2));
    world.ask(key(2), node::ExecKill{});
    world.begin(key(3));
    world.engine.end.open();
    world.worker.stop();
    CHECK(world.engine.end.starved() == 0);
}

TEST_CASE("threads that end slowly are counted, and a further one is refused in words") {
    World world;
    for (std::uint64_t number = 1; number <= kExecThreadsMax; ++number) {
        world.begin(key(number));
        world.ask(key(number), node::ExecKill{});
    }
    world.ask(key(1'000), node::ExecBegin{.alloc = {}, .task = "web", .argv = {"sh"}});
    const auto refused = world.next<node::ExecBegan>();
    REQUIRE(refused.error);
    CHECK(refused.error->code == Errc::unavailable);
    world.engine.end.open();
    world.worker.stop();
    CHECK(world.engine.end.starved() == 0);
}

}  // namespace gaggle::agent
