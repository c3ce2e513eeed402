// The agent's end of the connections to shims, with real ones.
#include "allocrunner/task_links.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <mutex>

#include "allocrunner/drivers/drivers.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

/// A task that runs under a shim, and what the links say of it.
class Watched {
  public:
    explicit Watched(Duration deaf_after) {
        for (const char* folder : {"alloc/logs", "exit", "shim", "main"})
            std::filesystem::create_directories(place_.alloc_dir + "/" + folder);
        auto links = TaskLinks::open([this](Input input) { hear(std::move(input)); }, deaf_after);
        REQUIRE(links.ok());
        links_ = std::move(*links);
        ShimOrder order;
        order.shim_path = built_program("gctl-shim");
        order.alloc_dir = place_.alloc_dir;
        order.task = place_.task;
        order.title = place_.title();
        order.run = 1;
        order.spec.driver = "raw_exec";
        order.spec.argv = {"/bin/sleep", "1000"};
        order.spec.task_dir = order.spec.work_dir = place_.alloc_dir + "/main";
        order.launch = LaunchProcess{.executable = "/bin/sleep", .network = {}, .user = {}};
        auto started = start_shim(order);
        REQUIRE(std::holds_alternative<LiveShim>(started));
        shim = static_cast<pid_t>(std::get<LiveShim>(started).shim_pid);
        task = static_cast<pid_t>(std::get<LiveShim>(started).record.pid);
        links_->watch(place_, std::move(std::get<LiveShim>(started)));
    }
    ~Watched() { ::kill(shim, SIGKILL); }

    void kill() { links_->kill(place_.alloc, place_.task); }
    bool exited() {
        const std::lock_guard lock(mutex_);
        return exited_;
    }

    pid_t shim = 0;
    pid_t task = 0;

  private:
    void hear(const Input& input) {
        const std::lock_guard lock(mutex_);
        exited_ = exited_ || std::holds_alternative<TaskExited>(input.what);
    }

    ScratchDir scratch_;
    TaskPlace place_{alloc_id(1), scratch_.path(), "main"};
    std::mutex mutex_;
    bool exited_ = false;
    std::unique_ptr<TaskLinks> links_;
};

}  // namespace

TEST_CASE("a task that stops its supervisor is killed all the same") {
    Watched watched(100ms);
    REQUIRE(kill(watched.shim, SIGSTOP) == 0);
    // The core repeats it as long as the task has not ended.
    CHECK(eventually([&] {
        watched.kill();
        return watched.exited();
    }));
    CHECK_FALSE(is_alive(watched.shim));
    CHECK(eventually([&] { return !is_alive(watched.task); }));
}

}  // namespace gaggle::allocrunner
