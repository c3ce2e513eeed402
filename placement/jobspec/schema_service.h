// The description of a group's network and of services with their checks. See schema.h.
#pragma once

#include "placement/jobspec/schema.h"

namespace gaggle::schema {

template <class A, One<Port> C>
void describe(A& a, C& c) {
    if constexpr (!A::kHcl) a.attribute("", "Label", c.label);
    a.attribute("static", "Value", c.fixed);
    a.attribute("to", "To", c.to);
    a.attribute("host_network", "HostNetwork", c.host_network);
    a.later("ignore_collision", "IgnoreCollision", kFalse);
}

template <class A, One<DnsConfig> C>
void describe(A& a, C& c) {
    a.attribute("servers", "Servers", c.servers);
    a.attribute("searches", "Searches", c.searches);
    a.attribute("options", "Options", c.options);
}

/// HCL has one kind of port; the API keeps those with a fixed number in a list of their own.
template <class A, One<Network> C>
void describe(A& a, C& c) {
    a.attribute("mode", "Mode", c.mode);
    a.attribute("mbits", "MBits", c.mbits);
    const auto label = [](auto& port) -> auto& { return port.label; };
    if constexpr (A::kHcl) {
        a.labelled("port", "", c.ports, label);
    } else {
        std::vector<Port> reserved, dynamic;
        for (const Port& port : c.ports) (port.fixed != 0 ? reserved : dynamic).push_back(port);
        a.labelled("", "ReservedPorts", reserved, label);
        a.labelled("", "DynamicPorts", dynamic, label);
        if constexpr (!std::is_const_v<C>) {
            c.ports = std::move(reserved);
            c.ports.insert(c.ports.end(), dynamic.begin(), dynamic.end());
        }
    }
    a.attribute("hostname", "Hostname", c.hostname);
    a.block("dns", "DNS", c.dns);
    a.later("cni", "CNI", kNull);
    a.later("device", "Device", kNoText);
    a.later("cidr", "CIDR", kNoText);
    a.later("ip", "IP", kNoText);
    a.later("reserved_ports", "", kNull);
}

template <class A, One<CheckRestart> C>
void describe(A& a, C& c) {
    a.attribute("limit", "Limit", c.limit);
    a.attribute("grace", "Grace", c.grace);
    a.attribute("ignore_warnings", "IgnoreWarnings", c.ignore_warnings);
}

template <class A, One<ServiceCheck> C>
void describe(A& a, C& c) {
    a.attribute("name", "Name", c.name);
    a.attribute("type", "Type", c.type);
    a.attribute("command", "Command", c.command);
    a.attribute("args", "Args", c.args);
    a.attribute("path", "Path", c.path);
    a.attribute("protocol", "Protocol", c.protocol);
    a.attribute("port", "PortLabel", c.port);
    a.attribute("interval", "Interval", c.interval);
    a.attribute("timeout", "Timeout", c.timeout);
    a.attribute("initial_status", "InitialStatus", c.initial_status);
    a.attribute("tls_skip_verify", "TLSSkipVerify", c.tls_skip_verify);
    a.attribute("tls_server_name", "TLSServerName", c.tls_server_name);
    a.lists("header", "Header", c.header);
    a.attribute("method", "Method", c.method);
    a.attribute("body", "Body", c.body);
    a.attribute("task", "TaskName", c.task);
    a.attribute("success_before_passing", "SuccessBeforePassing", c.success_before_passing);
    a.attribute("failures_before_critical", "FailuresBeforeCritical", c.failures_before_critical);
    a.block("check_restart", "CheckRestart", c.check_restart);
    a.later("expose", "Expose", kFalse);
    a.later("address_mode", "AddressMode", kNoText);
    a.later("advertise", "Advertise", kNoText);
    a.later("notes", "Notes", kNoText);
    a.later("grpc_service", "GRPCService", kNoText);
    a.later("grpc_use_tls", "GRPCUseTLS", kFalse);
    a.later("failures_before_warning", "FailuresBeforeWarning", kNoNumber);
    a.later("on_update", "OnUpdate", kRequireHealthy);
}

template <class A, One<Service> C>
void describe(A& a, C& c) {
    a.attribute("name", "Name", c.name);
    a.attribute("task", "TaskName", c.task);
    a.attribute("provider", "Provider", c.provider);
    a.attribute("port", "PortLabel", c.port);
    a.attribute("address_mode", "AddressMode", c.address_mode);
    a.attribute("address", "Address", c.address);
    a.attribute("tags", "Tags", c.tags);
    a.attribute("canary_tags", "CanaryTags", c.canary_tags);
    a.pairs("meta", "Meta", c.meta);
    a.block("check_restart", "CheckRestart", c.check_restart);
    a.blocks("check", "Checks", c.checks);
    a.later("canary_meta", "CanaryMeta", kNull);
    a.later("tagged_addresses", "TaggedAddresses", kNull);
    a.later("enable_tag_override", "EnableTagOverride", kFalse);
    a.later("on_update", "OnUpdate", kRequireHealthy);
    a.later("cluster", "Cluster", kDefault);
    a.later("kind", "Kind", kNoText);
    a.later("weights", "Weights", kNull);
    a.later("identity", "Identity", kNull);
    a.later("connect", "Connect", kNull);
}

}  // namespace gaggle::schema
