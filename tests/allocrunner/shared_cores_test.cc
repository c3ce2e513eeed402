// Who is told, and how often, which processors are everybody's. The engine counts.
#include "allocrunner/shared_cores.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <future>

#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/shim_protocol.h"
#include "allocrunner/drivers/spec_file.h"
#include "tests/allocrunner/drivers/fake_engine.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

/// An alloc root whose tasks are containers, or not.
struct Machine {
    Machine() {
        engine.answer("GET /version", 200, "{}");
        engine.answer("POST /containers/", 200, "{}");
    }
    ~Machine() { workers.stop(); }

    TaskLocation at(std::uint8_t number) const {
        const std::string id = to_string(alloc_id(number));
        return {.alloc = id, .alloc_dir = root.path() + "/" + id, .task = "main"};
    }
    static TaskSpec spec(const std::string& driver, std::int64_t cores) {
        TaskSpec out;
        out.driver = driver;
        out.resources.cores = cores;
        return out;
    }
    void start(std::uint8_t number, const TaskSpec& what) {
        std::filesystem::create_directories(at(number).alloc_dir);
        REQUIRE(save_spec(at(number), what).ok());
        if (what.driver == "docker")
            REQUIRE(take_cores(root.path(), at(number), what.resources.cores).ok());
        cores.on_started(at(number), what);
    }
    void clear(std::uint8_t number, const TaskSpec& what) {
        give_back_cores(at(number));
        cores.on_cleared(at(number), what.resources.cores > 0);
    }
    /// Moves of this task so far.
    std::size_t moves(std::uint8_t number) {
        std::size_t count = 0;
        for (const std::string& line : engine.heard())
            count += line.starts_with("POST /containers/") &&
                             line.find(at(number).alloc) != std::string::npos
                         ? 1
                         : 0;
        return count;
    }

    ScratchDir root;
    FakeEngine engine;
    Drivers drivers{{.alloc_root = root.path(), .docker_socket = engine.socket()}};
    WorkPool workers{{.threads = 2}};
    SharedCores cores{drivers, workers, root.path()};
};

}  // namespace

TEST_CASE("a task is moved when the processors for everybody change, and not otherwise") {
    const TaskSpec plain = Machine::spec("docker", 0);
    const TaskSpec greedy = Machine::spec("docker", 1);
    Machine machine;
    const auto shared = [&] {
        const auto pool = cpu_pool(machine.root.path());
        REQUIRE(pool.ok());
        return pool->shared;
    };
    const std::string all = shared();
    machine.start(1, plain);
    machine.start(2, greedy);
    REQUIRE(eventually([&] { return machine.moves(1) == 1; }));
    machine.start(3, plain);  // made ready, for all that is known, before the other took its own
    REQUIRE(eventually([&] { return machine.moves(3) == 1; }));
    // raw_exec keeps nobody anywhere, whatever its tasks ask for.
    const TaskSpec idle = Machine::spec("raw_exec", 1);
    machine.start(4, idle);
    machine.clear(4, idle);
    machine.clear(4, idle);  // as before its directory goes
    machine.clear(3, plain);
    const bool one_processor = shared() == all;
    machine.clear(2, greedy);
    if (!one_processor) CHECK(eventually([&] { return machine.moves(1) == 2; }));
    machine.workers.stop();
    CHECK(machine.moves(1) == (one_processor ? 1 : 2));
    CHECK(machine.moves(2) == 0);
    CHECK(machine.moves(3) == 1);
}

TEST_CASE("a task that starts again is told again") {
    Machine machine;
    machine.start(1, Machine::spec("docker", 1));
    for (std::size_t run = 1; run <= 3; ++run) {
        machine.start(2, Machine::spec("docker", 0));
        CHECK(eventually([&] { return machine.moves(2) == run; }));
    }
}

TEST_CASE("an earlier agent's tasks are looked for once somebody takes processors, not before") {
    Machine machine;
    machine.cores.on_scanned();
    std::promise<void> looked;
    machine.workers.push(AllocId{}, [&] { looked.set_value(); });  // behind it, in the same line
    looked.get_future().wait();
    // Would that have read the tasks, then not this one.
    const TaskLocation at = machine.at(1);
    std::filesystem::create_directories(at.alloc_dir + "/exit");
    REQUIRE(save_spec(at, Machine::spec("docker", 0)).ok());
    shim::Record record{.run = 1, .pid = getpid()};
    shim::seal(record);
    std::ofstream(at.alloc_dir + "/exit/main", std::ios::binary)
        .write(reinterpret_cast<const char*>(&record), sizeof record);
    REQUIRE(find_started(at)->pid == getpid());
    machine.start(2, Machine::spec("docker", 1));
    CHECK(eventually([&] { return machine.moves(1) == 1; }));
}

TEST_CASE("what an engine refused is asked of it again at the next change") {
    Machine machine;
    machine.engine.answer("POST /containers/", 500, "{}");
    machine.start(1, Machine::spec("docker", 0));
    machine.start(2, Machine::spec("docker", 1));
    REQUIRE(eventually([&] { return machine.moves(1) == 1; }));
    machine.cores.on_started(machine.at(2), Machine::spec("docker", 1));
    CHECK(eventually([&] { return machine.moves(1) == 2; }));
}

}  // namespace gaggle::allocrunner
