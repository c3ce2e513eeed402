#include "allocrunner/drivers/docker_container.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "allocrunner/drivers/capabilities.h"
#include "allocrunner/drivers/docker_volumes.h"
#include "allocrunner/drivers/image_name.h"
#include "allocrunner/drivers/json_words.h"

namespace gaggle::allocrunner {

namespace {

using json::flag;
using json::List;
using json::list;
using json::number;
using json::Object;
using json::object;
using json::text;
using json::texts;

constexpr std::int64_t kMegaByte = 1LL << 20U;

constexpr Option kOptions[] = {
    {.name = "image", .example = R"(image = "redis:7")", .required = true},
    {.name = "command", .example = R"(command = "redis-server")"},
    {.name = "args", .kind = OptionKind::texts, .example = R"(args = ["--port", "80"])"},
    {.name = "entrypoint", .kind = OptionKind::texts, .example = R"(entrypoint = ["/init"])"},
    {.name = "load", .example = R"(load = "image.tar")"},
    {.name = "force_pull", .kind = OptionKind::flag, .example = "force_pull = true"},
    {.name = "auth", .kind = OptionKind::blocks, .example = R"(auth { username = "me" })"},
    {.name = "ports", .kind = OptionKind::texts, .example = R"(ports = ["http"])"},
    {.name = "port_map", .kind = OptionKind::map, .example = "port_map { http = 80 }"},
    {.name = "volumes", .kind = OptionKind::texts, .example = R"(volumes = ["local/x:/etc/x"])"},
    {.name = "mount", .kind = OptionKind::blocks, .example = R"(mount { target = "/x" })"},
    {.name = "mounts", .kind = OptionKind::blocks, .example = R"(mounts = [{ target = "/x" }])"},
    {.name = "labels", .kind = OptionKind::map, .example = R"(labels { team = "web" })"},
    {.name = "network_mode", .example = R"(network_mode = "host")"},
    {.name = "hostname", .example = R"(hostname = "web")"},
    {.name = "extra_hosts", .kind = OptionKind::texts, .example = R"(extra_hosts = ["a:1.2.3.4"])"},
    {.name = "dns_servers", .kind = OptionKind::texts, .example = R"(dns_servers = ["1.1.1.1"])"},
    {.name = "dns_search_domains",
     .kind = OptionKind::texts,
     .example = R"(dns_search_domains = ["example.com"])"},
    {.name = "dns_options", .kind = OptionKind::texts, .example = R"(dns_options = ["rotate"])"},
    {.name = "work_dir", .example = R"(work_dir = "/srv")"},
    {.name = "cap_add", .kind = OptionKind::texts, .example = R"(cap_add = ["net_raw"])"},
    {.name = "cap_drop", .kind = OptionKind::texts, .example = R"(cap_drop = ["mknod"])"},
    {.name = "privileged", .kind = OptionKind::flag, .example = "privileged = true"},
    {.name = "security_opt",
     .kind = OptionKind::texts,
     .example = R"(security_opt = ["seccomp=x.json"])"},
    {.name = "sysctl",
     .kind = OptionKind::map,
     .example = R"(sysctl { "net.core.somaxconn" = 9 })"},
    {.name = "ulimit", .kind = OptionKind::map, .example = R"(ulimit { nofile = "1024:2048" })"},
    {.name = "memory_hard_limit",
     .kind = OptionKind::number,
     .example = "memory_hard_limit = 512",
     .least = 4},
    {.name = "pids_limit", .kind = OptionKind::number, .example = "pids_limit = 100"},
    {.name = "shm_size", .kind = OptionKind::number, .example = "shm_size = 67108864"},
    {.name = "oom_score_adj",
     .kind = OptionKind::number,
     .example = "oom_score_adj = 500",
     .least = -1000,
     .most = 1000},
    {.name = "pid_mode", .example = R"(pid_mode = "host")"},
    {.name = "ipc_mode", .example = R"(ipc_mode = "private")"},
    {.name = "uts_mode", .example = R"(uts_mode = "host")"},
    {.name = "group_add", .kind = OptionKind::texts, .example = R"(group_add = ["audio"])"},
    {.name = "runtime", .example = R"(runtime = "runc")"},
    {.name = "readonly_rootfs", .kind = OptionKind::flag, .example = "readonly_rootfs = true"},
    {.name = "init", .kind = OptionKind::flag, .example = "init = true"},
    {.name = "tty", .kind = OptionKind::flag, .example = "tty = true"},
    {.name = "interactive", .kind = OptionKind::flag, .example = "interactive = true"},
};

Error wrong(const std::string& what) { return {Errc::invalid, "config of driver docker: " + what}; }

/// What the engine publishes: the ports that the config lists, at their number inside.
Result<void> put_ports(const TaskSpec& spec, const ConfigReader& options, Object& body,
                       Object& host) {
    Object exposed;
    std::map<std::string, List> bindings;  // several of our ports may lead to one inside
    const auto inside_by_map = options.map("port_map");
    const std::vector<std::string> listed = options.texts("ports");
    std::set<std::string> labels(listed.begin(), listed.end());
    for (const auto& [label, inside] : inside_by_map) labels.insert(label);
    for (const std::string& label : labels) {
        const auto port = std::find_if(spec.ports.begin(), spec.ports.end(),
                                       [&](const TaskPort& one) { return one.label == label; });
        if (port == spec.ports.end())
            return wrong("port \"" + label +
                         "\" is not among the group's; declare it as network { port \"" + label +
                         "\" {} }");
        const auto mapped = inside_by_map.find(label);
        const std::string inside =
            mapped == inside_by_map.end() ? std::to_string(port->to) : mapped->second;
        for (const char* protocol : {"/tcp", "/udp"}) {
            exposed[inside + protocol] = object({});
            bindings[inside + protocol].push_back(object(
                {{"HostIp", text(port->host_ip)}, {"HostPort", text(std::to_string(port->host))}}));
        }
    }
    if (exposed.empty()) return {};
    body["ExposedPorts"] = object(std::move(exposed));
    Object published;
    for (auto& [inside, ours] : bindings) published[inside] = list(std::move(ours));
    host["PortBindings"] = object(std::move(published));
    return {};
}

void put_if(Object& to, const char* name, const ConfigReader& options, const char* option) {
    if (const auto items = options.texts(option); !items.empty()) to[name] = texts(items);
}

void put_text(Object& to, const char* name, const std::string& words) {
    if (!words.empty()) to[name] = text(words);
}

/// In the allocation's network: names are the group's, and so are ports, which are mapped already.
Result<void> put_joined_network(const TaskSpec& spec, const ConfigReader& options,
                                const ContainerFacts& facts, Object& body, Object& host) {
    struct Row {
        const char* option;
        const char* instead;
    };
    for (const Row& row :
         {Row{"hostname", "hostname = \"...\""}, Row{"dns_servers", "dns { servers = [...] }"},
          Row{"dns_search_domains", "dns { searches = [...] }"},
          Row{"dns_options", "dns { options = [...] }"}})
        if (options.has(row.option))
            return wrong("option " + std::string(row.option) +
                         " cannot differ between tasks that share a network; write it in the "
                         "group: network { " +
                         row.instead + " }");
    host["NetworkMode"] = text(facts.joins);
    // Who joins a container has its host name, and may not ask for another.
    if (facts.joins.starts_with("ns:")) put_text(body, "Hostname", spec.network.hostname);
    return {};
}

Result<void> put_network(const TaskSpec& spec, const ConfigReader& options,
                         const ContainerFacts& facts, Object& body, Object& host) {
    if (joins_network(spec)) return put_joined_network(spec, options, facts, body, host);
    const std::string mode = options.text("network_mode");
    put_text(host, "NetworkMode", mode);
    const std::string hostname =
        options.has("hostname") ? options.text("hostname") : spec.network.hostname;
    if (mode != "host") put_text(body, "Hostname", hostname);
    put_if(host, "ExtraHosts", options, "extra_hosts");
    put_if(host, "Dns", options, "dns_servers");
    put_if(host, "DnsSearch", options, "dns_search_domains");
    put_if(host, "DnsOptions", options, "dns_options");
    if (mode.empty() || mode == "bridge") return put_ports(spec, options, body, host);
    return {};
}

Result<void> put_limits(const TaskSpec& spec, const ConfigReader& options,
                        const ContainerFacts& facts, Object& host) {
    const Resources& asked = spec.resources;
    const std::int64_t own = options.number("memory_hard_limit").value_or(0);
    const std::int64_t most = own > 0 ? own : asked.memory_max.value;
    if (most > asked.memory.value)
        host["MemoryReservation"] = number(asked.memory.value * kMegaByte);
    if (most >= 0) {
        const std::int64_t limit = std::max(most, asked.memory.value) * kMegaByte;
        host["Memory"] = host["MemorySwap"] = number(limit);
    }
    host["CpuShares"] = number(cpu_shares(asked));
    if (!facts.cpus.empty()) host["CpusetCpus"] = text(facts.cpus);
    if (const auto most_pids = options.number("pids_limit")) host["PidsLimit"] = number(*most_pids);
    if (const auto size = options.number("shm_size")) host["ShmSize"] = number(*size);
    if (spec.oom_score_adj) host["OomScoreAdj"] = number(*spec.oom_score_adj);
    List limits;
    for (const auto& [name, value] : options.map("ulimit")) {
        std::int64_t soft = 0;
        const char* const end = value.data() + value.size();
        const auto first = std::from_chars(value.data(), end, soft);
        std::int64_t hard = soft;
        bool right = first.ec == std::errc();
        if (right && first.ptr != end) {
            const auto second = std::from_chars(first.ptr + 1, end, hard);
            right = *first.ptr == ':' && second.ec == std::errc() && second.ptr == end;
        }
        if (!right)
            return wrong("ulimit " + name + " = \"" + value +
                         "\" must be a number or \"soft:hard\"; write for instance nofile = "
                         "\"1024:2048\"");
        limits.push_back(
            object({{"Name", text(name)}, {"Soft", number(soft)}, {"Hard", number(hard)}}));
    }
    if (!limits.empty()) host["Ulimits"] = list(std::move(limits));
    return {};
}

Result<void> put_rights(const ConfigReader& options, const ContainerFacts& facts, Object& host) {
    for (const char* mode : {"pid_mode", "ipc_mode", "uts_mode", "network_mode"})
        if (options.text(mode).starts_with("container:"))
            return wrong(std::string(mode) + " cannot name another container");
    if (options.flag("privileged")) {
        if (!facts.privileged_allowed)
            return {Errc::denied,
                    "privileged: this peer does not allow it; its operator would have to start the "
                    "agent with --docker-privileged on"};
        host["Privileged"] = flag(true);
        return {};
    }
    const Capabilities kept = TRY(
        capabilities_of(options.texts("cap_add"), options.texts("cap_drop"), facts.caps_allowed));
    host["CapDrop"] = texts(std::vector<std::string>{"ALL"});
    host["CapAdd"] = texts(kept);
    return {};
}

/// The engine keeps a short tail itself: what the supervisor reads from when it was cut off.
Value log_config() {
    return object({{"Type", text("json-file")},
                   {"Config", object({{"max-size", text("2m")}, {"max-file", text("2")}})}});
}

Value labels_of(const TaskSpec& spec, const ConfigReader& options, const ContainerFacts& facts) {
    std::map<std::string, std::string> labels = options.map("labels");
    for (const auto& [name, value] : spec.labels) labels["gaggle." + name] = value;
    labels[kOwnerLabel] = facts.owner;
    return json::map(labels);
}

}  // namespace

std::span<const Option> docker_options() { return kOptions; }

Result<void> judge_docker(const Value::Map& config) {
    const ConfigReader options(config);
    TRY(image_name(options.text("image")));
    for (const char* option : {"cap_add", "cap_drop"})
        TRY(named_capabilities(options.texts(option)));
    if (options.blocks("auth").size() > 1) return wrong("there is one block auth at most");
    return {};
}

bool joins_network(const TaskSpec& spec) {
    return !spec.network.netns.empty() && ConfigReader(spec.config).text("network_mode").empty();
}

Result<std::string> with_extra_hosts(std::string hosts, const TaskSpec& spec) {
    for (const std::string& entry : ConfigReader(spec.config).texts("extra_hosts")) {
        const std::size_t colon = entry.find(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == entry.size())
            return wrong("extra_hosts \"" + entry +
                         "\" must be \"name:address\"; write for instance " +
                         "extra_hosts = [\"db:10.0.0.7\"]");
        hosts += entry.substr(colon + 1) + " " + entry.substr(0, colon) + "\n";
    }
    return hosts;
}

Result<Value> container_body(const TaskSpec& spec, const ContainerFacts& facts) {
    const ConfigReader options(spec.config);
    const ImageName image = TRY(image_name(options.text("image")));
    const bool terminal = options.flag("tty");
    Object host{{"LogConfig", log_config()}};
    Object body{{"Image", text(image.whole())},
                {"Env", json::environment(spec.env)},
                {"Labels", labels_of(spec, options, facts)},
                {"Tty", flag(terminal)},
                {"OpenStdin", flag(options.flag("interactive"))},
                {"AttachStdout", flag(true)},
                {"AttachStderr", flag(true)}};
    if (!spec.argv.empty()) body["Cmd"] = texts(spec.argv);
    put_if(body, "Entrypoint", options, "entrypoint");
    put_text(body, "WorkingDir", spec.work_dir);
    put_text(body, "User", spec.user);
    TRY(put_network(spec, options, facts, body, host));
    TRY(put_limits(spec, options, facts, host));
    TRY(put_rights(options, facts, host));
    TRY(put_volumes(spec, options, facts, host));
    put_if(host, "SecurityOpt", options, "security_opt");
    put_if(host, "GroupAdd", options, "group_add");
    put_text(host, "PidMode", options.text("pid_mode"));
    put_text(host, "IpcMode", options.text("ipc_mode"));
    put_text(host, "UTSMode", options.text("uts_mode"));
    put_text(host, "Runtime", options.text("runtime"));
    if (const auto sysctl = options.map("sysctl"); !sysctl.empty())
        host["Sysctls"] = json::map(sysctl);
    if (options.flag("readonly_rootfs")) host["ReadonlyRootfs"] = flag(true);
    if (options.flag("init")) host["Init"] = flag(true);
    body["HostConfig"] = object(std::move(host));
    return object(std::move(body));
}

}  // namespace gaggle::allocrunner
