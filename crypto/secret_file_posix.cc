#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/unique_fd.h"
#include "crypto/secret_file.h"

namespace gaggle {

namespace {

constexpr std::size_t kSecretFileBytesMax = 64U << 10U;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

Error failed(const std::string& attempt, const std::string& path, int number) {
    const Errc code = number == ENOENT                      ? Errc::not_found
                      : number == EACCES || number == EPERM ? Errc::denied
                                                            : Errc::io;
    return {code, attempt + " " + path + ": " + std::strerror(number)};
}

Result<void> write_all(int fd, BytesView bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("write", path, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) return failed("make durable", path, errno);
    return {};
}

Result<void> write_new(const std::string& path, BytesView bytes) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return failed("create", path, errno);
    // The umask can only have taken rights away; what must be there is the owner's.
    if (::fchmod(file.get(), 0600) != 0) return failed("set mode 0600 of", path, errno);
    return write_all(file.get(), bytes, path);
}

}  // namespace

Result<void> write_secret_file(const std::string& path, BytesView bytes) {
    const std::string beside = path + ".new";
    ::unlink(beside.c_str());  // of a write that was interrupted
    if (auto written = write_new(beside, bytes); !written.ok()) {
        ::unlink(beside.c_str());
        return written.error();
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) return failed("rename to", path, errno);
    std::string folder = std::filesystem::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
    const UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return failed("open directory", folder, errno);
    if (::fsync(directory.get()) != 0) return failed("make durable", folder, errno);
    return {};
}

Result<Bytes> read_secret_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return failed("open", path, errno);
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) return failed("look at", path, errno);
    if (!S_ISREG(about.st_mode)) return Error{Errc::invalid, "read " + path + ": not a file"};
    if ((about.st_mode & kOthers) != 0)
        return Error{Errc::denied, "read " + path +
                                       ": other users have rights to this secret; if nobody has "
                                       "read it, run `chmod 600 " +
                                       path + "`, else replace it"};
    if (about.st_size > static_cast<off_t>(kSecretFileBytesMax))
        return Error{Errc::corrupt, "read " + path + ": " + std::to_string(about.st_size) +
                                        " bytes, more than such a file can have"};
    Bytes out(static_cast<std::size_t>(about.st_size));
    std::size_t have = 0;
    while (have < out.size()) {
        const ssize_t got = ::read(file.get(), out.data() + have, out.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("read", path, errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    out.resize(have);
    return out;
}

}  // namespace gaggle
