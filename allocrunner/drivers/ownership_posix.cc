#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "allocrunner/drivers/ownership.h"

namespace gaggle::allocrunner {

Result<void> give_to(const Account& account, const std::string& task_dir) {
    for (const char* folder : {"", "/local", "/tmp", "/secrets"}) {
        const std::string path = task_dir + folder;
        if (lchown(path.c_str(), account.uid, account.gid) == 0 || errno == ENOENT) continue;
        return {Errc::io,
                "give " + path + " to user " + std::to_string(account.uid) + ": " +
                    std::strerror(errno) +
                    (errno == EPERM ? "; a task's user needs an agent that is root" : "")};
    }
    return {};
}

}  // namespace gaggle::allocrunner
