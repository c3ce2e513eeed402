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

UniqueFd open_log(const std::string& alloc_dir, const std::string& name) {
    // The folder belongs to the task as much as to us: a link or a pipe in it must not be followed
    // or waited for.
    const std::string path = alloc_dir + "/" + std::string(kFolder) + "/" + name;
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
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

}  // namespace

const char* to_string(LogStream stream) {
    return stream == LogStream::stdout_stream ? "stdout" : "stderr";
}

Result<std::vector<LogFile>> log_files(const std::string& alloc_dir, const std::string& task,
                                       LogStream stream) {
    if (!is_plain_name(task))
        return {Errc::invalid, "list logs: \"" + task + "\" is not the name of a task"};
    const std::string path = alloc_dir + "/" + std::string(kFolder);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
    if (!folder)
        return {errno == ENOENT ? Errc::not_found : Errc::io,
                "list logs of task " + task + ": open " + path + ": " + std::strerror(errno)};
    const std::string prefix = prefix_of(task, stream);
    std::vector<LogFile> out;
    for (const dirent* entry = readdir(folder.get()); entry != nullptr;
         entry = readdir(folder.get())) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix)) continue;
        const auto number = number_in(name.substr(prefix.size()));
        const UniqueFd fd = number ? open_log(alloc_dir, std::string(name)) : UniqueFd();
        if (fd) out.push_back({*number, size_of(fd)});
    }
    std::sort(out.begin(), out.end(),
              [](const LogFile& a, const LogFile& b) { return a.number < b.number; });
    return out;
}

std::uint64_t trim_logs(const std::string& alloc_dir, const std::string& task, LogStream stream,
                        std::uint64_t files_max) {
    const auto files = log_files(alloc_dir, task, stream);
    if (!files || files->empty()) return 0;
    const std::uint64_t newest = files->back().number;
    const std::string path = alloc_dir + "/" + std::string(kFolder);
    const UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    for (const LogFile& file : *files) {
        const std::string name = prefix_of(task, stream) + std::to_string(file.number);
        if (newest - file.number >= files_max && folder &&
            unlinkat(folder.get(), name.c_str(), 0) != 0)
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
    std::vector<LogFile> files = TRY(log_files(alloc_dir, task, stream));
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
        file->bytes = size_of(open_log(alloc_dir, prefix + std::to_string(file->number)));
        if (chunk.from.offset < file->bytes) break;
        ++file;
        chunk.from = {file->number, 0};
    }
    chunk.next = chunk.from;
    const std::string name = prefix + std::to_string(chunk.from.file);
    chunk.file_name = std::string(kFolder) + "/" + name;
    if (file == files.end()) return chunk;
    const UniqueFd fd = open_log(alloc_dir, name);
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
