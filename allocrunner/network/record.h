// How to undo an allocation's network: a file in its directory.
//
// Only what lives no longer than the machine's boot is at stake, so it is written without a sync.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "allocrunner/network/cni_lists.h"

namespace gaggle::allocrunner {

struct NetworkRecord {
    NetworkRequest request;
    std::string netns;     ///< empty: the machine's own
    std::string port_ip;   ///< as the plugins were told
    CniList list;          ///< without plugins when none are run
    std::string result;    ///< JSON of the plugins' last; empty: there was none (yet)
    AllocNetwork network;  ///< of meaning once `complete`
    bool complete = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.request, s.netns, s.port_ip, s.list, s.result, s.network, s.complete);
    }
    bool operator==(const NetworkRecord&) const = default;
};

/// <alloc dir>/network
std::string network_folder(const std::string& alloc_dir);

/// Makes the folder when it is missing; the file is replaced as a whole.
Result<void> write_network_record(const std::string& alloc_dir, const NetworkRecord& record);
/// Nothing when there is none. Errc::corrupt when it is damaged.
Result<std::optional<NetworkRecord>> read_network_record(const std::string& alloc_dir);
/// With its folder and what else is in it.
Result<void> remove_network_record(const std::string& alloc_dir);

/// A file of the folder, replaced as a whole; its path.
Result<std::string> write_network_file(const std::string& alloc_dir, const std::string& name,
                                       const std::string& text);

}  // namespace gaggle::allocrunner
