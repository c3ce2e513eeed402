#include "gctl/cli/nomad_words.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace gaggle::cli {

namespace {

struct Entry {
    std::string_view words;
    const char* hint;
};

constexpr const char* kNoServers =
    "there are no servers: every peer is the same; `gctl members` lists the peers, "
    "`gctl region status` shows the commit group";
constexpr const char* kNoAcl =
    "ACLs are not built yet: each agent's API has one token (see docs/security.md)";

constexpr Entry kEntries[] = {
    {"acl", kNoAcl},
    {"agent-info", "`gctl members -verbose` shows the peers, GET /v1/metrics the agent's figures"},
    {"alloc pause", "not built yet"},
    {"alloc status --short", "not built yet; `gctl alloc status ALLOC` shows all of it"},
    {"config", "agents have no configuration files: see `gctl agent --help`"},
    {"deployment",
     "deployments are not built yet; `gctl job status JOB` shows how its allocations are"},
    {"eval delete", "not built yet; `gctl system gc` forgets finished ones"},
    {"eval list", "not built yet; `gctl job status -evals JOB` lists those of a job"},
    {"fmt", "not built yet; `gctl job validate FILE` checks a job file"},
    {"init", "not built yet; the files in examples/ are good to start from"},
    {"job action", "not built yet; `gctl alloc exec` runs a command in a task"},
    {"job allocs", "`gctl job status JOB` lists them"},
    {"job deployments", "not built yet; `gctl job status JOB` shows how its allocations are"},
    {"job eval", "not built yet; `gctl job run FILE` looks at a job anew"},
    {"job history", "not built yet; GET /v1/job/JOB/versions has the versions"},
    {"job init", "not built yet; the files in examples/ are good to start from"},
    {"job periodic", "periodic jobs are not built yet"},
    {"job promote", "updates by canary are not built yet"},
    {"job restart", "not built yet; `gctl alloc restart ALLOC` restarts one allocation"},
    {"job revert", "not built yet; `gctl job run` the file as it was before"},
    {"job scale", "not built yet; change `count` in the job file and `gctl job run` it"},
    {"job scaling-events", "not built yet"},
    {"job start", "not built yet; `gctl job run FILE` starts it again"},
    {"job status --short", "not built yet; `gctl job status` without JOB has a line for each"},
    {"job tag", "not built yet"},
    {"keygen", "the peers' keys are made by `gctl cluster init` and by joining"},
    {"keyring", "the peers' keys are made by `gctl cluster init` and by joining"},
    {"login", kNoAcl},
    {"monitor", "not built yet; an agent logs to its standard error (`gctl agent --log-level`)"},
    {"namespace", "namespaces need not be made: name one in the job, or with --namespace"},
    {"node config", "a peer's settings are options of `gctl agent`"},
    {"node drain", "drains are not built yet; `gctl alloc stop ALLOC` moves one allocation"},
    {"node eligibility", "not built yet"},
    {"node meta", "not built yet; `gctl agent --meta KEY=VALUE` sets it at the start"},
    {"node pool", "node pools are not built yet; see --node-class and --datacenter of the agent"},
    {"node status --allocs", "not built yet; `gctl node status NODE` lists its allocations"},
    {"node status --self", "not built yet; `gctl node status NAME`, and the name is the host's "
                           "unless the agent was given --name"},
    {"operator", kNoServers},
    {"operator api", "use curl with the header `X-Nomad-Token` (see docs/security.md)"},
    {"operator autopilot", "the commit group tends itself; see `gctl region status`"},
    {"operator debug", "not built yet; see `gctl region status` and GET /v1/metrics"},
    {"operator metrics", "GET /v1/metrics has them"},
    {"operator raft", "`gctl region status` shows the commit group"},
    {"operator raft list-peers", "it is `gctl region status` here"},
    {"operator snapshot", "not built yet; the region's books are on every voter's disk"},
    {"plugin", "plugins are not built yet; `gctl node status NODE` lists the drivers"},
    {"quota", "quotas are not built yet"},
    {"scaling", "scaling policies are not built yet; change `count` in the job file"},
    {"sentinel", "policies are not built yet"},
    {"server", kNoServers},
    {"server force-leave", "it is `gctl cluster expel PEER` here, and it is for good"},
    {"server join", "it is `gctl agent --invitation-file FILE` here; see `gctl cluster invite`"},
    {"server members", "it is `gctl members` here"},
    {"setup", "see `gctl cluster init --help`"},
    {"system reconcile", "nothing has to be reconciled here"},
    {"tls", "peers have keys of their own; TLS for HTTP is not built yet"},
    {"ui", "a web interface is not built yet; see `gctl job status`"},
    {"var", "variables in the cluster are not built yet; job files have `variable` blocks"},
    {"volume", "volumes are not built yet; `replicas` in ephemeral_disk keeps copies of data"},
};

}  // namespace

std::string nomad_hint(const std::vector<std::string>& words) {
    std::string line;
    const char* found = "";
    for (const std::string& word : words) {
        line += (line.empty() ? "" : " ") + word;
        const auto entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                        [&](const Entry& one) { return one.words == line; });
        if (entry != std::end(kEntries)) found = entry->hint;
    }
    return found;
}

}  // namespace gaggle::cli
