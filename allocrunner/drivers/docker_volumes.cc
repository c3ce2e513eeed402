#include "allocrunner/drivers/docker_volumes.h"

#include "allocrunner/drivers/json_words.h"

namespace gaggle::allocrunner {

namespace {

using json::List;
using json::Object;

Error wrong(const std::string& what) { return {Errc::invalid, "config of driver docker: " + what}; }

bool leaves(const std::string& path) {
    return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
           path.find("/../") != std::string::npos;
}

/// On the host.
Result<std::string> source_of(const TaskSpec& spec, const ContainerFacts& facts,
                              const std::string& written) {
    if (written.empty()) return wrong("a mount needs a source");
    if (leaves(written)) return wrong("\"" + written + "\" leaves the task's directory");
    if (written.front() != '/') return spec.task_dir + "/" + written;
    if (facts.volumes_allowed) return written;
    return {Errc::denied, "mount " + written +
                              ": this peer does not allow paths of the machine; use a path below "
                              "the task's directory, or start the agent with --docker-volumes on"};
}

std::string text_of(const Value::Map& block, const char* name) {
    return ConfigReader(block).text(name);
}

Result<Value> mount_of(const TaskSpec& spec, const ContainerFacts& facts, const Value::Map& block) {
    static constexpr Option kOptions[] = {
        {.name = "type", .example = R"(type = "bind")"},
        {.name = "target", .example = R"(target = "/data")", .required = true},
        {.name = "source", .example = R"(source = "local/data")"},
        {.name = "readonly", .kind = OptionKind::flag, .example = "readonly = true"},
        {.name = "bind_options", .kind = OptionKind::blocks, .example = "bind_options { }"},
        {.name = "tmpfs_options", .kind = OptionKind::blocks, .example = "tmpfs_options { }"},
        {.name = "volume_options", .kind = OptionKind::blocks, .example = "volume_options { }"},
    };
    TRY(judge_config("docker, block mount", block, kOptions));
    const ConfigReader options(block);
    const std::string type = options.has("type") ? options.text("type") : "volume";
    Object out{{"Type", json::text(type)},
               {"Target", json::text(options.text("target"))},
               {"ReadOnly", json::flag(options.flag("readonly"))}};
    if (type == "bind") {
        out["Source"] = json::text(TRY(source_of(spec, facts, options.text("source"))));
        for (const Value::Map& more : options.blocks("bind_options"))
            if (const std::string propagation = text_of(more, "propagation"); !propagation.empty())
                out["BindOptions"] = json::object({{"Propagation", json::text(propagation)}});
    } else if (type == "tmpfs") {
        Object details;
        for (const Value::Map& more : options.blocks("tmpfs_options")) {
            const ConfigReader numbers(more);
            if (const auto size = numbers.number("size"))
                details["SizeBytes"] = json::number(*size);
            if (const auto mode = numbers.number("mode")) details["Mode"] = json::number(*mode);
        }
        if (!details.empty()) out["TmpfsOptions"] = json::object(std::move(details));
    } else if (type == "volume") {
        if (!facts.volumes_allowed)
            return {Errc::denied, "mount a volume: this peer does not allow it (--docker-volumes)"};
        out["Source"] = json::text(options.text("source"));
    } else {
        return wrong("mount of type \"" + type + "\": it is bind, tmpfs or volume");
    }
    return json::object(std::move(out));
}

/// The allocation's own names. A container in a network of its engine's keeps the engine's hosts
/// file, and any servers that its config names.
void put_name_files(const TaskSpec& spec, const ConfigReader& options, const ContainerFacts& facts,
                    List& binds) {
    const bool joins = joins_network(spec);
    const std::string& resolv = spec.network.resolv_file;
    const std::string& hosts =
        facts.hosts_file.empty() ? spec.network.hosts_file : facts.hosts_file;
    const bool own_servers = options.has("dns_servers") || options.has("dns_search_domains") ||
                             options.has("dns_options");
    if (!resolv.empty() && (joins || (spec.network.netns.empty() && !own_servers)))
        binds.push_back(json::text(resolv + ":/etc/resolv.conf:ro"));
    if (!hosts.empty() && joins) binds.push_back(json::text(hosts + ":/etc/hosts:ro"));
}

}  // namespace

Result<void> put_volumes(const TaskSpec& spec, const ConfigReader& options,
                         const ContainerFacts& facts, Value::Map& host) {
    List binds = {json::text(facts.alloc_dir + "/alloc:/alloc"),
                  json::text(spec.task_dir + "/local:/local"),
                  json::text(spec.task_dir + "/secrets:/secrets")};
    for (const std::string& volume : options.texts("volumes")) {
        const std::size_t colon = volume.find(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == volume.size())
            return wrong("volume \"" + volume +
                         "\" must be \"source:target\"; write for instance " +
                         "volumes = [\"local/site:/srv\"]");
        const std::string source = TRY(source_of(spec, facts, volume.substr(0, colon)));
        binds.push_back(json::text(source + volume.substr(colon)));
    }
    put_name_files(spec, options, facts, binds);
    List mounts;
    for (const char* option : {"mount", "mounts"})
        for (const Value::Map& block : options.blocks(option))
            mounts.push_back(TRY(mount_of(spec, facts, block)));
    host["Binds"] = json::list(std::move(binds));
    if (!mounts.empty()) host["Mounts"] = json::list(std::move(mounts));
    return {};
}

}  // namespace gaggle::allocrunner
