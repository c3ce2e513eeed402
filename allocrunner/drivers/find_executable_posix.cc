#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "allocrunner/drivers/find_executable.h"

namespace gaggle::allocrunner {

namespace {

/// What is in the way of running it; nothing when it can be run.
struct Obstacle {
    bool is_there = false;
    std::string why;
};
std::optional<Obstacle> obstacle_to(const std::string& path) {
    struct stat about {};
    if (stat(path.c_str(), &about) != 0) return Obstacle{errno != ENOENT, std::strerror(errno)};
    if (!S_ISREG(about.st_mode)) return Obstacle{true, "it is no file"};
    if (access(path.c_str(), X_OK) == 0) return std::nullopt;
    if (errno != EACCES) return Obstacle{true, std::strerror(errno)};
    return Obstacle{true,
                    "it is not executable; give it a mode such as 0755 (`perms` of a template)"};
}

/// Where the task's path leads on the host when each link is followed with the task's eyes; empty
/// with errno when links go round in circles.
std::string followed(const std::string& inside,
                     const std::function<std::string(const std::string&)>& on_host) {
    constexpr int kLinksMax = 40;  // as the kernel
    std::string done;              // "" is the root
    std::string left = inside + "/";
    for (int links = 0; !left.empty();) {
        const std::size_t slash = left.find('/');
        const std::string part = left.substr(0, slash);
        left.erase(0, slash + 1);
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            done.erase(std::min(done.rfind('/'), done.size()));
            continue;
        }
        const std::string next = done + "/" + part;
        char target[PATH_MAX];
        const ssize_t length = readlink(on_host(next).c_str(), target, sizeof target);
        if (length <= 0) {  // no link, or nothing: what it is shows in the end
            done = next;
            continue;
        }
        if (++links > kLinksMax) {
            errno = ELOOP;
            return {};
        }
        if (target[0] == '/') done.clear();
        left = std::string(target, static_cast<std::size_t>(length)) + "/" + left;
    }
    return on_host(done);
}

/// The folders of a PATH, in order; an empty entry is left out: tasks have no current directory of
/// their own to trust.
std::vector<std::string> folders_of(const std::string& path) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find(':', at), path.size());
        if (end > at) out.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

}  // namespace

Result<std::string> find_executable(const ExecutableSearch& search) {
    const std::string& command = search.command;
    const auto look_at = [&](const std::string& path) {
        if (!search.on_host) return obstacle_to(path);
        const std::string here = followed(path, search.on_host);
        return here.empty() ? std::optional(Obstacle{true, std::strerror(errno)})
                            : obstacle_to(here);
    };
    const std::string task = "find executable \"" + command + "\": ";
    if (command.starts_with('/')) {
        const auto obstacle = look_at(command);
        if (!obstacle) return command;
        if (obstacle->is_there) return {Errc::not_found, task + obstacle->why};
        return {Errc::not_found,
                task + obstacle->why + "; install it on this peer or correct the job's command"};
    }
    std::vector<std::string> folders = search.folders;
    const bool searched = !search.path.empty() && command.find('/') == std::string::npos;
    if (searched)
        for (std::string& folder : folders_of(search.path)) folders.push_back(std::move(folder));
    std::string in_the_way;  // the first that is there
    for (const std::string& folder : folders) {
        const std::string path = (folder == "/" ? "" : folder) + "/" + command;
        const auto obstacle = look_at(path);
        if (!obstacle) return path;
        if (obstacle->is_there && in_the_way.empty())
            in_the_way = "there is " + path + ", but " + obstacle->why;
    }
    if (!in_the_way.empty()) return {Errc::not_found, task + in_the_way};
    return {Errc::not_found,
            task + "it is neither in the task's directory " +
                (searched ? "nor along its PATH " + search.path : std::string("nor absolute")) +
                "; install it on this peer or give an absolute path"};
}

}  // namespace gaggle::allocrunner
