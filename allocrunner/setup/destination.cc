#include "allocrunner/setup/destination.h"

#include <optional>
#include <vector>

namespace gaggle::setup {

namespace {

/// What follows `folder` in `path`; nothing when it does not lie beneath it.
std::optional<std::string_view> beneath(std::string_view path, std::string_view folder) {
    if (folder.size() < 2 || !path.starts_with(folder)) return std::nullopt;
    path.remove_prefix(folder.size());
    if (!path.empty() && path.front() != '/') return std::nullopt;
    return path;
}

/// As a path from the allocation's directory: "task/..." or "alloc/...".
std::string from_alloc_dir(const TaskDirs& host, const TaskDirs& inside, std::string_view text) {
    for (const TaskDirs* one : {&inside, &host}) {
        if (const auto rest = beneath(text, one->local)) return "task/local" + std::string(*rest);
        if (const auto rest = beneath(text, one->secrets))
            return "task/secrets" + std::string(*rest);
        if (const auto rest = beneath(text, one->shared)) return "alloc" + std::string(*rest);
        if (const auto rest = beneath(text, one->task)) return "task" + std::string(*rest);
    }
    return "task/" + std::string(text);
}

}  // namespace

Result<Destination> destination_of(const TaskDirs& host, const TaskDirs& inside,
                                   std::string_view text) {
    const Error out{Errc::denied, "path \"" + std::string(text) +
                                      "\" leads out of the task's directory; write one beneath "
                                      "local/, secrets/ or ../alloc/"};
    if (text.find('\0') != std::string_view::npos)
        return Error{Errc::invalid, "a path with a zero byte in it"};
    const std::string whole = from_alloc_dir(host, inside, text);
    std::vector<std::string_view> parts;
    for (std::string_view rest = whole; !rest.empty();) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, slash);
        rest.remove_prefix(std::min(slash + 1, rest.size()));
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            parts.push_back(part);
            continue;
        }
        if (parts.empty()) return out;
        parts.pop_back();
    }
    // "../web/x" of the task "web" names its own directory by its name.
    const std::string_view own = std::string_view(host.task).substr(host.task.rfind('/') + 1);
    const bool shared = !parts.empty() && parts.front() == "alloc";
    if (parts.empty() || (!shared && parts.front() != "task" && parts.front() != own)) return out;
    Destination to{.root = shared ? Destination::Root::shared : Destination::Root::task};
    for (std::size_t at = 1; at < parts.size(); ++at)
        to.path.append(at > 1 ? "/" : "").append(parts[at]);
    return to;
}

const std::string& root_of(const TaskDirs& host, const Destination& destination) {
    return destination.root == Destination::Root::shared ? host.shared : host.task;
}

}  // namespace gaggle::setup
