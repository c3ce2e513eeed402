#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/small_file.h"
#include "base/unique_fd.h"

namespace gaggle {

std::string small_file(const std::string& path, std::size_t bytes_max) {
    const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string out;
    char piece[4096];
    while (file && out.size() < bytes_max) {
        const ssize_t got = read(file.get(), piece, std::min(sizeof piece, bytes_max - out.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        out.append(piece, static_cast<std::size_t>(got));
    }
    return out;
}

}  // namespace gaggle
