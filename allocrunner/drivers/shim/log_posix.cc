#include "allocrunner/drivers/shim/log_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "allocrunner/drivers/shim/text.h"

namespace gaggle::allocrunner::shim {

namespace {

constexpr int kFolderParts = 2;  // "alloc/logs", beneath the allocation's own directory
constexpr int kHow = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/// A plain file that has no other name anywhere.
bool is_ours_alone(int fd, std::uint64_t& size) {
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_nlink != 1) return false;
    size = static_cast<std::uint64_t>(about.st_size);
    return true;
}

/// -1 with errno. What is in its place and is no such file goes; a directory stays and is in the
/// way.
int open_plain(int folder, const char* name, std::uint64_t& size) {
    int fd = openat(folder, name, kHow, 0644);
    if (fd >= 0 && is_ours_alone(fd, size)) return fd;
    // A link is ELOOP, a pipe without a reader or a socket ENXIO. All else is no fault of the name.
    if (fd < 0 && errno != ELOOP && errno != ENXIO) return -1;
    if (fd >= 0) close(fd);
    if (unlinkat(folder, name, 0) != 0) return -1;
    size = 0;
    return openat(folder, name, kHow | O_EXCL, 0644);
}

}  // namespace

int open_log_folder(const char* prefix, const char*& name) {
    char path[kPathMax];
    if (!Text(path).add(prefix).fits()) {
        errno = ENAMETOOLONG;
        return -1;
    }
    char* parts[kFolderParts + 1];  // the name's first, then those of the folders, inwards out
    for (char*& part : parts) {
        char* const slash = std::strrchr(path, '/');
        if (slash == nullptr || slash == path) {
            errno = EINVAL;
            return -1;
        }
        *slash = '\0';
        part = slash + 1;
    }
    name = prefix + (parts[0] - path);
    int folder = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int part = kFolderParts; part > 0 && folder >= 0; --part) {
        mkdirat(folder, parts[part], 0755);  // a task may have removed it
        const int inner =
            openat(folder, parts[part], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const int error = errno;
        close(folder);
        errno = error;
        folder = inner;
    }
    return folder;
}

bool Log::open(int folder, const char* prefix, std::uint64_t number, std::uint64_t files_max,
               std::uint64_t file_bytes) {
    folder_ = folder;
    prefix_ = prefix;
    number_ = number;
    files_max_ = files_max > 0 ? files_max : 1;
    file_bytes_ = file_bytes > 0 ? file_bytes : 1;
    return open_file();
}

bool Log::open_file() {
    char name[NAME_MAX + 1];
    if (!Text(name).add(prefix_).add(number_).fits()) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (fd_ >= 0) close(fd_);
    used_ = 0;
    fd_ = open_plain(folder_, name, used_);
    return fd_ >= 0;
}

void Log::roll() {
    ++number_;
    if (number_ >= files_max_) {
        char name[NAME_MAX + 1];
        if (Text(name).add(prefix_).add(number_ - files_max_).fits()) unlinkat(folder_, name, 0);
    }
    open_file();
}

void Log::count_lost(std::size_t size) {
    lost_ += size;
    unsaid_ += size;
}

bool Log::put(const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t done = fd_ < 0 ? -1 : ::write(fd_, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            count_lost(size);
            if (fd_ < 0) open_file();  // it could not be opened then; perhaps it can be next time
            return false;
        }
        used_ += static_cast<std::uint64_t>(done);
        bytes += done;
        size -= static_cast<std::size_t>(done);
    }
    return true;
}

void Log::say_lost() {
    char line[128];
    Text(line)
        .add("[gaggle: ")
        .add(unsaid_)
        .add(" bytes of output before this line could not be written and are lost]\n");
    const std::uint64_t before = lost_;
    const std::uint64_t unsaid = unsaid_;
    unsaid_ = 0;
    if (put(line, std::strlen(line))) return;
    lost_ = before;  // the line about the loss is no loss of the task's
    unsaid_ = unsaid;
}

std::size_t Log::part_for_this_file(const char* bytes, std::size_t size) const {
    const std::uint64_t room = used_ < file_bytes_ ? file_bytes_ - used_ : 0;
    if (size <= room) return size;
    const void* newline = memrchr(bytes, '\n', static_cast<std::size_t>(room));
    if (newline != nullptr)
        return static_cast<std::size_t>(static_cast<const char*>(newline) - bytes) + 1;
    // No line ends in the room that is left: a line that has not begun goes to the next file whole,
    // one that has, or that no file could hold, is cut.
    return line_begun_ || used_ == 0 ? static_cast<std::size_t>(room) : 0;
}

void Log::write(const char* bytes, std::size_t size) {
    if (prefix_ == nullptr) return;  // the task's logs are switched off
    if (unsaid_ > 0) say_lost();
    while (size > 0) {
        const std::size_t part = part_for_this_file(bytes, size);
        if (!put(bytes, part)) return count_lost(size - part);  // rolling would lose old lines too
        if (part > 0) line_begun_ = bytes[part - 1] != '\n';
        bytes += part;
        size -= part;
        if (size > 0) roll();
    }
}

}  // namespace gaggle::allocrunner::shim
