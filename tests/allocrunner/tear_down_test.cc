// What is left of an allocation when it ends: by what LocalTasks answers, and what is on the disk.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/spec_file.h"
#include "allocrunner/local_tasks.h"
#include "allocrunner/network/cni_files.h"
#include "allocrunner/network/record.h"
#include "tests/allocrunner/drivers/fake_engine.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/network/fake_plugins.h"
#include "tests/allocrunner/scratch.h"
#include "tests/allocrunner/setup/template_world.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

/// The real machine, without a Runner: the test asks for work and reads the answers.
class Bench {
  public:
    explicit Bench(const NetworkSettings& networks = {}) {
        LocalTasksConfig config{.alloc_root = root.path(),
                                .shim_path = built_program("gctl-shim"),
                                .drivers = {},
                                .networks = networks,
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
    TornDown tear_down() {
        tasks->carry_out(TearDown{kOne});
        return next<TornDown>();
    }
    DirRemoved remove() {
        tasks->carry_out(RemoveDir{kOne});
        return next<DirRemoved>();
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
    TaskLocation at() const {
        return {.alloc = to_string(kOne), .alloc_dir = dir(), .task = "main"};
    }

    ScratchDir root;
    std::unique_ptr<LocalTasks> tasks;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Input> inbox_;
    bool held_ = false;
};

TaskSpec spec_of(const std::string& driver) {
    TaskSpec spec;
    spec.driver = driver;
    return spec;
}

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

TEST_CASE("what cannot be looked at is not torn down") {
    Bench bench;
    const std::string spec = driver_dir(bench.at()) + "/spec";
    const std::string tasks = bench.dir() + "/driver";
    SUBCASE("a task's spec") {
        std::filesystem::create_directories(spec);  // which opens, but cannot be read
    }
    SUBCASE("the folder of all") {
        std::filesystem::create_directories(bench.dir());
        std::ofstream(tasks) << "x";
    }
    const TornDown done = bench.tear_down();
    REQUIRE(done.error.has_value());
    CHECK(done.error->find(tasks) != std::string::npos);
    CHECK(bench.remove().error.has_value());
    REQUIRE(std::filesystem::exists(tasks));  // all that is known of it
    std::filesystem::remove_all(tasks);
    CHECK_FALSE(bench.tear_down().error.has_value());
    CHECK_FALSE(bench.remove().error.has_value());
    CHECK_FALSE(std::filesystem::exists(bench.dir()));
}

TEST_CASE("processors that a task took before it had a spec are given back") {
    Bench bench;
    std::filesystem::create_directories(bench.dir());
    REQUIRE(make_driver_dir(bench.at()).ok());
    REQUIRE(take_cores(bench.root.path(), bench.at(), 1).ok());
    REQUIRE(cpu_pool(bench.root.path())->reserved);
    CHECK_FALSE(bench.tear_down().error.has_value());
    CHECK_FALSE(cpu_pool(bench.root.path())->reserved);
}

TEST_CASE("a damaged spec holds up nobody, and people are told") {
    Bench bench;
    std::filesystem::create_directories(bench.dir());
    REQUIRE(save_spec(bench.at(), spec_of("docker")).ok());
    std::filesystem::resize_file(driver_dir(bench.at()) + "/spec", 3);
    const TornDown done = bench.tear_down();
    CHECK_FALSE(done.error.has_value());
    CHECK(done.note.starts_with("clear up after task main: "));
    CHECK_FALSE(bench.remove().error.has_value());
}

TEST_CASE("what nobody can undo now ends the allocation, and keeps its directory") {
    const FakePluginDir plugins;
    Bench bench(plugins.settings());
    std::filesystem::create_directories(bench.dir());
    auto list = find_cni_list(plugins.settings(), "lan");
    REQUIRE(list.ok());
    NetworkRecord record{.request = {.alloc = to_string(kOne), .mode = "cni/lan"}};
    record.list = std::move(*list);
    REQUIRE(write_network_record(bench.dir(), record).ok());
    std::filesystem::rename(plugins.at("bin/fakenet"), plugins.at("away"));  // uninstalled
    const TornDown done = bench.tear_down();
    CHECK_FALSE(done.error.has_value());
    CHECK(done.note.find("find CNI plugin fakenet") != std::string::npos);
    CHECK(done.note.ends_with("that stays, and is tried again with its directory"));
    CHECK(bench.remove().error.has_value());
    CHECK(read_network_record(bench.dir()).ok());
    std::filesystem::rename(plugins.at("away"), plugins.at("bin/fakenet"));
    CHECK_FALSE(bench.remove().error.has_value());
    CHECK_FALSE(std::filesystem::exists(bench.dir()));
}

TEST_CASE("no container is removed while the tasks on the disk cannot be told") {
    const TaskLocation at{.alloc = to_string(kOne), .alloc_dir = "/nowhere", .task = "main"};
    FakeEngine engine;
    engine.answer("GET /containers/json?all=1&filters=", 200,
                  R"([{"Id":"old","Names":["/main-gone"],"Created":1},
                      {"Id":"our-pause","Names":["/pause_)" +
                      at.alloc + R"("],"Created":1}])");
    const Drivers drivers({.docker_socket = engine.socket()});
    drivers.find("docker")->collect([] { return Error{Errc::io, "too many open files"}; });
    CHECK_FALSE(engine.was_asked("DELETE"));
    // Of one whose spec is damaged nobody knows what network it has.
    drivers.find("docker")->collect(
        [&] { return std::vector{StartedTask{.at = at, .spec = {}, .pid = 0}}; });
    CHECK(engine.was_asked("DELETE /containers/old"));
    CHECK_FALSE(engine.was_asked("DELETE /containers/our-pause"));
}

}  // namespace gaggle::allocrunner
