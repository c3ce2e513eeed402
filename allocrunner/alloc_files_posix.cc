#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "allocrunner/alloc_files.h"
#include "base/unique_fd.h"
#include "placement/jobspec/task_name.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kSniffBytes = 512;

std::string through_proc(const UniqueFd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

/// Where an open file really lies; empty when the kernel does not say.
std::string true_path(const UniqueFd& fd) {
    std::array<char, PATH_MAX> path{};
    const ssize_t size = readlink(through_proc(fd).c_str(), path.data(), path.size());
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

Error failed(const std::string& path, int error) {
    const std::string open = "open \"" + path + "\": ";
    switch (error) {
        case ENOENT:
        case ENOTDIR: return {Errc::not_found, open + "no such file or directory"};
        case EXDEV: return {Errc::denied, open + "a link in it escapes the allocation's directory"};
        case ELOOP: return {Errc::denied, open + "it has too many links, or magic ones"};
        case ENOSYS:
            return {Errc::unavailable,
                    open +
                        "this peer's kernel has no openat2 (Linux 5.6), which keeps paths "
                        "inside the allocation's directory"};
        default: return {Errc::io, open + std::strerror(error)};
    }
}

/// A handle on what the path means, by which nothing can be read yet. `flags`: O_NOFOLLOW or 0.
Result<UniqueFd> locate(const std::string& alloc_dir, const std::string& path, int flags) {
    const std::string inside = TRY(path_inside(path));
    const UniqueFd top(open(alloc_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!top)
        return Error{errno == ENOENT ? Errc::not_found : Errc::io,
                     "open \"" + path + "\": the allocation has no directory here (any more): " +
                         std::strerror(errno)};
    open_how how{};
    how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    UniqueFd fd(
        static_cast<int>(syscall(SYS_openat2, top.get(), inside.c_str(), &how, sizeof how)));
    if (!fd) return failed(path, errno);
    const std::string root = true_path(top);
    const std::string place = true_path(fd);
    if (root.empty() || !place.starts_with(root) ||
        (place.size() > root.size() && place[root.size()] != '/'))
        return Error{Errc::denied, "open \"" + path + "\": it escapes the allocation's directory"};
    const Result<std::string> allowed = path_inside(place.substr(root.size()));
    if (!allowed) return Error{Errc::denied, "open \"" + path + "\": " + allowed.error().detail};
    return fd;
}

WallTime modified_at(const struct stat& about) {
    return {about.st_mtim.tv_sec * 1'000'000'000LL + about.st_mtim.tv_nsec};
}

FileInfo info_of(const std::string& name, const struct stat& about) {
    return {.name = name,
            .is_folder = S_ISDIR(about.st_mode),
            .size = static_cast<std::uint64_t>(about.st_size),
            .mode = mode_text(about.st_mode),
            .modified = modified_at(about),
            .content_type = ""};
}

std::string last_part(const std::string& path) {
    const std::size_t end = path.find_last_not_of('/');
    if (end == std::string::npos) return "/";
    const std::size_t slash = path.rfind('/', end);
    return path.substr(slash == std::string::npos ? 0 : slash + 1,
                       end - (slash == std::string::npos ? 0 : slash + 1) + 1);
}

/// The located regular file, opened for reading.
Result<UniqueFd> open_regular(const UniqueFd& located, const std::string& path) {
    struct stat about {};
    if (fstat(located.get(), &about) != 0) return failed(path, errno);
    if (!S_ISREG(about.st_mode))
        return Error{Errc::invalid, "read \"" + path + "\": it is " +
                                        (S_ISDIR(about.st_mode) ? "a directory" : "no plain file")};
    UniqueFd fd(open(through_proc(located).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return failed(path, errno);
    return fd;
}

}  // namespace

Result<std::vector<FileInfo>> list_files(const std::string& alloc_dir, const std::string& path,
                                         std::size_t files_max) {
    const UniqueFd located = TRY(locate(alloc_dir, path, 0));
    UniqueFd fd(
        open(through_proc(located).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    if (!fd && errno == ENOTDIR)
        return Error{Errc::invalid, "list \"" + path + "\": it is no directory; read it instead"};
    if (!fd) return failed(path, errno);
    const bool top = TRY(path_inside(path)) == ".";
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(fd.get()), closedir);
    if (!folder) return failed(path, errno);
    const int folder_fd = fd.release();  // closedir closes it
    std::vector<FileInfo> out;
    for (const dirent* entry = readdir(folder.get()); entry != nullptr && out.size() < files_max;
         entry = readdir(folder.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (top && name != "alloc" && is_taken_task_name(name)) continue;
        struct stat about {};
        if (fstatat(folder_fd, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0)
            out.push_back(info_of(name, about));
    }
    std::sort(out.begin(), out.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return out;
}

Result<FileInfo> stat_file(const std::string& alloc_dir, const std::string& path) {
    const UniqueFd located = TRY(locate(alloc_dir, path, O_NOFOLLOW));
    struct stat about {};
    if (fstat(located.get(), &about) != 0) return failed(path, errno);
    FileInfo info = info_of(last_part(path), about);
    if (!S_ISREG(about.st_mode)) return info;
    std::array<std::uint8_t, kSniffBytes> first{};
    const Result<UniqueFd> fd = open_regular(located, path);
    const ssize_t got = fd ? pread(fd->get(), first.data(), first.size(), 0) : 0;
    info.content_type = content_type_of(
        info.name, BytesView(first.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
    return info;
}

Result<FileChunk> read_file_part(const std::string& alloc_dir, const std::string& path,
                                 FilePlace from, std::size_t bytes_max) {
    const UniqueFd located = TRY(locate(alloc_dir, path, 0));
    const UniqueFd fd = TRY(open_regular(located, path));
    struct stat about {};
    if (fstat(fd.get(), &about) != 0) return failed(path, errno);
    FileChunk chunk;
    chunk.size = static_cast<std::uint64_t>(about.st_size);
    chunk.from = from.offset;
    if (from.from_end) chunk.from = chunk.size - std::min(from.offset, chunk.size);
    if (chunk.from >= chunk.size) return chunk;
    chunk.data.resize(std::min<std::uint64_t>(bytes_max, chunk.size - chunk.from));
    const ssize_t got =
        pread(fd.get(), chunk.data.data(), chunk.data.size(), static_cast<off_t>(chunk.from));
    if (got < 0)
        return Error{Errc::io, "read \"" + path + "\": " + std::string(std::strerror(errno))};
    chunk.data.resize(static_cast<std::size_t>(got));
    return chunk;
}

}  // namespace gaggle::allocrunner
