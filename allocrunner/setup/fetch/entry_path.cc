#include "allocrunner/setup/fetch/entry_path.h"

namespace gaggle::setup {

namespace {

constexpr std::size_t kPathMax = 4000;

/// Depth after walking `path` from `depth`; -1: it left the root on the way.
int depth_after(std::string_view path, int depth) {
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        const std::string_view part = path.substr(0, slash);
        path.remove_prefix(std::min(slash + 1, path.size()));
        if (part.empty() || part == ".") continue;
        depth += part == ".." ? -1 : 1;
        if (depth < 0) return -1;
    }
    return depth;
}

}  // namespace

Result<std::string> entry_path(std::string_view name) {
    const auto denied = [&](const char* why) {
        return Error{Errc::denied, "entry \"" + std::string(name.substr(0, 200)) + "\" " + why};
    };
    if (name.starts_with('/')) return denied("has an absolute path");
    if (name.size() > kPathMax) return denied("has a path that is too long");
    std::string out;
    for (std::string_view rest = name; !rest.empty();) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, slash);
        rest.remove_prefix(std::min(slash + 1, rest.size()));
        if (part.empty() || part == ".") continue;
        if (part == "..") return denied("has .. in its path");
        out.append(out.empty() ? "" : "/").append(part);
    }
    return out;
}

Result<void> check_link(const std::string& path, std::string_view target) {
    const std::size_t slash = path.rfind('/');
    const int from = slash == std::string::npos ? 0 : depth_after(path.substr(0, slash), 0);
    const bool out = target.empty() || target.starts_with('/') || depth_after(target, from) < 0;
    if (!out) return {};
    return {Errc::denied, "link \"" + path + "\" leads out of the destination, to \"" +
                              std::string(target.substr(0, 200)) + "\""};
}

}  // namespace gaggle::setup
