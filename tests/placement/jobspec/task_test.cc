// Rules for a task that have tables rather than places.
#include "placement/jobspec/signals.h"
#include "placement/jobspec/task_name.h"
#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

TEST_CASE("names of signals are Linux's") {
    CHECK(signal_number("SIGINT") == 2);
    CHECK(signal_number("SIGKILL") == 9);
    CHECK(signal_number("SIGTERM") == 15);
    CHECK(signal_number("SIGUSR2") == 12);
    CHECK(signal_number("SIGPWR") == 30);
    CHECK_FALSE(signal_number("TERM").has_value());
    CHECK_FALSE(signal_number("").has_value());
}

TEST_CASE("a kill_signal is good if it can be sent, and only then") {
    for (const std::string& name : signal_names()) {
        CAPTURE(name);
        CHECK(good(job_with("kill_signal = \"" + name + "\"")).groups[0].tasks[0].kill_signal ==
              name);
    }
    CHECK(bad(job_with("kill_signal = \"SIGNULL\"")).find("unknown signal \"SIGNULL\"") !=
          std::string::npos);
}

TEST_CASE("a task cannot have the name of one of the allocation's own files") {
    const auto job_of = [](std::string_view task) {
        return "job \"web\" {\n group \"g\" {\n task \"" + std::string(task) +
               "\" {\n driver = \"raw_exec\"\n }\n }\n}\n";
    };
    for (const std::string_view name : kTakenTaskNames) {
        CAPTURE(name);
        const std::string said = bad(job_of(name));
        CHECK(said.find("cannot be a task's name: the allocation's own files have it") !=
              std::string::npos);
        CHECK(said.find("rename the task") != std::string::npos);
    }
    for (const char* name : {"states", "x.new", "ordering", "...", "shim-task"})
        CHECK(good(job_of(name)).groups[0].tasks[0].name == name);
}

}  // namespace gaggle
