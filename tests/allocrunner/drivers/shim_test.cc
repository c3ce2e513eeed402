#include "allocrunner/drivers/shim.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <cstring>
#include <map>
#include <sstream>

#include "base/rng.h"
#include "tests/allocrunner/drivers/shim_stage.h"
#include "tests/allocrunner/needs.h"

namespace gaggle::allocrunner {

TEST_CASE("a task runs with its arguments, environment, directory and logs") {
    ShimStage stage;
    stage.start(stage.order(
        {"/bin/sh", "-c", "echo \"$COLOUR $1\"; pwd; echo oops >&2", "sh", "with space"}));
    CHECK(stage.live->record.run == 1);
    const shim::Record record = stage.wait_for_exit();
    CHECK(record.state == shim::RecordState::exited);
    CHECK(record.code == 0);
    CHECK(stage.log("stdout.0") == "green with space\n" + stage.dir() + "/main\n");
    CHECK(stage.log("stderr.0") == "oops\n");
}

TEST_CASE("exit codes and signals are told to the agent and kept on disk") {
    struct Row {
        const char* script;
        int code, signal;
    };
    for (const auto& row : {Row{"exit 0", 0, 0}, Row{"exit 7", 7, 0}, Row{"kill -9 $$", 0, 9}}) {
        CAPTURE(row.script);
        ShimStage stage;
        stage.start_shell(row.script);
        const shim::Record told = stage.wait_for_exit();
        CHECK(told.code == row.code);
        CHECK(told.signal == row.signal);
        const auto kept = read_record(stage.dir(), "main");
        REQUIRE(kept.has_value());
        CHECK(std::memcmp(&*kept, &told, sizeof told) == 0);
        CHECK(told.finished >= told.started);
    }
}

TEST_CASE("a signal reaches the task; one that is ignored needs a kill") {
    ShimStage stage;
    stage.start_shell("trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done");
    REQUIRE(eventually([&] { return stage.log("stdout.0") == "ready\n"; }));
    REQUIRE(send_signal(stage.live->socket.get(), SIGTERM).ok());
    REQUIRE(eventually([&] { return stage.log("stdout.0") == "ready\nasked\n"; }));
    REQUIRE(send_kill(stage.live->socket.get()).ok());
    CHECK(stage.wait_for_exit().signal == SIGKILL);
}

TEST_CASE("another agent adopts the task: same process, no byte of its log is lost") {
    ShimStage stage;
    stage.start_shell("i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); sleep 0.002; done");
    const std::int64_t pid = stage.live->record.pid;
    stage.live.reset();  // as when the agent is killed
    auto adopted = adopt_shim(stage.dir(), "main");
    REQUIRE(adopted.has_value());
    CHECK(adopted->record.pid == pid);
    CHECK(adopted->record.state == shim::RecordState::running);
    stage.live = std::move(adopted);
    CHECK(stage.wait_for_exit().code == 0);
    std::string expected;
    for (int line = 0; line < 200; ++line) expected += "line " + std::to_string(line) + "\n";
    CHECK(stage.log("stdout.0") == expected);
}

TEST_CASE("an exit while no agent is there is found on disk") {
    ShimStage stage;
    stage.start_shell("sleep 0.05; exit 5");
    stage.live.reset();
    CHECK(read_record(stage.dir(), "main")->state == shim::RecordState::running);
    REQUIRE(eventually([&] { return !adopt_shim(stage.dir(), "main").has_value(); }));
    const auto record = read_record(stage.dir(), "main");
    REQUIRE(record.has_value());
    CHECK(record->state == shim::RecordState::exited);
    CHECK(record->code == 5);
    waitpid(static_cast<pid_t>(stage.shim_pid), nullptr, 0);
}

TEST_CASE("two tasks never share a file, whatever their names") {
    ShimStage stage;
    std::map<std::string, shim::Record> told;
    for (const char* name : {"main", "main.new", "new", "main.new.new"}) {
        ShimOrder order = stage.order({"/bin/sh", "-c", "exit " + std::to_string(told.size())});
        order.task = name;
        stage.start(order);
        told[name] = stage.wait_for_exit();
    }
    for (const auto& [name, record] : told) {
        CAPTURE(name);
        const auto kept = read_record(stage.dir(), name);
        REQUIRE(kept.has_value());
        CHECK(std::memcmp(&*kept, &record, sizeof record) == 0);
    }
    CHECK(std::distance(std::filesystem::directory_iterator(stage.dir() + "/exit"), {}) == 4);
}

TEST_CASE("a record that finds no place is written once there is one, also with no agent there") {
    ShimStage stage;
    stage.start_shell("exec sleep 600");
    const auto shim = static_cast<pid_t>(stage.shim_pid);
    const auto task = static_cast<pid_t>(stage.live->record.pid);
    stage.live.reset();
    const std::string place = stage.dir() + "/exit";
    SUBCASE("its directory is hidden behind a file for a while") {
        std::filesystem::rename(place, place + ".away");
        std::ofstream(place) << "in the way";
        kill(task, SIGTERM);
        REQUIRE(eventually([&] { return !is_alive(task); }));
        std::filesystem::rename(place + ".away", place + ".back");
        std::filesystem::remove(place);
        std::filesystem::rename(place + ".back", place);
        CHECK(eventually([&] { return waitpid(shim, nullptr, WNOHANG) == shim; }));
        CHECK_FALSE(std::filesystem::is_empty(place));
    }
    SUBCASE("the allocation was removed: nobody will ask, so the shim goes") {
        std::filesystem::remove_all(stage.dir());
        kill(task, SIGTERM);
        CHECK(eventually([&] { return waitpid(shim, nullptr, WNOHANG) == shim; }));
    }
    stage.shim_pid = 0;
}

TEST_CASE("four agents may listen at once, and all learn of the end") {
    ShimStage stage;
    stage.start_shell("sleep 0.2");
    auto second = adopt_shim(stage.dir(), "main");
    auto third = adopt_shim(stage.dir(), "main");
    REQUIRE(second.has_value());
    REQUIRE(third.has_value());
    stage.wait_for_exit();
    pollfd wait{third->socket.get(), POLLIN, 0};
    REQUIRE(poll(&wait, 1, kPatienceMs) == 1);
    std::uint8_t bytes[256];
    CHECK(read(third->socket.get(), bytes, sizeof bytes) == 5 + sizeof(shim::Record));
}

TEST_CASE("a task that leaves hundreds behind is over as soon as one that leaves none") {
    ShimStage stage;
    stage.start_shell(
        "i=0; while [ $i -lt 600 ]; do i=$((i+1)); (setsid sleep 1000 &) ; done; echo done; exit "
        "3");
    CHECK(stage.wait_for_exit().code == 3);  // which waits for kPatienceMs
    CHECK(stage.log("stdout.0") == "done\n");
}

TEST_CASE("what a task leaves behind does not outlive it") {
    ShimStage stage;
    stage.start_shell("(setsid sleep 1000 & echo $!) ; sleep 1000 & echo $!; exit 3");
    CHECK(stage.wait_for_exit().code == 3);
    std::istringstream pids(stage.log("stdout.0"));
    int seen = 0;
    for (std::int64_t pid = 0; pids >> pid; ++seen) CHECK_FALSE(is_alive(pid));
    CHECK(seen == 2);
}

TEST_CASE("a start that fails says what, on what, and why") {
    ShimStage stage;
    bool may_pass = true;
    CHECK(failure_of(stage.order({"/bin/no-such-thing"}), &may_pass) ==
          "start task main: find executable \"/bin/no-such-thing\": No such file or directory; "
          "install it on this peer or correct the job's command");
    CHECK_FALSE(may_pass);

    ShimOrder elsewhere = stage.order({"/bin/true"});
    elsewhere.spec.work_dir = "/no/such/folder";
    CHECK(failure_of(elsewhere) ==
          "start task main: change into work_dir /no/such/folder: No such file or directory");

    ShimOrder nobody = stage.order({"/bin/true"});
    nobody.spec.user = "no-such-user";
    CHECK(failure_of(nobody) ==
          "start task main: look up user \"no-such-user\": there is none of that name on this "
          "peer; create it or correct the task's user");

    std::ofstream(stage.dir() + "/main/bad") << "\x7f not a program";
    chmod((stage.dir() + "/main/bad").c_str(), 0755);
    CHECK(failure_of(stage.order({"bad"})).find("Exec format error") != std::string::npos);

    ShimOrder no_shim = stage.order({"/bin/true"});
    no_shim.shim_path = "/no/such/gctl-shim";
    CHECK(failure_of(no_shim, &may_pass).find("is gctl-shim installed beside gctl?") !=
          std::string::npos);
    CHECK(may_pass);
    CHECK_FALSE(read_record(stage.dir(), "main").has_value());
}

TEST_CASE("a task that names a user runs as that user, with files of its own") {
    if (!is_root()) return;
    ShimStage stage;
    chmod(stage.dir().c_str(), 0755);
    ShimOrder order = stage.order({"/bin/sh", "-c", "id -un; echo x > local/file"});
    order.spec.user = "nobody";
    stage.start(order);
    CHECK(stage.wait_for_exit().code == 0);
    CHECK(stage.log("stdout.0") == "nobody\n");
}

TEST_CASE("a task with a long name and a deep directory has a socket all the same") {
    ShimStage stage;
    const std::string name(120, 'n');
    ShimOrder order = stage.order({"/bin/sleep", "1000"});
    order.task = name;
    stage.start(order);
    CHECK(adopt_shim(stage.dir(), name).has_value());
}

TEST_CASE("a task whose supervisor is killed dies with it, and what it left is found") {
    ShimStage stage;
    stage.start_shell("sleep 1000 & echo $! ; wait");
    const shim::Record record = stage.live->record;
    REQUIRE(eventually([&] { return !stage.log("stdout.0").empty(); }));
    const std::int64_t child = std::stoll(stage.log("stdout.0"));
    kill(static_cast<pid_t>(stage.shim_pid), SIGKILL);
    waitpid(static_cast<pid_t>(stage.shim_pid), nullptr, 0);
    stage.live.reset();
    CHECK(eventually([&] { return !is_alive(record.pid); }));
    CHECK(is_alive(child));
    kill_left_behind(record);
    CHECK(eventually([&] { return !is_alive(child); }));
    CHECK(read_record(stage.dir(), "main")->state == shim::RecordState::running);
}

TEST_CASE("a process id that belongs to somebody else by now is left alone") {
    const pid_t stranger = fork();
    if (stranger == 0) {
        setsid();
        pause();
        _exit(0);
    }
    REQUIRE(eventually([&] { return getsid(stranger) == stranger; }));
    shim::Record record;
    record.pid = stranger;
    record.started = 1'000'000'000;  // decades ago
    kill_left_behind(record);
    CHECK(is_alive(stranger));
    kill(stranger, SIGKILL);
    waitpid(stranger, nullptr, 0);
}

TEST_CASE("a session without its leader is ours only if it is of this boot") {
    int pipe_fds[2];
    REQUIRE(pipe(pipe_fds) == 0);
    const pid_t leader = fork();
    if (leader == 0) {
        setsid();
        const pid_t member = fork();
        if (member == 0) pause();
        if (write(pipe_fds[1], &member, sizeof member) < 0) _exit(1);
        _exit(0);
    }
    pid_t member = 0;
    REQUIRE(read(pipe_fds[0], &member, sizeof member) == sizeof member);
    waitpid(leader, nullptr, 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    shim::Record record;
    record.pid = leader;
    record.started = 1'000'000'000;
    kill_left_behind(record);
    CHECK(is_alive(member));
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    record.started = time.tv_sec * 1'000'000'000LL;
    kill_left_behind(record);
    CHECK(eventually([&] { return !is_alive(member); }));
}

TEST_CASE("a shim is small") {
    ShimStage stage;
    stage.start_shell("echo hello; exec sleep 1000");
    REQUIRE(eventually([&] { return stage.log("stdout.0") == "hello\n"; }));
    std::istringstream rollup(text_of("/proc/" + std::to_string(stage.shim_pid) + "/smaps_rollup"));
    std::int64_t kib = -1;
    for (std::string word; rollup >> word;)
        if (word == "Private_Dirty:") rollup >> kib;
    MESSAGE("private dirty: ", kib, " KiB");
    CHECK(kib > 0);
    CHECK(kib < 400);
}

TEST_CASE("random bytes from an agent harm neither shim nor task") {
    ShimStage stage;
    stage.start_shell("sleep 1000");
    Rng rng(11);
    for (int round = 0; round < 300; ++round) {
        auto stranger = adopt_shim(stage.dir(), "main");
        REQUIRE(stranger.has_value());
        std::uint8_t bytes[64];
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
        bytes[4] |= 0x20;  // no kind that is known
        if (write(stranger->socket.get(), bytes, sizeof bytes) < 0) continue;
    }
    auto last = adopt_shim(stage.dir(), "main");
    REQUIRE(last.has_value());
    CHECK(last->record.state == shim::RecordState::running);
}

TEST_CASE("frames and records from a shim are judged before they are believed") {
    shim::Record good;
    good.run = 3;
    shim::seal(good);
    Bytes bytes(sizeof good);
    std::memcpy(bytes.data(), &good, sizeof good);
    CHECK(record_of(bytes)->run == 3);
    Rng rng(2);
    for (int round = 0; round < 20'000; ++round) {
        Bytes damaged = bytes;
        damaged[rng.below(damaged.size())] ^= static_cast<std::uint8_t>(1 + rng.below(255));
        CHECK_FALSE(record_of(damaged).has_value());
    }
    for (int round = 0; round < 20'000; ++round) {
        FrameReader reader;
        Bytes noise(rng.below(40));
        for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(rng.below(8));
        reader.feed(noise);
        std::size_t read = 0;
        for (auto frame = reader.next(); frame.ok() && *frame; frame = reader.next())
            read += 5 + (*frame)->payload.size();
        CHECK(read <= noise.size());
    }
}

}  // namespace gaggle::allocrunner
