#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "allocrunner/drivers/shim.h"
#include "allocrunner/drivers/spec_file.h"
#include "base/names_in.h"
#include "base/unique_fd.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kSpecMax = 8U << 20U;

Error io_error(const std::string& what, int error = errno) {
    return {error == ENOENT ? Errc::not_found : Errc::io, what + ": " + std::strerror(error)};
}

Result<void> make_private(const std::string& path) {
    if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return io_error("make " + path);
}

Result<Bytes> read_whole(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat about {};
    if (!fd || fstat(fd.get(), &about) != 0) return io_error("read " + path);
    Bytes bytes(std::min<std::size_t>(static_cast<std::size_t>(about.st_size), kSpecMax));
    for (std::size_t have = 0; have < bytes.size();) {
        const ssize_t part = read(fd.get(), bytes.data() + have, bytes.size() - have);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return io_error("read " + path);
        if (part == 0) bytes.resize(have);
        have += static_cast<std::size_t>(part);
    }
    return bytes;
}

}  // namespace

std::string driver_dir(const TaskLocation& at) { return at.alloc_dir + "/driver/" + at.task; }

Result<void> write_driver_file(const std::string& path, BytesView bytes) {
    const std::string draft = path + ".new";
    const UniqueFd fd(
        open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return io_error("write " + draft);
    while (!bytes.empty()) {
        const ssize_t part = write(fd.get(), bytes.data(), bytes.size());
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return io_error("write " + draft);
        bytes = bytes.subspan(static_cast<std::size_t>(part));
    }
    if (rename(draft.c_str(), path.c_str()) != 0) return io_error("rename " + draft);
    return {};
}

Result<void> make_driver_dir(const TaskLocation& at) {
    TRY(make_private(at.alloc_dir + "/driver"));
    return make_private(driver_dir(at));
}

Result<void> save_spec(const TaskLocation& at, const TaskSpec& spec) {
    TRY(make_driver_dir(at));
    return write_driver_file(driver_dir(at) + "/spec", encode(spec));
}

Result<StartedTask> find_started(const TaskLocation& at) {
    const Bytes bytes = TRY(read_whole(driver_dir(at) + "/spec"));
    StartedTask out{.at = at, .spec = {}, .pid = 0};
    out.spec = TRY(decode<TaskSpec>(bytes, "spec of a task", {.bytes = kSpecMax}));
    const auto record = read_record(at.alloc_dir, at.task);
    if (record && record->state == shim::RecordState::running) out.pid = record->pid;
    return out;
}

Result<std::vector<StartedTask>> all_started(const std::string& alloc,
                                             const std::string& alloc_dir) {
    std::vector<StartedTask> out;
    const auto names = names_in(alloc_dir + "/driver");
    if (!names && names.error().code == Errc::not_found) return out;
    if (!names) return names.error();
    for (const std::string& name : *names) {
        const TaskLocation at{.alloc = alloc, .alloc_dir = alloc_dir, .task = name};
        auto started = find_started(at);
        if (!started && started.error().code == Errc::io) return started.error();
        out.push_back(started ? std::move(*started) : StartedTask{.at = at, .spec = {}, .pid = 0});
    }
    return out;
}

}  // namespace gaggle::allocrunner
