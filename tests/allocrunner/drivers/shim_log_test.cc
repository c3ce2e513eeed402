// What a real shim makes of its task's output: files, and never anything that the task put there.
#include <sys/mount.h>

#include "tests/allocrunner/drivers/shim_stage.h"
#include "tests/allocrunner/needs.h"

namespace gaggle::allocrunner {

TEST_CASE("logs roll at the end of a line, and the oldest goes") {
    ShimStage stage;
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
    ShimStage stage;
    ShimOrder order = stage.order({"/bin/sh", "-c", "printf 'abcdefghijklmnopqrstuvwxyz\\n'"});
    order.spec.logs = {.files_max = 10, .file_bytes = 10};
    stage.start(order);
    stage.wait_for_exit();
    CHECK(stage.log("stdout.0") + stage.log("stdout.1") + stage.log("stdout.2") ==
          "abcdefghijklmnopqrstuvwxyz\n");
}

TEST_CASE("every byte is kept in its order, at any pace and of any kind") {
    ShimStage stage;
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
    ShimStage stage;
    for (std::uint64_t run = 1; run <= 2; ++run) {
        stage.start(stage.order({"/bin/echo", "run", std::to_string(run)}, run));
        CHECK(stage.wait_for_exit().run == run);
    }
    CHECK(stage.log("stdout.0") == "run 1\nrun 2\n");
}

TEST_CASE("output that cannot be written is counted, and the task goes on") {
    ShimStage stage;
    const std::string logs = stage.dir() + "/alloc/logs";
    const bool mounted = mount("small", logs.c_str(), "tmpfs", 0, "size=4k") == 0;
    if (!is_met(mounted, "it needs root, to mount a small disk")) return;
    std::ofstream(logs + "/full") << std::string(4096, 'x');
    stage.start_shell("echo 12345; exit 4");
    const shim::Record record = stage.wait_for_exit();
    CHECK(record.code == 4);
    CHECK(record.log_bytes_lost == 6);
}

TEST_CASE("what a task puts in the place of its next log file is replaced, not used") {
    struct Row {
        const char* puts;
        int lost;
    };
    for (const auto& row : {Row{"ln -s ../../victim", 0}, Row{"ln ../../victim", 0},
                            Row{"mkfifo", 0}, Row{"mkdir", 1}}) {
        CAPTURE(row.puts);
        ShimStage stage;
        std::ofstream(stage.dir() + "/victim") << "mine\n";
        const std::string put = std::string(row.puts) + " main.stdout.1";
        ShimOrder order = stage.order(
            {"/bin/sh", "-c", "cd ../alloc/logs; " + put + "; echo 12345678; echo second line"});
        order.spec.logs = {.files_max = 5, .file_bytes = 10};
        stage.start(order);
        const shim::Record record = stage.wait_for_exit();
        CHECK((record.log_bytes_lost > 0) == (row.lost > 0));
        CHECK(text_of(stage.dir() + "/victim") == "mine\n");
        CHECK(stage.log("stdout.0") == "12345678\n");
        if (row.lost == 0) CHECK(stage.log("stdout.1") + stage.log("stdout.2") == "second line\n");
    }
}

TEST_CASE("a task that removes the folder of logs has one again in its next run") {
    ShimStage stage;
    stage.start_shell("rm -r ../alloc; echo gone");
    CHECK(stage.wait_for_exit().code == 0);
    stage.start(stage.order({"/bin/echo", "here"}, 2));
    CHECK(stage.wait_for_exit().code == 0);
    CHECK(stage.log("stdout.0") == "here\n");
}

TEST_CASE("a task that puts a link in the place of the folder of logs writes nowhere else") {
    ShimStage stage;
    const ScratchDir victim;
    std::ofstream(victim.path() + "/main.stdout.0") << "mine\n";
    ShimOrder order =
        stage.order({"/bin/sh", "-c",
                     "cd ../alloc; mv logs moved; ln -s " + victim.path() + " logs; " +
                         "for line in 1 2 3 4; do echo number $line; done"});
    order.spec.logs = {.files_max = 2, .file_bytes = 10};
    stage.start(order);
    CHECK(stage.wait_for_exit().log_bytes_lost == 0);
    CHECK(text_of(victim.path() + "/main.stdout.0") == "mine\n");
    CHECK(std::distance(std::filesystem::directory_iterator(victim.path()), {}) == 1);
    CHECK(text_of(stage.dir() + "/alloc/moved/main.stdout.3") == "number 4\n");
    CHECK_FALSE(std::filesystem::exists(stage.dir() + "/alloc/moved/main.stdout.1"));
    // Whoever starts it again does not follow the link either.
    CHECK(failure_of(stage.order({"/bin/true"}, 2)).find("open its log files") !=
          std::string::npos);
}

}  // namespace gaggle::allocrunner
