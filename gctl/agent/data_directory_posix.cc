#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "gctl/agent/data_directory.h"

namespace gaggle::data_directory {

Result<void> prepare(const std::string& path) {
    const std::string attempt = "use data directory " + path + ": ";
    std::error_code failed;
    const auto parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, failed);
    if (failed)
        return Error{Errc::io, attempt + "create " + parent.string() + ": " + failed.message() +
                                   "; run as a user that may, or give another --data-dir"};
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    if (errno != EEXIST)
        return Error{Errc::io, attempt + std::strerror(errno) +
                                   "; run as a user that may create it, or give another "
                                   "--data-dir"};
    if (!std::filesystem::is_directory(path, failed))
        return Error{Errc::invalid, attempt + "it is not a directory; give another --data-dir"};
    if (::chmod(path.c_str(), 0700) != 0)
        return Error{Errc::denied, attempt + "close it to other users: " + std::strerror(errno) +
                                       "; run as its owner, or give another --data-dir"};
    return {};
}

Result<void> let_tasks_through(const std::string& path) {
    const auto failed = [](const std::string& what) {
        return Error{errno == EPERM ? Errc::denied : Errc::io, what + ": " + std::strerror(errno)};
    };
    const std::string copies = path + "/copies";  // before replicas make it, open to all
    if (::mkdir(copies.c_str(), 0700) != 0 && errno != EEXIST) return failed("create " + copies);
    for (const char* folder : {"/copies", "/log", "/state"})
        if (::chmod((path + folder).c_str(), 0700) != 0 && errno != ENOENT)
            return failed("close " + path + folder + " to other users");
    for (const char* file : {"/FORMAT", "/GUARD.0", "/GUARD.1"})
        if (::chmod((path + file).c_str(), 0600) != 0 && errno != ENOENT)
            return failed("close " + path + file + " to other users");
    if (::chmod(path.c_str(), 0711) != 0) return failed("open the way through " + path);
    return {};
}

std::string first_trace(const std::string& path) {
    for (const char* name :
         {kRegion, kIdentity, kIssuer, kAuthority, "/FORMAT", "/log", "/state"}) {
        struct stat about {};
        if (::lstat((path + name).c_str(), &about) == 0) return name + 1;
    }
    return "";
}

std::string host_label() {
    constexpr std::size_t kLabelMax = 64;
    std::array<char, 256> text{};
    if (::gethostname(text.data(), text.size() - 1) != 0) return "peer";
    std::string out = std::string(text.data()).substr(0, kLabelMax);
    for (char& letter : out)
        if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '.' && letter != '_')
            letter = '-';
    return out.empty() ? "peer" : out;
}

WallTime wall_time() {
    timespec at{};
    ::clock_gettime(CLOCK_REALTIME, &at);
    return {at.tv_sec * 1'000'000'000LL + at.tv_nsec};
}

}  // namespace gaggle::data_directory
