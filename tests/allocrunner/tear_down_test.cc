// What is left of an allocation when it ends: by what LocalTasks answers, and what is on the disk.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "allocrunner/local_tasks.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/scratch.h"
#include "tests/allocrunner/setup/template_world.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

/// The real machine, without a Runner: the test asks for work and reads the answers.
class Bench {
  public:
    Bench() {
        LocalTasksConfig config{.alloc_root = root.path(),
                                .shim_path = built_program("gctl-shim"),
                                .drivers = {},
                                .networks = {},
                                .workers = {.threads = 2},
                                .restore_copy = {}};
        config.restore_copy = [this](const Order&, const std::string&) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !held_; });
            return Result<std::string>(std::string("restored"));
        };
        auto opened = LocalTasks::open(std::move(config), [this](Input input) {
            const std::lock_guard lock(mutex_);
            inbox_.push_back(std::move(input));
            changed_.notify_all();
        });
        REQUIRE(opened.ok());
        tasks = std::move(*opened);
        (void)tasks->scan();
    }
    ~Bench() {
        release();
        tasks->stop();
    }

    /// The next answer of this kind; those before it are dropped.
    template <class Answer>
    Answer next() {
        std::unique_lock lock(mutex_);
        std::optional<Answer> found;
        const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
            for (; !found && !inbox_.empty(); inbox_.pop_front())
                if (auto* answer = std::get_if<Answer>(&inbox_.front().what)) found = *answer;
            return found.has_value();
        });
        REQUIRE(came);
        return *found;
    }
    /// A worker is with this allocation until release().
    void hold() {
        {
            const std::lock_guard lock(mutex_);
            held_ = true;
        }
        Order order = order_of(1);
        order.restore = {Restore::Kind::from_copy, {}};
        tasks->carry_out(PrepareDir{.order = order});
    }
    void release() {
        const std::lock_guard lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }

    std::string dir() const { return root.path() + "/" + to_string(kOne); }
    ScratchDir root;
    std::unique_ptr<LocalTasks> tasks;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Input> inbox_;
    bool held_ = false;
};

}  // namespace

TEST_CASE("what was due to be rendered when all was torn down is not written any more") {
    std::atomic<int> looks = 0;
    Bench bench;
    bench.tasks->carry_out(PrepareDir{.order = order_of(1)});
    REQUIRE_FALSE(bench.next<DirReady>().error.has_value());
    const auto databases = [&](int count) {
        setup::Catalogue all;
        for (int number = 1; number <= count; ++number)
            all["db"].push_back(setup::instance("db", number));
        return [&looks, all] {
            ++looks;
            return std::make_shared<const setup::Catalogue>(all);
        };
    };
    bench.tasks->services(databases(1));
    SetUpTask work{.alloc = kOne, .task = "main", .run = 1};
    work.what.task = order_of(1).group.tasks[0];
    work.what.name_space = "default";
    Template key;
    key.data = "{{ range nomadService \"db\" }}{{ .Address }} {{ end }}";
    key.destination = "secrets/key";
    key.splay = 0s;
    work.what.task.templates = {key};
    work.what.host = {.shared = bench.dir() + "/alloc",
                      .task = bench.dir() + "/main",
                      .local = bench.dir() + "/main/local",
                      .secrets = bench.dir() + "/main/secrets"};
    work.what.inside = work.what.host;
    bench.tasks->carry_out(work);
    const auto done = bench.next<TaskSetUpDone>();
    INFO((done.failure ? done.failure->why.text : ""));
    REQUIRE_FALSE(done.failure.has_value());
    const std::string file = bench.dir() + "/main/secrets/key";
    CHECK(text_of(file) == "10.0.0.1 ");

    bench.hold();
    bench.tasks->carry_out(TearDown{kOne});
    bench.tasks->services(databases(2));  // and a rendering is due, behind the tear-down
    REQUIRE(eventually([&] { return looks == 2; }));
    bench.tasks->services(databases(3));
    REQUIRE(eventually([&] { return looks == 3; }));  // so that one was asked for
    bench.release();
    CHECK_FALSE(bench.next<TornDown>().error.has_value());
    bench.tasks->stop();
    CHECK(text_of(file).find("10.0.0.2") == std::string::npos);
}

}  // namespace gaggle::allocrunner
