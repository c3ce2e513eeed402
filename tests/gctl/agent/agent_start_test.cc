// What an agent refuses to start with: one clear line each, and exit code 1.
#include <sys/stat.h>

#include <fstream>

#include "gctl/agent/cluster.h"
#include "gctl/store/store.h"
#include "tests/gctl/agent/agent_child.h"

namespace gaggle::agent {

namespace {

/// A data directory with a region of its own, on ports that are free.
struct Founder {
    Founder() : port(free_base_port("127.0.0.1")) {
        options.data_dir = scratch.path() + "/data";
        options.http_port = 0;
        const auto founded = init_cluster(
            {.data_dir = options.data_dir, .listen = {.bind = "127.0.0.1", .port = port}});
        if (!founded.ok()) FAIL(founded.error().detail);
    }
    void overwrite(const std::string& name, const std::string& text) const {
        std::ofstream(options.data_dir + "/" + name, std::ios::binary | std::ios::trunc) << text;
    }

    ScratchDir scratch;
    std::uint16_t port;
    AgentOptions options;
};

void check_refused(const ScratchDir& scratch, const AgentOptions& options,
                   std::initializer_list<std::string> words) {
    AgentChild agent(scratch, options);
    CHECK(agent.wait() == 1);
    const std::string said = agent.err();
    CAPTURE(said);
    CHECK(said.find("Error: ") != std::string::npos);
    for (const std::string& word : words) {
        CAPTURE(word);
        CHECK(said.find(word) != std::string::npos);
    }
}

}  // namespace

TEST_CASE("an agent without cluster data prints both ways to get some") {
    const ScratchDir scratch;
    AgentOptions options;
    options.data_dir = scratch.path() + "/nothing";
    check_refused(scratch, options, {"gctl cluster init", "--invitation-file", options.data_dir});
    CHECK_FALSE(std::filesystem::exists(options.data_dir));
}

TEST_CASE("options that contradict each other are named") {
    const ScratchDir scratch;
    AgentOptions options;
    check_refused(scratch, options, {"--data-dir is missing", "--dev"});
    options.dev = true;
    options.invitation_file = "-";
    check_refused(scratch, options, {"--dev", "--invitation-file"});
    options = {};
    options.data_dir = scratch.path() + "/d";
    options.region = "north";
    check_refused(scratch, options, {"--region"});
}

TEST_CASE("a data directory has one agent at a time, and the other is named") {
    const Founder founder;
    auto held = store::Store::open(founder.options.data_dir);
    REQUIRE(held.ok());
    check_refused(
        founder.scratch, founder.options,
        {founder.options.data_dir, "is used by another agent", std::to_string(::getpid())});
}

TEST_CASE("a used port is named with what to do about it") {
    Founder founder;
    SUBCASE("of the peer sockets") {
        const RawSocket bulk;
        REQUIRE(bulk.listen("127.0.0.1", founder.port + 1));
        check_refused(founder.scratch, founder.options,
                      {"127.0.0.1:" + std::to_string(founder.port + 1)});
    }
    SUBCASE("of HTTP") {
        founder.options.http_port = static_cast<std::uint16_t>(founder.port + 3);
        const RawSocket http;
        REQUIRE(http.listen("127.0.0.1", founder.options.http_port));
        check_refused(
            founder.scratch, founder.options,
            {"HTTP on 127.0.0.1:" + std::to_string(founder.options.http_port), "--http-port"});
    }
}

TEST_CASE("damaged or open secrets are not used") {
    const Founder founder;
    const std::string& data_dir = founder.options.data_dir;
    SUBCASE("keys that are garbled") {
        founder.overwrite("identity", "gaggle identity 1\nnonsense");
        check_refused(founder.scratch, founder.options, {data_dir + "/identity"});
    }
    SUBCASE("keys that are another peer's") {
        REQUIRE(save_identity(data_dir + "/identity", make_identity()).ok());
        check_refused(founder.scratch, founder.options, {"another peer's", data_dir});
    }
    SUBCASE("a token that others could have read") {
        founder.overwrite("http-token", "secret\n");
        REQUIRE(::chmod((data_dir + "/http-token").c_str(), 0644) == 0);
        check_refused(founder.scratch, founder.options, {data_dir + "/http-token"});
    }
    SUBCASE("a cluster file that was cut") {
        founder.overwrite("region", "gaggle region 1\n");
        check_refused(founder.scratch, founder.options, {data_dir + "/region"});
    }
}

TEST_CASE("a data directory of an unknown format is left alone") {
    const Founder founder;
    founder.overwrite("FORMAT", "gaggle 99\n");
    check_refused(founder.scratch, founder.options, {founder.options.data_dir, "format"});
    CHECK(allocrunner::text_of(founder.options.data_dir + "/FORMAT") == "gaggle 99\n");
}

TEST_CASE("HTTP beyond loopback is refused") {
    Founder founder;
    founder.options.http_bind = "0.0.0.0";
    check_refused(founder.scratch, founder.options, {"0.0.0.0", "TLS"});
}

TEST_CASE("an invitation that is none is refused, and nothing is founded by accident") {
    const ScratchDir scratch;
    AgentOptions options;
    options.data_dir = scratch.path() + "/d";
    options.invitation_file = scratch.path() + "/invitation";
    check_refused(scratch, options, {options.invitation_file});
    std::ofstream(options.invitation_file) << "gaggle1.nonsense\n";
    check_refused(scratch, options, {"invitation"});
    CHECK_FALSE(std::filesystem::exists(options.data_dir + "/region"));
}

}  // namespace gaggle::agent
