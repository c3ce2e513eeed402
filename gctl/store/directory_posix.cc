#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "gctl/store/disk.h"

namespace gaggle::store {

namespace {

constexpr const char* kLockName = "/LOCK";

Error failed(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

/// flock(2) belongs to the open file, and O_CLOEXEC keeps the tasks' shims from inheriting it: they
/// outlive the agent, and the next agent must get the lock.
class FlockLock final : public DirectoryLock {
  public:
    explicit FlockLock(UniqueFd fd) : fd_(std::move(fd)) {}

  private:
    UniqueFd fd_;
};

/// The process that wrote its number into the lock file, or "unknown".
std::string holder_of(int fd) {
    char text[32] = {};
    const ssize_t length = ::pread(fd, text, sizeof text - 1, 0);
    std::string pid(text, length > 0 ? static_cast<std::size_t>(length) : 0);
    pid = pid.substr(0, pid.find_first_not_of("0123456789"));
    return pid.empty() ? "unknown" : pid;
}

}  // namespace

Result<void> sync_real_directory(const std::string& directory) {
    const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failed("open directory " + directory + " to sync it");
    if (::fsync(fd.get()) != 0) return failed("sync directory " + directory);
    return {};
}

Result<std::unique_ptr<DirectoryLock>> lock_real_directory(const std::string& directory) {
    const std::string path = directory + kLockName;
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return failed("open lock file " + path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return failed("lock " + path);
        return Error{Errc::unavailable,
                     "data directory " + directory + " is used by another agent (pid " +
                         holder_of(fd.get()) +
                         "): stop that agent, or give this one its own --data-dir"};
    }
    // The number is for people only; a full disk must not keep an agent from starting to say so.
    const std::string pid = std::to_string(::getpid()) + "\n";
    const bool noted =
        ::ftruncate(fd.get(), 0) == 0 && ::pwrite(fd.get(), pid.data(), pid.size(), 0) >= 0;
    static_cast<void>(noted);
    return std::unique_ptr<DirectoryLock>(std::make_unique<FlockLock>(std::move(fd)));
}

}  // namespace gaggle::store
