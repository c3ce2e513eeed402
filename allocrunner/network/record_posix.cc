#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "allocrunner/network/record.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/unique_fd.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kRecordMax = 4U << 20U;
constexpr Limits kRecordLimits{.bytes = kRecordMax, .depth = 96};

Error failure(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

Result<void> write_whole(const std::string& path, BytesView bytes) {
    const std::string draft = path + ".new";
    const UniqueFd fd(
        open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return failure("make " + draft);
    fchmod(fd.get(), 0644);  // whatever the agent's umask is: tasks of any user read some of them
    while (!bytes.empty()) {
        const ssize_t part = write(fd.get(), bytes.data(), bytes.size());
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return failure("write " + draft);
        bytes = bytes.subspan(static_cast<std::size_t>(part));
    }
    if (rename(draft.c_str(), path.c_str()) != 0) return failure("rename " + draft);
    return {};
}

Result<void> make_network_folder(const std::string& alloc_dir) {
    const std::string folder = network_folder(alloc_dir);
    if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return failure("make " + folder);
    if (chmod(folder.c_str(), 0755) != 0) return failure("open " + folder + " to tasks");
    return {};
}

Result<std::optional<Bytes>> read_whole(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::optional<Bytes>();
    if (!fd) return failure("open " + path);
    Bytes out;
    std::uint8_t part[4096];
    while (out.size() <= kRecordMax) {
        const ssize_t got = read(fd.get(), part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("read " + path);
        if (got == 0) break;
        out.insert(out.end(), part, part + got);
    }
    return std::optional<Bytes>(std::move(out));
}

}  // namespace

std::string network_folder(const std::string& alloc_dir) { return alloc_dir + "/network"; }

Result<void> write_network_record(const std::string& alloc_dir, const NetworkRecord& record) {
    TRY(make_network_folder(alloc_dir));
    Bytes bytes = encode(record);
    const std::uint64_t seal = checksum64(bytes);
    for (unsigned shift = 0; shift < 64; shift += 8)
        bytes.push_back(static_cast<std::uint8_t>(seal >> shift));
    return write_whole(network_folder(alloc_dir) + "/record", bytes);
}

Result<std::optional<NetworkRecord>> read_network_record(const std::string& alloc_dir) {
    const std::string path = network_folder(alloc_dir) + "/record";
    const std::optional<Bytes> bytes = TRY(read_whole(path));
    if (!bytes) return std::optional<NetworkRecord>();
    const Error damaged{Errc::corrupt, "read " + path + ": it is damaged"};
    if (bytes->size() < sizeof(std::uint64_t)) return damaged;
    const BytesView body(bytes->data(), bytes->size() - sizeof(std::uint64_t));
    std::uint64_t seal = 0;
    for (std::size_t at = 0; at < sizeof seal; ++at)
        seal |= static_cast<std::uint64_t>((*bytes)[body.size() + at]) << (8 * at);
    if (seal != checksum64(body)) return damaged;
    return std::optional<NetworkRecord>(
        TRY(decode<NetworkRecord>(body, "record of a network", kRecordLimits)));
}

Result<void> remove_network_record(const std::string& alloc_dir) {
    std::error_code error;
    std::filesystem::remove_all(network_folder(alloc_dir), error);
    if (error) return {Errc::io, "remove " + network_folder(alloc_dir) + ": " + error.message()};
    return {};
}

Result<std::string> write_network_file(const std::string& alloc_dir, const std::string& name,
                                       const std::string& text) {
    TRY(make_network_folder(alloc_dir));
    const std::string path = network_folder(alloc_dir) + "/" + name;
    TRY(write_whole(path, as_bytes(text)));
    return path;
}

}  // namespace gaggle::allocrunner
