#include "allocrunner/network/cni_files.h"
#include "allocrunner/network/netns.h"
#include "allocrunner/network/network_offer.h"
#include "allocrunner/network/plugins.h"
#include "allocrunner/network/program.h"
#include "base/log.h"

namespace gaggle::allocrunner {

NetworkReadings read_networks(const NetworkSettings& settings) {
    NetworkReadings out;
    if (const auto may = try_netns(); !may.ok()) {
        out.no_netns = may.error().detail;
        return out;
    }
    out.versions = plugin_versions(settings);
    for (const std::string& plugin : bridge_plugins())
        if (const auto found = find_plugin(settings, plugin); !found.ok())
            out.missing.push_back(found.error().detail);
    if (!find_in_path("iptables", kToolPath).ok())
        out.missing.push_back("find iptables: it is not in " + std::string(kToolPath) +
                              "; install Debian's iptables");
    const CniFiles files = read_cni_files(settings);
    for (const CniList& list : files.lists) out.networks.push_back(list.name);
    for (const std::string& damaged : files.damaged) log::warn("{}", damaged);
    return out;
}

}  // namespace gaggle::allocrunner
