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
