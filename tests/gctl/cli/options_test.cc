#include "gctl/cli/options.h"

#include <doctest/doctest.h>

namespace gaggle::cli {

namespace {

using Words = std::vector<std::string>;

template <class Wanted>
Wanted parsed(const Words& words) {
    const ParsedLine line = parse_command_line(words, "/data");
    REQUIRE_MESSAGE(line.invocation.has_value(), line.text);
    REQUIRE(std::holds_alternative<Wanted>(line.invocation->command));
    return std::get<Wanted>(line.invocation->command);
}

}  // namespace

TEST_CASE("long options take one dash or two") {
    CHECK(with_double_dashes({"job", "run", "-detach", "-var", "a=-b", "x"}) ==
          Words{"job", "run", "--detach", "--var", "a=-b", "x"});
    CHECK(with_double_dashes({"-check-index=3", "-f", "-n", "-5", "-", "--json"}) ==
          Words{"--check-index=3", "-f", "-n", "-5", "-", "--json"});
    CHECK(with_double_dashes({"--", "-detach"}) == Words{"--", "-detach"});
    CHECK(with_double_dashes({"-hcl2-strict=false", "-h1", "-n=2"}) ==
          Words{"--hcl2-strict=false", "--h1", "-n2"});
}

TEST_CASE("job run") {
    const auto run = parsed<JobRun>({"job", "run", "-detach", "-check-index", "7", "-var", "a=1",
                                     "-var", "b=x y", "-var-file", "v.hcl", "redis.nomad"});
    CHECK(run.detach);
    CHECK(run.check_index == 7);
    CHECK(run.file.path == "redis.nomad");
    CHECK(run.file.variables == Words{"a=1", "b=x y"});
    CHECK(run.file.variable_files == Words{"v.hcl"});
    CHECK(parsed<JobRun>({"job", "run", "-"}).file.path == "-");
    CHECK(!parsed<JobRun>({"job", "run", "f"}).check_index.has_value());
}

TEST_CASE("the agent's options") {
    const auto options =
        parsed<RunAgent>(
            {"agent", "--data-dir",  "/d",    "--bind",      "127.0.0.2", "--port",
             "5000",  "--http-port", "4700",  "--name",      "a",         "--dc",
             "ship",  "--meta",      "k=v=w", "--meta",      "x=",        "--cpu-total",
             "500",   "--raw-exec",  "off",   "--log-level", "debug",     "--invitation-file",
             "-"})
            .options;
    CHECK(options.data_dir == "/d");
    CHECK(options.bind == "127.0.0.2");
    CHECK(options.port == 5000);
    CHECK(options.http_port == 4700);
    CHECK(options.datacenter == "ship");
    CHECK(options.meta == std::map<std::string, std::string>{{"k", "v=w"}, {"x", ""}});
    CHECK(options.cpu_total == MegaHertz{500});
    CHECK(!options.memory_total.has_value());
    CHECK(!options.raw_exec);
    CHECK(options.log_level == log::Level::debug);
    CHECK(options.docker_socket == "/var/run/docker.sock");
    CHECK(!options.docker_privileged);
    CHECK(!options.exec_root);
    CHECK(options.invitation_file == "-");
}

TEST_CASE("an operator says when finished allocations go") {
    const auto usual = parsed<RunAgent>({"agent", "--dev"}).options.collection;
    CHECK(usual.finished_kept_max == 50);
    CHECK(usual.disk_percent_max == 80);
    CHECK(usual.inodes_percent_max == 70);
    const auto own =
        parsed<RunAgent>({"agent", "--dev", "--gc-max-allocs", "0", "--gc-disk-usage-threshold",
                          "95", "--gc-inode-usage-threshold", "99"})
            .options.collection;
    CHECK(own.finished_kept_max == 0);
    CHECK(own.disk_percent_max == 95);
    CHECK(own.inodes_percent_max == 99);
}

TEST_CASE("an operator says what drivers may do") {
    const auto options =
        parsed<RunAgent>({"agent", "-dev", "--allow-caps", "net_raw,sys_time", "--docker-socket",
                          "/run/podman.sock", "--docker-privileged", "on", "--docker-volumes",
                          "off", "--exec-root", "on"})
            .options;
    CHECK(options.caps_allowed == std::vector<std::string>{"net_raw", "sys_time"});
    CHECK(options.docker_socket == "/run/podman.sock");
    CHECK(options.docker_privileged);
    CHECK(!options.docker_volumes);
    CHECK(options.exec_root);
}

TEST_CASE("an agent keeps its data in the default place, and a --dev one in a temporary") {
    CHECK(parsed<RunAgent>({"agent"}).options.data_dir == "/data");
    CHECK(parsed<RunAgent>({"agent", "-dev"}).options.data_dir.empty());
    CHECK(parsed<RunAgent>({"agent", "-dev", "-region", "r"}).options.region == "r");
}

TEST_CASE("cluster commands") {
    const auto init = parsed<ClusterInit>({"cluster", "init", "--region", "sea", "--bind",
                                           "10.0.0.1", "--advertise", "sea1"})
                          .options;
    CHECK(init.data_dir == "/data");
    CHECK(init.region == "sea");
    CHECK(init.listen == Listen{.bind = "10.0.0.1", .port = 4647, .advertise = "sea1"});
    const auto invite = parsed<ClusterInvite>({"cluster", "invite", "--uses", "3", "--expires",
                                               "90m", "--rights", "run,hold"})
                            .options;
    CHECK(invite.uses == 3);
    CHECK(invite.valid_for == 90min);
    CHECK(invite.rights == Rights::of({Right::run, Right::hold}));
    CHECK(parsed<ClusterExpel>({"cluster", "expel", "abcd"}).peer == "abcd");
}

TEST_CASE("looking commands") {
    CHECK(parsed<JobStatus>({"job", "status"}).id.empty());
    CHECK(parsed<JobStatus>({"job", "status", "-evals", "redis"}).evals);
    const auto logs = parsed<AllocLogs>({"alloc", "logs", "-f", "-n", "20", "abc", "web"});
    CHECK(logs.follow);
    CHECK(logs.lines == 20);
    CHECK(logs.task == "web");
    CHECK(parsed<AllocLogs>({"alloc", "logs", "-task", "web", "abc"}).task == "web");
    CHECK(parsed<JobStop>({"job", "stop", "-purge", "-yes", "x"}).purge);
    CHECK(parsed<JobStop>({"job", "stop", "-y", "x"}).yes);
    const auto line = parse_command_line({"members", "--json", "--address", "h:1"}, "/data");
    CHECK(line.invocation->json);
    CHECK(line.invocation->connect.address == "h:1");
}

TEST_CASE("--version is the command of that name") {
    for (const char* word : {"version", "--version", "-version"})
        CHECK(std::holds_alternative<Version>(
            parse_command_line({word}, "/data").invocation->command));
    CHECK(parse_command_line({"--help"}, "/data").text.find("--version") != std::string::npos);
}

TEST_CASE("what is wrong is named, with the help to read") {
    struct Row {
        Words words;
        const char* wanted;
        int code;
    };
    for (const auto& row : {
             Row{{"jbo"}, "`gctl` has no command `jbo`; did you mean `job`?", 1},
             Row{{"job", "rnu"}, "See `gctl job --help`", 1},
             Row{{"run", "a.nomad"}, "did you mean `gctl job run`?", 1},
             Row{{"stop", "web"}, "`gctl job stop` or `gctl alloc stop`?", 1},
             Row{{"status"}, "`gctl job status` or ", 1},
             Row{{"logs"}, "`gctl job logs` or `gctl alloc logs`?", 1},
             Row{{"exec"}, "`gctl alloc exec`?", 1},
             Row{{"node-status"}, "did you mean `gctl node status`?", 1},
             Row{{"dispatchh"}, "did you mean `gctl job dispatch`?", 1},
             Row{{"job", "exec"}, "`gctl job` has no command `exec`; did you mean `gctl alloc", 1},
             Row{{"job", "run"}, "FILE is required", 1},
             Row{{"job", "run", "a", "b"}, "b", 1},
             Row{{"job", "plan", "--nope", "f"}, "--nope", 255},
             Row{{"agent", "--port", "70000"}, "--port", 1},
             Row{{"agent", "--region", "r"}, "goes with --dev", 1},
             Row{{"agent", "--dev", "--invitation-file", "f"}, "does not go with --dev", 1},
             Row{{"agent", "--meta", "novalue"}, "not key=value", 1},
             Row{{"agent", "--raw-exec", "maybe"}, "neither on nor off", 1},
             Row{{"agent", "--log-level", "loud"}, "loud", 1},
             Row{{"cluster", "invite", "--expires", "5x"}, "--expires", 1},
             Row{{"cluster", "invite", "--expires", "-5m"}, "--expires", 1},
             Row{{"cluster", "invite", "--rights", "fly"}, "fly", 1},
             Row{{"cluster", "invite", "--uses", "0"}, "--uses", 1},
         }) {
        CAPTURE(row.wanted);
        const ParsedLine line = parse_command_line(row.words, "/data");
        CHECK(!line.invocation.has_value());
        CHECK(line.exit_code == row.code);
        CHECK_MESSAGE(line.text.find(row.wanted) != std::string::npos, line.text);
    }
}

TEST_CASE("a wrong value is named with what was wanted instead") {
    struct Row {
        Words words;
        const char* said;
    };
    for (const auto& row : {
             Row{{"job", "run", "-check-index", "abc", "f"},
                 "Error: --check-index wants a number, not \"abc\"\n"},
             Row{{"job", "run", "-check-index", "-3", "f"}, "wants a number, not \"-3\"\n"},
             Row{{"alloc", "logs", "-n", "abc", "1f"},
                 "Error: --lines wants a number from 0 to 100000, not \"abc\"\n"},
             Row{{"alloc", "logs", "-c", "9x", "1f"}, "Error: --bytes wants a number, not \"9x\""},
             Row{{"agent", "--cpu-total", "0"}, "--cpu-total wants a number of at least 1, not"},
             Row{{"agent", "--http-port", "70000"}, "--http-port wants a number from 0 to 65535"},
             Row{{"job", "status", "-t", "X", "hello"},
                 "Error: `gctl job status` has no option -t\n"},
             Row{{"job", "status", "--evls", "hello"}, "no option --evls; did you mean `--evals`?"},
             Row{{"job", "status", "a", "b"},
                 "does not know what to do with \"b\": that is one word too many"},
             Row{{"job", "plan", "-diff=maybe", "f"}, "--diff wants true or false, not \"maybe\""},
             Row{{"alloc", "exec", "--task"}, "--task wants a value"},
             Row{{"service", "info", "--filter", "a", "--filter", "b", "x"},
                 "--filter is there more than once"},
         }) {
        CAPTURE(row.said);
        const ParsedLine line = parse_command_line(row.words, "/data");
        CHECK(line.exit_code != 0);
        CHECK_MESSAGE(line.text.find(row.said) != std::string::npos, line.text);
    }
    const std::string help = parse_command_line({"job", "plan", "--help"}, "/data").text;
    CHECK_MESSAGE(help.find("  --diff / --no-diff          Show") != std::string::npos, help);
    CHECK(help.find("FILE may be JSON or HCL") != std::string::npos);
    for (const Words& words : {Words{"alloc", "exec", "--help"}, Words{"job", "plan", "--help"}})
        CHECK(parse_command_line(words, "/data").text.find("{false}") == std::string::npos);
}

TEST_CASE("what Nomad's users type is told where it is, or that it is not built") {
    struct Row {
        Words words;
        const char* said;
    };
    for (const auto& row : {
             Row{{"server", "members"}, "has no command `server`; it is `gctl members` here"},
             Row{{"server", "frobnicate"}, "there are no servers"},
             Row{{"operator", "raft", "list-peers"}, "it is `gctl region status` here"},
             Row{{"operator", "raft", "remove-peer", "-id"}, "`gctl region status` shows"},
             Row{{"eval", "list"}, "not built yet; `gctl job status -evals JOB`"},
             Row{{"job", "init"}, "not built yet; the files in examples/"},
             Row{{"job", "allocs", "web"}, "`gctl job status JOB` lists them"},
             Row{{"job", "scale", "web", "3"}, "change `count` in the job file"},
             Row{{"job", "history", "web"}, "not built yet; GET /v1/job/JOB/versions"},
             Row{{"job", "revert", "web", "0"}, "not built yet"},
             Row{{"node", "drain", "-enable", "-self"}, "drains are not built yet"},
             Row{{"monitor"}, "an agent logs to its standard error"},
             Row{{"agent-info"}, "GET /v1/metrics"},
             Row{{"node", "status", "-self"}, "`gctl node status` has no option --self; not built"},
             Row{{"node", "status", "-allocs"}, "`gctl node status NODE` lists its allocations"},
             Row{{"job", "status", "-short", "web"}, "has no option --short; not built yet"},
             Row{{"alloc", "status", "-short", "1f"}, "has no option --short; not built yet"},
         }) {
        CAPTURE(row.said);
        const ParsedLine line = parse_command_line(row.words, "/data");
        CHECK(line.exit_code == 1);
        CHECK_MESSAGE(line.text.find(row.said) != std::string::npos, line.text);
        CHECK_MESSAGE(line.text.find("did you mean") == std::string::npos, line.text);
    }
}

TEST_CASE("every command has help with an example; a bare topic shows its own") {
    for (const Words& path : std::vector<Words>{{"agent"},
                                                {"cluster", "init"},
                                                {"cluster", "invite"},
                                                {"cluster", "expel"},
                                                {"job", "run"},
                                                {"job", "plan"},
                                                {"job", "validate"},
                                                {"job", "status"},
                                                {"job", "stop"},
                                                {"job", "inspect"},
                                                {"node", "status"},
                                                {"alloc", "status"},
                                                {"alloc", "logs"},
                                                {"alloc", "fs"},
                                                {"alloc", "exec"},
                                                {"job", "logs"},
                                                {"eval", "status"},
                                                {"members"},
                                                {"region", "status"},
                                                {"version"},
                                                {"completion", "bash"},
                                                {"cluster"},
                                                {"job"},
                                                {"alloc"},
                                                {"eval"},
                                                {"node"},
                                                {"region"},
                                                {"completion"}}) {
        Words words = path;
        words.emplace_back("--help");
        const ParsedLine line = parse_command_line(words, "/data");
        CAPTURE(line.text);
        CHECK(line.exit_code == 0);
        CHECK(line.text.find("Example:\n  ") != std::string::npos);
        CHECK(line.text.find("Usage: gctl " + path[0]) != std::string::npos);
        CHECK(line.text.ends_with("\n"));
    }
    CHECK(parse_command_line({}, "/d").text.find("gctl agent --dev") != std::string::npos);
    CHECK(parse_command_line({}, "/d").exit_code == 1);
    CHECK(parse_command_line({"agent", "--help"}, "/data").text.find("its data [/data]") !=
          std::string::npos);
    CHECK(parse_command_line({"job"}, "/d").text.find("Usage: gctl job") != std::string::npos);
}

TEST_CASE("the completion script knows what the parser knows") {
    const auto script = parsed<Completion>({"completion", "bash"}).script;
    const auto at = script.find("\" job run\") words=\"\"; options=\"--help ");
    REQUIRE(at != std::string::npos);
    CHECK(script.substr(at, script.find('\n', at) - at).find(" --check-index ") !=
          std::string::npos);
    CHECK(script.find("\" cluster\") words=\"init invite expel\"") != std::string::npos);
}

}  // namespace gaggle::cli
