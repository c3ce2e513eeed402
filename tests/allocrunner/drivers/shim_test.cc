#include "allocrunner/drivers/shim.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <cstring>
#include <map>
#include <sstream>

#include "allocrunner/drivers/drivers.h"
#include "base/rng.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

constexpr int kPatienceMs = 20'000;

/// As the agent does it: what the driver makes ready is what the shim starts.
std::variant<LiveShim, StartFailure> start_ready(ShimOrder order) {
    const TaskLocation at{.alloc = "test", .alloc_dir = order.alloc_dir, .task = order.task};
    const Drivers drivers{DriverSettings{}};
    Result<Launch> launch =
        drivers.find("raw_exec")->prepare(at, order.spec, [](const std::string&) {});
    if (!launch) return StartFailure{"start task " + order.task + ": " + launch.error().detail};
    order.launch = std::move(*launch);
    return start_shim(order);
}

/// One allocation directory with one task "main", run by a real shim.
class Stage {
  public:
    Stage() {
        for (const char* folder : {"alloc/logs", "exit", "shim", "main/local"})
            std::filesystem::create_directories(dir() + "/" + folder);
    }
    ~Stage() {
        if (live) send_kill(live->socket.get()).ok();
        if (live) wait_for_exit();
    }

    const std::string& dir() const { return scratch_.path(); }

    ShimOrder order(std::vector<std::string> argv, std::uint64_t run = 1) {
        ShimOrder order;
        order.shim_path = built_program("gctl-shim");
        order.alloc_dir = dir();
        order.task = "main";
        order.title = "test/main";
        order.run = run;
        order.spec.driver = "raw_exec";
        order.spec.argv = std::move(argv);
        order.spec.env = {{"PATH", "/usr/bin:/bin"}, {"COLOUR", "green"}};
        order.spec.task_dir = dir() + "/main";
        order.spec.work_dir = dir() + "/main";
        return order;
    }

    void start(const ShimOrder& order) {
        auto started = start_ready(order);
        const auto* failure = std::get_if<StartFailure>(&started);
        INFO((failure != nullptr ? failure->error : std::string()));
        REQUIRE(failure == nullptr);
        live = std::move(std::get<LiveShim>(started));
        shim_pid = live->shim_pid;
    }
    void start_shell(const std::string& script) { start(order({"/bin/sh", "-c", script})); }

    /// What the shim says last; its record is on disk by then.
    shim::Record wait_for_exit() {
        FrameReader reader;
        std::optional<shim::Record> last;
        for (;;) {
            pollfd wait{live->socket.get(), POLLIN, 0};
            REQUIRE(poll(&wait, 1, kPatienceMs) == 1);
            std::uint8_t bytes[256];
            const ssize_t got = read(live->socket.get(), bytes, sizeof bytes);
            if (got <= 0) break;
            reader.feed(BytesView(bytes, static_cast<std::size_t>(got)));
            for (auto frame = reader.next(); frame.ok() && *frame; frame = reader.next())
                last = record_of((*frame)->payload);
        }
        live.reset();
        if (shim_pid > 0) waitpid(static_cast<pid_t>(shim_pid), nullptr, 0);
        shim_pid = 0;
        REQUIRE(last.has_value());
        return *last;
    }

    std::string log(const std::string& name) { return text_of(dir() + "/alloc/logs/main." + name); }

    std::optional<LiveShim> live;
    std::int64_t shim_pid = 0;

  private:
    ScratchDir scratch_;
};

/// As an agent that starts again does it; nothing when the shim is gone.
std::optional<LiveShim> adopt_shim(const std::string& alloc_dir, const std::string& task) {
    ShimCall call = call_shim(alloc_dir, task);
    if (call.reach != ShimReach::reached) return std::nullopt;
    const auto record = hear_shim(call, 20s);
    if (!record) return std::nullopt;
    return LiveShim{std::move(call.socket), 0, *record};
}

std::string failure_of(const ShimOrder& order, bool* may_pass = nullptr) {
    auto started = start_ready(order);
    REQUIRE(std::holds_alternative<StartFailure>(started));
    if (may_pass != nullptr) *may_pass = std::get<StartFailure>(started).may_pass;
    return std::get<StartFailure>(started).error;
}

}  // namespace

TEST_CASE("a task runs with its arguments, environment, directory and logs") {
    Stage stage;
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
        Stage stage;
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
    Stage stage;
    stage.start_shell("trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done");
    REQUIRE(eventually([&] { return stage.log("stdout.0") == "ready\n"; }));
    REQUIRE(send_signal(stage.live->socket.get(), SIGTERM).ok());
    REQUIRE(eventually([&] { return stage.log("stdout.0") == "ready\nasked\n"; }));
    REQUIRE(send_kill(stage.live->socket.get()).ok());
    CHECK(stage.wait_for_exit().signal == SIGKILL);
}

