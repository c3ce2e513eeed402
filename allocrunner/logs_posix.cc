#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "allocrunner/logs.h"
#include "base/log.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::string_view kFolder = "alloc/logs";

std::string prefix_of(const std::string& task, LogStream stream) {
    return task + "." + to_string(stream) + ".";
}

bool is_plain_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

/// The folder of logs, opened once for all that a call does in it: `alloc` and what is in it belong
/// to the task as much as to us, so no link is followed on the way. Without one errno says why.
UniqueFd open_folder(const std::string& alloc_dir) {
    const UniqueFd top(open(alloc_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!top) return {};
    const UniqueFd alloc(openat(top.get(), "alloc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!alloc) return {};
    return UniqueFd(openat(alloc.get(), "logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

UniqueFd open_log(const UniqueFd& folder, const std::string& name) {
    // A link or a pipe in its place must not be followed or waited for.
    UniqueFd fd(openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat about {};
    if (fd && (fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode))) {
        fd.reset();
        errno = EINVAL;
    }
    return fd;
}

std::uint64_t size_of(const UniqueFd& fd) {
    struct stat about {};
    return fd && fstat(fd.get(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

std::optional<std::uint64_t> number_in(std::string_view digits) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return number;
}

/// All files of one stream, oldest first, and the folder that they are in.
struct Found {
    UniqueFd folder;
    std::vector<LogFile> files;
};

Result<Found> find_logs(const std::string& alloc_dir, const std::string& task, LogStream stream) {
    if (!is_plain_name(task))
        return {Errc::invalid, "list logs: \"" + task + "\" is not the name of a task"};
    Found out{.folder = open_folder(alloc_dir), .files = {}};
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(
        out.folder ? fdopendir(fcntl(out.folder.get(), F_DUPFD_CLOEXEC, 0)) : nullptr, closedir);
    if (!listing) {
        const bool moved = errno == ELOOP || errno == ENOTDIR;
        return {errno == ENOENT ? Errc::not_found : Errc::io,
                "list logs of task " + task + ": open " + alloc_dir + "/" + std::string(kFolder) +
                    ": " +
                    (moved ? "a task put something else in its place" : std::strerror(errno))};
    }
    const std::string prefix = prefix_of(task, stream);
    for (const dirent* entry = readdir(listing.get()); entry != nullptr;
         entry = readdir(listing.get())) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix)) continue;
        const auto number = number_in(name.substr(prefix.size()));
        const UniqueFd fd = number ? open_log(out.folder, std::string(name)) : UniqueFd();
        if (fd) out.files.push_back({*number, size_of(fd)});
    }
    std::sort(out.files.begin(), out.files.end(),
              [](const LogFile& a, const LogFile& b) { return a.number < b.number; });
    return out;
}

}  // namespace

const char* to_string(LogStream stream) {
    return stream == LogStream::stdout_stream ? "stdout" : "stderr";
}

Result<std::vector<LogFile>> log_files(const std::string& alloc_dir, const std::string& task,
                                       LogStream stream) {
    Found found = TRY(find_logs(alloc_dir, task, stream));
    return std::move(found.files);
}

std::uint64_t trim_logs(const std::string& alloc_dir, const std::string& task, LogStream stream,
                        std::uint64_t files_max) {
    const auto found = find_logs(alloc_dir, task, stream);
    if (!found || found->files.empty()) return 0;
    const std::uint64_t newest = found->files.back().number;
    for (const LogFile& file : found->files) {
        const std::string name = prefix_of(task, stream) + std::to_string(file.number);
        if (newest - file.number >= files_max &&
            unlinkat(found->folder.get(), name.c_str(), 0) != 0)
            log::debug("remove log {}: {}", name, std::strerror(errno));
    }
    return newest;
}

Result<LogPlace> log_place(const std::string& alloc_dir, const std::string& task, LogStream stream,
                           LogOrigin origin, std::uint64_t offset) {
    const std::vector<LogFile> files = TRY(log_files(alloc_dir, task, stream));
    if (files.empty()) return LogPlace{};
    std::uint64_t total = 0;
    for (const LogFile& file : files) total += file.bytes;
    offset = std::min(offset, total);
    std::uint64_t left = origin == LogOrigin::start ? offset : total - offset;
    for (const LogFile& file : files) {
        if (left < file.bytes) return LogPlace{file.number, left};
        left -= file.bytes;
    }
    return LogPlace{files.back().number, files.back().bytes};
}

Result<LogChunk> read_log(const std::string& alloc_dir, const std::string& task, LogStream stream,
                          LogPlace from, std::size_t max_bytes) {
    Found found = TRY(find_logs(alloc_dir, task, stream));
    std::vector<LogFile>& files = found.files;
    const std::string prefix = prefix_of(task, stream);
    LogChunk chunk;
    chunk.from = from;
    // The first file at or after the place that still has something to say; where none has, the
    // newest one, for it may grow.
    auto file = std::find_if(files.begin(), files.end(),
                             [&](const LogFile& one) { return one.number >= from.file; });
    if (file != files.end() && file->number > from.file) {
        chunk.skipped = true;  // its own file is gone, with what was not read of it
        chunk.from = {file->number, 0};
    }
    while (file != files.end() && file + 1 != files.end() && chunk.from.offset >= file->bytes) {
        // It may have grown between being listed and the next one being begun. Now that the next
        // one is there, its size is final.
        file->bytes = size_of(open_log(found.folder, prefix + std::to_string(file->number)));
        if (chunk.from.offset < file->bytes) break;
        ++file;
        chunk.from = {file->number, 0};
    }
    chunk.next = chunk.from;
    const std::string name = prefix + std::to_string(chunk.from.file);
    chunk.file_name = std::string(kFolder) + "/" + name;
    if (file == files.end()) return chunk;
    const UniqueFd fd = open_log(found.folder, name);
    if (!fd) return chunk;  // rotated away just now; the next call goes on behind it
    chunk.bytes.resize(max_bytes);
    const ssize_t got =
        pread(fd.get(), chunk.bytes.data(), max_bytes, static_cast<off_t>(chunk.from.offset));
    if (got < 0)
        return {Errc::io, "read " + chunk.file_name + ": " + std::string(std::strerror(errno))};
    chunk.bytes.resize(static_cast<std::size_t>(got));
    chunk.next.offset += static_cast<std::uint64_t>(got);
    return chunk;
}

}  // namespace gaggle::allocrunner
