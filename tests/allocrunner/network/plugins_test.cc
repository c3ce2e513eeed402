#include "allocrunner/network/plugins.h"

#include <doctest/doctest.h>

#include "allocrunner/network/cni_files.h"
#include "allocrunner/network/program.h"
#include "tests/allocrunner/network/fake_plugins.h"

namespace gaggle::allocrunner {

namespace {

Result<ProgramEnd> shell(const std::string& script, const std::string& input = {},
                         Duration timeout = 10s) {
    return run_program(
        {.argv = {"/bin/sh", "-c", script}, .env = {}, .input = input, .timeout = timeout});
}

}  // namespace

TEST_CASE("a program gets its input and nothing of ours, and both its outputs come back") {
    const auto end = shell("cat; env | sort | tr '\\n' ' '; echo oops >&2; exit 3", "in");
    REQUIRE(end.ok());
    CHECK(end->code == 3);
    CHECK(end->out == "inPATH=" + std::string(kToolPath) + " PWD=/ ");
    CHECK(end->err == "oops\n");
    CHECK_FALSE(end->ok());
    CHECK(describe(*end, 1s) == "exited with 3");
}

TEST_CASE("a program that ignores its input, or writes more than anybody wants, blocks nobody") {
    const auto deaf = shell("exec true", std::string(500'000, 'x'));
    REQUIRE(deaf.ok());
    CHECK(deaf->ok());
    const auto loud = shell("head -c 3000000 /dev/zero");
    REQUIRE(loud.ok());
    CHECK(loud->out.size() == kProgramTextMax);
}

TEST_CASE("a program that hangs is killed with what it started") {
    const ScratchDir scratch;
    const std::string pids = scratch.path() + "/pids";
    const auto end =
        shell("echo $$ > " + pids + "; sleep 1000 & echo $! >> " + pids + "; wait", "", 300ms);
    REQUIRE(end.ok());
    CHECK(end->timed_out);
    CHECK(describe(*end, 20s) == "did not end within 20 s and was killed");
    std::istringstream lines(text_of(pids));
    std::int64_t pid = 0;
    int found = 0;
    for (; lines >> pid; ++found) CHECK(eventually([&] { return !is_alive(pid); }));
    CHECK(found == 2);
}

TEST_CASE("what a program leaves in the background is not waited for") {
    const auto end = shell("sleep 1000 & echo $!");
    REQUIRE(end.ok());
    CHECK(end->ok());
    CHECK(std::system(("kill -9 " + end->out).c_str()) == 0);
}

TEST_CASE("a program that is killed, or is none, is told as such") {
    const auto killed = shell("kill -9 $$");
    REQUIRE(killed.ok());
    CHECK(describe(*killed, 1s) == "was killed by signal 9");
    const auto none =
        run_program({.argv = {"/nowhere/at/all"}, .env = {}, .input = {}, .timeout = 1s});
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().detail.find("/nowhere/at/all") != std::string::npos);
}

TEST_CASE("plugins are found along the path and run with the variables of the specification") {
    const FakePluginDir fake;
    const auto run = plugin_runner(fake.settings(), {"c1", "/run/netns/c1"}, "lan");
    const auto said = run({"ADD", "fakenet", "{}"});
    REQUIRE(said.ok());
    CHECK(said->find("10.44.0.7/24") != std::string::npos);
    CHECK(said->find(R"("sandbox":"/run/netns/c1")") != std::string::npos);
    CHECK(said->find(R"("name":"eth0")") != std::string::npos);
    CHECK(fake.calls() == "ADD c1 inside\n");
}

TEST_CASE("a failing plugin is told by name, command, network and its own words") {
    const FakePluginDir fake;
    fake.set_mood("fail");
    const auto run = plugin_runner(fake.settings(), {"c1", "/run/netns/c1"}, "lan");
    const auto said = run({"ADD", "fakenet", "{}"});
    REQUIRE_FALSE(said.ok());
    CHECK(said.error().detail == "CNI plugin " + fake.at("bin/fakenet") +
                                     " (ADD) of network \"lan\" exited with 1: no address: the "
                                     "range is full (code 7)");
    const auto missing = run({"ADD", "nonesuch", "{}"});
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().code == Errc::not_found);
    CHECK(missing.error().detail.find("containernetworking-plugins") != std::string::npos);
}

TEST_CASE("versions are asked of every plugin, and whoever does not answer is left out") {
    const FakePluginDir fake;
    fake.write("bin/silent", "#!/bin/sh\nexit 1\n");
    chmod(fake.at("bin/silent").c_str(), 0755);
    fake.write("bin/README", "no program");
    CHECK(plugin_versions(fake.settings()) ==
          std::map<std::string, std::string>{{"fakenet", "v9.8.7"}});
}

TEST_CASE("a network is found by the name inside its file; damaged files are told") {
    const FakePluginDir fake;
    fake.write("config/20-bad.conf", "{");
    CHECK(find_cni_list(fake.settings(), "lan").ok());
    const auto none = find_cni_list(fake.settings(), "10-lan");
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().detail.find("20-bad.conf") != std::string::npos);
    const CniFiles files = read_cni_files(fake.settings());
    CHECK(files.lists.size() == 1);
    CHECK(files.damaged.size() == 1);
    NetworkSettings nowhere = fake.settings();
    nowhere.cni_config_dir = "/nowhere";
    CHECK(read_cni_files(nowhere).lists.empty());
}

}  // namespace gaggle::allocrunner
