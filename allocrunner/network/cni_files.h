// The operator's CNI configurations: files of `cni_config_dir`, found by the name inside.
#pragma once

#include <string>
#include <vector>

#include "allocrunner/network/cni_lists.h"

namespace gaggle::allocrunner {

struct CniFiles {
    std::vector<CniList> lists;        ///< in the order of the files' names
    std::vector<std::string> damaged;  ///< what is wrong with the others, for people
};

/// Reads *.conflist, *.conf and *.json. No folder is as an empty one.
CniFiles read_cni_files(const NetworkSettings& settings);

/// Of several with that name the first. Errc::not_found says where it was looked for.
Result<CniList> find_cni_list(const NetworkSettings& settings, const std::string& name);

}  // namespace gaggle::allocrunner