TEST_CASE("another agent adopts the task: same process, no byte of its log is lost") {
    Stage stage;
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
    Stage stage;
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
    Stage stage;
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
    Stage stage;
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
    Stage stage;
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

TEST_CASE("what a task leaves behind does not outlive it") {
    Stage stage;
    stage.start_shell("(setsid sleep 1000 & echo $!) ; sleep 1000 & echo $!; exit 3");
    CHECK(stage.wait_for_exit().code == 3);
    std::istringstream pids(stage.log("stdout.0"));
    int seen = 0;
    for (std::int64_t pid = 0; pids >> pid; ++seen) CHECK_FALSE(is_alive(pid));
    CHECK(seen == 2);
}

TEST_CASE("logs roll at the end of a line, and the oldest goes") {
    Stage stage;
    ShimOrder order = stage.order(
        {"/bin/sh", "-c", "for i in 0 1 2 3 4 5 6 7 8 9; do echo line number $i; done"});
    order.spec.logs = {.files_max = 2, .file_bytes = 40};
    stage.start(order);
    stage.wait_for_exit();
    CHECK_FALSE(std::filesystem::exists(stage.dir() + "/alloc/logs/main.stdout.2"));
    CHECK(stage.log("stdout.3") == "line number 6\nline number 7\n");
    CHECK(stage.log("stdout.4") == "line number 8\nline number 9\n");
    CHECK_FALSE(std::filesystem::exists(stage.dir() + "/alloc/logs/main.stdout.5"));
}

TEST_CASE("a line longer than a file is cut, not lost") {
    Stage stage;
    ShimOrder order = stage.order({"/bin/sh", "-c", "printf 'abcdefghijklmnopqrstuvwxyz\\n'"});
    order.spec.logs = {.files_max = 10, .file_bytes = 10};
    stage.start(order);
    stage.wait_for_exit();
    CHECK(stage.log("stdout.0") + stage.log("stdout.1") + stage.log("stdout.2") ==
          "abcdefghijklmnopqrstuvwxyz\n");
}

TEST_CASE("every byte is kept in its order, at any pace and of any kind") {
    Stage stage;
    ShimOrder order = stage.order({"/bin/sh", "-c",
                                   "head -c 3000000 /dev/urandom > raw; i=0; "
                                   "while [ $i -lt 9000 ]; do i=$((i+1)); echo $i; done; cat raw; "
                                   "while [ $i -lt 9900 ]; do i=$((i+1)); echo $i; done"});
    order.spec.logs = {.files_max = 1'000, .file_bytes = 100'000};
    stage.start(order);
    CHECK(stage.wait_for_exit().log_bytes_lost == 0);
    std::string wanted, got;
    for (int i = 1; i <= 9'000; ++i) wanted += std::to_string(i) + "\n";
    wanted += text_of(stage.dir() + "/main/raw");
    for (int i = 9'001; i <= 9'900; ++i) wanted += std::to_string(i) + "\n";
    for (int at = 0; got.size() < wanted.size() && at < 1'000; ++at)
        got += stage.log("stdout." + std::to_string(at));
    CHECK(got == wanted);
}

TEST_CASE("the next run appends to the file that it is told") {
    Stage stage;
    for (std::uint64_t run = 1; run <= 2; ++run) {
        stage.start(stage.order({"/bin/echo", "run", std::to_string(run)}, run));
        CHECK(stage.wait_for_exit().run == run);
    }
    CHECK(stage.log("stdout.0") == "run 1\nrun 2\n");
}

TEST_CASE("output that cannot be written is counted, and the task goes on") {
    Stage stage;
    // A log that is a device without room: every write fails as on a full disk.
    std::filesystem::create_symlink("/dev/full", stage.dir() + "/alloc/logs/main.stdout.0");
    CHECK(failure_of(stage.order({"/bin/echo", "x"})).find("open its log files") !=
          std::string::npos);  // links are not followed
    std::filesystem::remove(stage.dir() + "/alloc/logs/main.stdout.0");
    if (mknod((stage.dir() + "/alloc/logs/main.stdout.0").c_str(), S_IFCHR | 0666,
              (1U << 8U) | 7U) != 0)
        return;  // needs root
    stage.start_shell("echo 12345; exit 4");
    const shim::Record record = stage.wait_for_exit();
    CHECK(record.code == 4);
    CHECK(record.log_bytes_lost == 6);
}

TEST_CASE("a start that fails says what, on what, and why") {
    Stage stage;
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
    if (geteuid() != 0) return;
    Stage stage;
    chmod(stage.dir().c_str(), 0755);
    ShimOrder order = stage.order({"/bin/sh", "-c", "id -un; echo x > local/file"});
    order.spec.user = "nobody";
    stage.start(order);
    CHECK(stage.wait_for_exit().code == 0);
    CHECK(stage.log("stdout.0") == "nobody\n");
}

TEST_CASE("a task with a long name and a deep directory has a socket all the same") {
    Stage stage;
    const std::string name(120, 'n');
    ShimOrder order = stage.order({"/bin/sleep", "1000"});
    order.task = name;
    stage.start(order);
    CHECK(adopt_shim(stage.dir(), name).has_value());
}

TEST_CASE("a task whose supervisor is killed dies with it, and what it left is found") {
    Stage stage;
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
    Stage stage;
    stage.start_shell("echo hello; exec sleep 1000");
    REQUIRE(eventually([&] { return stage.log("stdout.0") == "hello\n"; }));
    std::istringstream rollup(text_of("/proc/" + std::to_string(stage.shim_pid) + "/smaps_rollup"));
    std::int64_t kib = -1;
    for (std::string word; rollup >> word;)
        if (word == "Private_Dirty:") rollup >> kib;
    MESSAGE("private dirty: ", kib, " KiB");
    CHECK(kib >= 0);
}

TEST_CASE("random bytes from an agent harm neither shim nor task") {
    Stage stage;
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
