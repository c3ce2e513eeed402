#include <algorithm>
#include <filesystem>
#include <fstream>

#include "allocrunner/network/cni_files.h"
#include "base/names_in.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kFilesMax = 256;

std::vector<std::string> files_of(const std::string& folder) {
    std::vector<std::string> out;
    const Result<std::vector<std::string>> names = names_in(folder);
    if (!names) return out;
    for (const std::string& name : *names) {
        const std::filesystem::path path = folder + "/" + name;
        const std::string type = path.extension().string();
        const bool ours = type == ".conflist" || type == ".conf" || type == ".json";
        std::error_code none;
        if (ours && std::filesystem::is_regular_file(path, none) && out.size() < kFilesMax)
            out.push_back(path.string());
    }
    return out;
}

Result<CniList> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(kCniTextMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kCniTextMax)
        return {Errc::invalid, "read CNI configuration " + path + ": it is larger than 1 MiB"};
    return parse_cni_list(text, path);
}

}  // namespace

CniFiles read_cni_files(const NetworkSettings& settings) {
    CniFiles out;
    for (const std::string& path : files_of(settings.cni_config_dir)) {
        Result<CniList> list = read_file(path);
        if (list.ok())
            out.lists.push_back(std::move(*list));
        else
            out.damaged.push_back(list.error().detail);
    }
    return out;
}

Result<CniList> find_cni_list(const NetworkSettings& settings, const std::string& name) {
    const CniFiles files = read_cni_files(settings);
    for (const CniList& list : files.lists)
        if (list.name == name) return list;
    std::string detail = "find CNI network \"" + name + "\": no .conflist, .conf or .json in " +
                         settings.cni_config_dir + " has that name";
    for (const std::string& damaged : files.damaged) detail += "; " + damaged;
    return {Errc::not_found, std::move(detail)};
}

}  // namespace gaggle::allocrunner
