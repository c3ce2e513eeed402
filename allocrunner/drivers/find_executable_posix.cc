#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "allocrunner/drivers/find_executable.h"

namespace gaggle::allocrunner {

namespace {

bool is_executable(const std::string& path) {
    struct stat about {};
    if (stat(path.c_str(), &about) != 0) return false;
    if (!S_ISREG(about.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return access(path.c_str(), X_OK) == 0;
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
    const auto is_there = [&](const std::string& path) {
        return is_executable(search.on_host ? search.on_host(path) : path);
    };
    const std::string task = "find executable \"" + command + "\"";
    if (command.starts_with('/')) {
        if (is_there(command)) return command;
        return {Errc::not_found, task + ": " + std::strerror(errno) +
                                     "; install it on this peer or correct the job's command"};
    }
    std::vector<std::string> folders = search.folders;
    const bool searched = !search.path.empty() && command.find('/') == std::string::npos;
    if (searched)
        for (std::string& folder : folders_of(search.path)) folders.push_back(std::move(folder));
    for (const std::string& folder : folders) {
        const std::string path = (folder == "/" ? "" : folder) + "/" + command;
        if (is_there(path)) return path;
    }
    return {Errc::not_found,
            task + ": it is neither in the task's directory " +
                (searched ? "nor along its PATH " + search.path : std::string("nor absolute")) +
                "; install it on this peer or give an absolute path"};
}

}  // namespace gaggle::allocrunner
