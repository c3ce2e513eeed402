#include "gctl/agent/render_node.h"

#include "gctl/agent/render_resources.h"

namespace gaggle {

namespace {

using ledger::PeerRecord;
using ledger::PeerStatus;

std::string attribute(const PeerRecord& peer, const char* name) {
    const auto found = peer.description.attributes.find(name);
    return found == peer.description.attributes.end() ? "" : found->second;
}

/// "[::1]:4646" and "10.0.0.1:4646" without their port.
std::string host_of(const std::string& address) {
    if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
    return address.substr(0, address.rfind(':'));
}

/// Nomad's words; an expelled peer is a node that is down for good.
const char* status_of(const PeerRecord& peer) {
    return ledger::to_string(peer.status == PeerStatus::expelled ? PeerStatus::down : peer.status);
}

std::string status_description(const PeerRecord& peer) {
    if (peer.status != PeerStatus::expelled) return peer.status_reason;
    return "expelled" + (peer.status_reason.empty() ? "" : ": " + peer.status_reason);
}

std::string version_of(const PeerRecord& peer) {
    const std::string ours = attribute(peer, "gaggle.version");
    return ours.empty() ? attribute(peer, "nomad.version") : ours;
}

Value render_drivers(const PeerRecord& peer) {
    Object drivers;
    for (const auto& [name, health] : peer.description.drivers) {
        std::map<std::string, std::string> attributes;
        for (const auto& [key, value] : peer.description.attributes)
            if (key == "driver." + name || key.starts_with("driver." + name + "."))
                attributes[key] = value;
        drivers[name] = val(Object{{"Detected", val(health.detected)},
                                   {"Healthy", val(health.healthy)},
                                   {"HealthDescription", val(health.description)},
                                   {"Attributes", or_null(attributes)},
                                   {"UpdateTime", moment(health.updated)}});
    }
    return val(std::move(drivers));
}

/// What stub and full record share.
Object common(const PeerRecord& peer) {
    const bool eligible = peer.eligible && peer.status != PeerStatus::expelled;
    const Description& about = peer.description;
    return {{"ID", val(peer.who.id)},
            {"Name", val(name_of(peer))},
            {"Datacenter", val(about.name.empty() ? peer.who.datacenter : about.datacenter)},
            {"NodeClass", val(about.node_class)},
            {"NodePool", val(about.node_pool)},
            {"Drain", val(false)},
            {"SchedulingEligibility", val(eligible ? "eligible" : "ineligible")},
            {"Status", val(status_of(peer))},
            {"StatusDescription", val(status_description(peer))},
            {"Drivers", render_drivers(peer)},
            {"HostVolumes", null()},
            {"LastDrain", null()},
            {"CreateIndex", val(peer.create_index)},
            {"ModifyIndex", val(peer.modify_index)}};
}

Value render_node_resources(const PeerRecord& peer) {
    const Offer& offer = peer.books.offer;
    std::int64_t cores = 0;
    for (const char digit : attribute(peer, "cpu.numcores"))
        if (digit >= '0' && digit <= '9' && cores < 1'000'000) cores = cores * 10 + (digit - '0');
    const Object cpu{{"CpuShares", val(offer.total.cpu)},
                     {"TotalCpuCores", val(cores)},
                     {"ReservableCpuCores", null()}};
    return val(Object{{"Cpu", val(cpu)},
                      {"Memory", val(Object{{"MemoryMB", val(offer.total.memory)}})},
                      {"Disk", val(Object{{"DiskMB", val(offer.total.disk)}})},
                      {"Networks", null()},
                      {"NodeNetworks", null()},
                      {"Devices", null()},
                      {"MinDynamicPort", val(offer.dynamic_ports.first)},
                      {"MaxDynamicPort", val(offer.dynamic_ports.last)}});
}

/// The offer is what is left after what the peer keeps for itself, so nothing is reserved here.
Value render_reserved() {
    return val(Object{{"Cpu", val(Object{{"CpuShares", val(0)}, {"ReservedCpuCores", null()}})},
                      {"Memory", val(Object{{"MemoryMB", val(0)}})},
                      {"Disk", val(Object{{"DiskMB", val(0)}})},
                      {"Networks", val(Object{{"ReservedHostPorts", val("")}})}});
}

Value render_events(const PeerRecord& peer) {
    return val(List{val(Object{{"Message", val("Node registered")},
                               {"Subsystem", val("Cluster")},
                               {"Details", null()},
                               {"Timestamp", moment(peer.admitted)},
                               {"CreateIndex", val(peer.create_index)}})});
}

}  // namespace

const std::string& name_of(const PeerRecord& peer) {
    return peer.description.name.empty() ? peer.who.name : peer.description.name;
}

std::string address_of(const PeerRecord& peer) {
    const std::string ip = attribute(peer, "unique.network.ip-address");
    return ip.empty() ? host_of(peer.description.http_address) : ip;
}

Value render_node_stub(const PeerRecord& peer, bool resources) {
    Object out = common(peer);
    out["Address"] = val(address_of(peer));
    out["Version"] = val(version_of(peer));
    if (resources) {
        out["NodeResources"] = render_node_resources(peer);
        out["ReservedResources"] = render_reserved();
    }
    return val(std::move(out));
}

Value render_node(const PeerRecord& peer) {
    Object out = common(peer);
    const Description& about = peer.description;
    out["Number"] = val(peer.number);
    out["HTTPAddr"] = val(about.http_address);
    out["TLSEnabled"] = val(false);
    out["Attributes"] = val(about.attributes);
    out["Meta"] = or_null(about.meta);
    out["Links"] = null();
    out["ComputedClass"] = val("");
    out["SecretID"] = val("");
    out["DrainStrategy"] = null();
    out["StatusUpdatedAt"] = val(peer.admitted.nanoseconds / 1'000'000'000);
    out["Events"] = render_events(peer);
    out["CSIControllerPlugins"] = null();
    out["CSINodePlugins"] = null();
    out["NodeResources"] = render_node_resources(peer);
    out["ReservedResources"] = render_reserved();
    out["Resources"] = render_legacy(peer.books.offer.total, {}, null());
    out["Reserved"] = render_legacy({}, {}, null());
    return val(std::move(out));
}

}  // namespace gaggle
