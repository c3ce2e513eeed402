#include "allocrunner/network/cni_lists.h"

#include <algorithm>

#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

using Object = Value::Map;
using List = Value::List;

Value text(std::string of) { return {std::move(of)}; }
Value flag(bool of) { return {of}; }
Value number(std::int64_t of) { return {of}; }

Value texts(const std::vector<std::string>& of) {
    List out;
    for (const std::string& one : of) out.push_back(text(one));
    return {std::move(out)};
}

template <class T>
const T* get(const Object& object, const std::string& key) {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : std::get_if<T>(&found->second.data);
}

std::string text_or(const Object& object, const std::string& key, std::string otherwise) {
    const auto* found = get<std::string>(object, key);
    return found == nullptr ? std::move(otherwise) : *found;
}

/// The name of a file beside others: it becomes a program that is run as root.
bool is_plain_name(const std::string& name) {
    return !name.empty() && name.front() != '.' && name.size() <= 255 &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

/// CHECK came with 0.4.0.
bool knows_check(const std::string& version) {
    return !version.starts_with("0.1") && !version.starts_with("0.2") &&
           !version.starts_with("0.3");
}

bool has_capability(const Object& plugin, const std::string& name) {
    const auto* all = get<Object>(plugin, "capabilities");
    const auto* one = all == nullptr ? nullptr : get<bool>(*all, name);
    return one != nullptr && *one;
}

/// Nomad maps both protocols, because its `port` block names none.
Value port_mappings(const CniRuntime& runtime) {
    List out;
    for (const PortMapping& port : runtime.ports) {
        for (const char* protocol : {"tcp", "udp"}) {
            Object one{{"hostPort", number(port.host)},
                       {"containerPort", number(port.inside)},
                       {"protocol", text(protocol)}};
            if (!runtime.port_ip.empty()) one["hostIP"] = text(runtime.port_ip);
            out.push_back({std::move(one)});
        }
    }
    return {std::move(out)};
}

Value dns_value(const DnsConfig& dns) {
    return {Object{{"servers", texts(dns.servers)},
                   {"searches", texts(dns.searches)},
                   {"options", texts(dns.options)}}};
}

Error wrong(const std::string& file, const std::string& what) {
    return {Errc::invalid, "read CNI configuration " + file + ": " + what +
                               "; see the CNI specification, section 1"};
}

}  // namespace

CniList bridge_list(const NetworkSettings& settings) {
    const Object range{{"subnet", text(settings.bridge_subnet)}};
    const Object everywhere{{"dst", text("0.0.0.0/0")}};
    const Object addresses{{"type", text("host-local")},
                           {"dataDir", text(settings.state_dir)},
                           {"ranges", {List{{List{{range}}}}}},
                           {"routes", {List{{everywhere}}}}};
    const Object bridge{{"type", text("bridge")},     {"bridge", text(settings.bridge_name)},
                        {"ipMasq", flag(true)},       {"isGateway", flag(true)},
                        {"forceAddress", flag(true)}, {"hairpinMode", flag(true)},
                        {"ipam", {addresses}}};
    const Object firewall{{"type", text("firewall")},
                          {"backend", text("iptables")},
                          {"iptablesAdminChainName", text(kAdminChain)}};
    const Object ports{{"type", text("portmap")},
                       {"snat", flag(true)},
                       {"capabilities", {Object{{"portMappings", flag(true)}}}}};
    return {.name = settings.bridge_name, .version = "0.4.0", .plugins = {bridge, firewall, ports}};
}

std::vector<std::string> bridge_plugins() {
    return {"bridge", "firewall", "host-local", "portmap"};
}

std::string plugin_type(const CniList& list, std::size_t at) {
    return text_or(list.plugins.at(at), "type", "");
}

Result<CniList> parse_cni_list(std::string_view json, const std::string& file) {
    const Result<Value> parsed = value_from_json(json);
    if (!parsed.ok()) return wrong(file, parsed.error().detail);
    const auto* top = std::get_if<Object>(&parsed->data);
    if (top == nullptr) return wrong(file, "it is no JSON object");
    CniList out{.name = text_or(*top, "name", ""),
                .version = text_or(*top, "cniVersion", "0.2.0"),
                .plugins = {}};
    if (out.name.empty()) return wrong(file, "the network's `name` is missing");
    const auto* disabled = get<bool>(*top, "disableCheck");
    out.check = knows_check(out.version) && (disabled == nullptr || !*disabled);
    if (const auto* plugins = get<List>(*top, "plugins")) {
        for (const Value& plugin : *plugins) {
            const auto* config = std::get_if<Object>(&plugin.data);
            if (config == nullptr) return wrong(file, "a member of `plugins` is no object");
            out.plugins.push_back(*config);
        }
    } else {
        out.plugins.push_back(*top);
    }
    if (out.plugins.empty()) return wrong(file, "`plugins` names none");
    if (out.plugins.size() > kCniPluginsMax)
        return wrong(file, "`plugins` has more than " + std::to_string(kCniPluginsMax));
    for (std::size_t at = 0; at < out.plugins.size(); ++at)
        if (!is_plain_name(plugin_type(out, at)))
            return wrong(file, "the `type` of plugin " + std::to_string(at) +
                                   " is not the plain name of a program");
    return out;
}

std::string cni_input(const CniList& list, std::size_t at, const CniRuntime& runtime,
                      const std::optional<Value>& previous) {
    Object config = list.plugins.at(at);
    config["cniVersion"] = text(list.version);
    config["name"] = text(list.name);
    if (previous) config["prevResult"] = *previous;
    Object extra;
    if (has_capability(config, "portMappings") && !runtime.ports.empty())
        extra["portMappings"] = port_mappings(runtime);
    if (has_capability(config, "dns") && !is_empty(runtime.dns))
        extra["dns"] = dns_value(runtime.dns);
    if (!extra.empty()) config["runtimeConfig"] = {std::move(extra)};
    return value_to_json({std::move(config)});
}

}  // namespace gaggle::allocrunner
