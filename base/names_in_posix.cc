#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/names_in.h"

namespace gaggle {

Result<std::vector<std::string>> names_in(const std::string& folder) {
    const auto failure = [&](int error) {
        return Error{error == ENOENT ? Errc::not_found : Errc::io,
                     "read directory " + folder + ": " + std::strerror(error)};
    };
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
    if (!open) return failure(errno);
    std::vector<std::string> out;
    for (;;) {
        errno = 0;
        const dirent* entry = readdir(open.get());
        if (entry == nullptr && errno != 0) return failure(errno);
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name != "." && name != "..") out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace gaggle
