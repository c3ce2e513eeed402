// Each bad/NAME.nomad is a job file with errors; NAME.expected holds all that is said about it.
// UPDATE=1 in the environment rewrites the expectations: read the difference before committing it.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

TEST_CASE("a bad job file is answered with all its errors, their places and hints") {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(in_repository("tests/placement/jobspec/bad")))
        if (entry.path().extension() == ".nomad") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    REQUIRE(files.size() > 5);
    const char* update = std::getenv("UPDATE");
    for (const auto& file : files) {
        CAPTURE(file.filename().string());
        const Parsed parsed = parse_job(read(file), file.filename().string());
        CHECK(!parsed.job.has_value());
        const std::string said = to_string(parsed.diagnostics);
        auto expected = file;
        expected.replace_extension(".expected");
        if (update != nullptr && std::string(update) == "1")
            std::ofstream(expected) << said;
        else
            CHECK(said == read(expected));
    }
}

TEST_CASE("the examples are good jobs") {
    for (const char* name : {"redis", "hello", "batch", "dispatch"}) {
        CAPTURE(name);
        const Job job = good(read(in_repository(std::string("examples/") + name + ".nomad")));
        CHECK(job.id == name);
        CHECK(job.groups.size() == 1);
    }
}

TEST_CASE("redis.nomad asks for what the quickstart shows") {
    const Job job = good(read(in_repository("examples/redis.nomad")));
    const TaskGroup& group = job.groups.at(0);
    CHECK(group.disk ==
          EphemeralDisk{.size = {100}, .sticky = true, .migrate = true, .replicas = 2});
    REQUIRE(group.networks.size() == 1);
    CHECK(group.networks[0].ports.at(0) == Port{.label = "db"});
    CHECK(json(Value{group.tasks.at(0).config}) ==
          R"({"args":["--bind","${NOMAD_IP_db}","--port","${NOMAD_PORT_db}","--dir",)"
          R"("${NOMAD_ALLOC_DIR}/data","--daemonize","no"],"command":"redis-server"})");
    CHECK(group.services.at(0).checks.at(0).type == "tcp");
    CHECK(group.tasks[0].kill_signal == "SIGTERM");
}

}  // namespace gaggle
