#include "allocrunner/network/network_offer.h"

namespace gaggle::allocrunner {

std::map<std::string, std::string> network_attributes(const NetworkReadings& readings) {
    std::map<std::string, std::string> out;
    for (const auto& [plugin, version] : readings.versions)
        out["plugins.cni.version." + plugin] = version;
    if (!readings.no_netns.empty()) {
        out["gaggle.network.lacks"] = out["gaggle.network.bridge.lacks"] = readings.no_netns;
        return out;
    }
    out["gaggle.network.none"] = "1";
    for (const std::string& name : readings.networks) out["gaggle.network.cni/" + name] = "1";
    if (readings.missing.empty()) {
        out["gaggle.network.bridge"] = "1";
        out["nomad.bridge.hairpin_mode"] = "true";
        return out;
    }
    std::string& lacks = out["gaggle.network.bridge.lacks"];
    for (const std::string& missing : readings.missing)
        lacks += (lacks.empty() ? "" : "; ") + missing;
    return out;
}

}  // namespace gaggle::allocrunner
