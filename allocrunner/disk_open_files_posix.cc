#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "allocrunner/disk_open_files.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::string_view kVariable = "NOMAD_ALLOC_ID=";
/// Where a task with a root of its own meets its allocation's directory.
constexpr std::string_view kInContainers[] = {"/alloc/", "/local/", "/secrets/", "/tmp/"};

class Search {
  public:
    Search(const std::string& root, const std::set<AllocId>& allocs)
        : root_(root + "/"), allocs_(allocs) {
        struct stat about {};
        if (::stat(root.c_str(), &about) == 0) device_ = about.st_dev;
    }

    void process(const std::string& pid);
    DiskWatch::OpenFiles take() { return std::move(out_); }

  private:
    void descriptors(const UniqueFd& process);
    void mappings(const UniqueFd& process);
    void file(int folder, const char* link, std::string_view path);
    std::optional<AllocId> owner(std::string_view path);
    std::optional<AllocId> owner_by_environment();

    std::string root_;
    const std::set<AllocId>& allocs_;
    std::optional<dev_t> device_;
    std::string pid_;
    std::optional<std::optional<AllocId>> environment_;  ///< of pid_, once it was read
    std::set<std::pair<dev_t, ino_t>> seen_;
    DiskWatch::OpenFiles out_;
};

void Search::process(const std::string& pid) {
    const UniqueFd folder(::open(("/proc/" + pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return;
    pid_ = pid;
    environment_.reset();
    descriptors(folder);
    mappings(folder);
}

void Search::descriptors(const UniqueFd& process) {
    const int fd = ::openat(process.get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(fd < 0 ? nullptr : ::fdopendir(fd),
                                                     ::closedir);
    if (!folder) return;
    std::array<char, 4096> path{};
    while (const dirent* entry = ::readdir(folder.get())) {
        if (entry->d_name[0] == '.') continue;
        ++out_.looked_at;
        const ssize_t size =
            ::readlinkat(::dirfd(folder.get()), entry->d_name, path.data(), path.size());
        if (size > 0 && path[0] == '/')
            file(::dirfd(folder.get()), entry->d_name, {path.data(), static_cast<size_t>(size)});
    }
}

/// A line of maps is "begin-end perms offset device inode   path"; the file behind it is reached
/// through map_files, by root only.
void Search::mappings(const UniqueFd& process) {
    const int fd = ::openat(process.get(), "map_files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const UniqueFd folder(fd);
    if (!folder) return;
    std::ifstream maps("/proc/" + pid_ + "/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t slash = line.find('/');
        if (slash == std::string::npos) continue;
        const std::string_view path = std::string_view(line).substr(slash);
        if (!path.starts_with(root_) && !path.ends_with(" (deleted)")) continue;
        ++out_.looked_at;
        file(folder.get(), line.substr(0, line.find(' ')).c_str(), path);
    }
}

void Search::file(int folder, const char* link, std::string_view path) {
    const auto alloc = owner(path);
    struct stat about {};
    if (!alloc || ::fstatat(folder, link, &about, 0) != 0 || !S_ISREG(about.st_mode)) return;
    const bool by_path = path.starts_with(root_);
    if (!by_path && (!device_ || about.st_dev != *device_)) return;
    if (!seen_.emplace(about.st_dev, about.st_ino).second) return;
    DiskWatch::OpenUse& use = out_.found[*alloc];
    const auto bytes = static_cast<std::uint64_t>(about.st_blocks) * 512;
    use.bytes += bytes;
    if (about.st_nlink == 0) use.nameless += bytes + kInodeBytes;
}

std::optional<AllocId> Search::owner(std::string_view path) {
    std::optional<AllocId> id;
    if (path.starts_with(root_)) {
        const std::string_view below = path.substr(root_.size());
        id = parse_id<AllocId>(below.substr(0, below.find('/')));
    } else {
        for (const std::string_view prefix : kInContainers)
            if (!id && path.starts_with(prefix)) id = owner_by_environment();
    }
    return id && allocs_.contains(*id) ? id : std::nullopt;
}

std::optional<AllocId> Search::owner_by_environment() {
    if (environment_) return *environment_;
    environment_.emplace();
    std::ifstream file("/proc/" + pid_ + "/environ", std::ios::binary);
    for (std::string variable; std::getline(file, variable, '\0');)
        if (variable.starts_with(kVariable))
            environment_ = parse_id<AllocId>(std::string_view(variable).substr(kVariable.size()));
    return *environment_;
}

}  // namespace

DiskWatch::OpenFiles look_at_open_files(const std::string& root, const std::set<AllocId>& allocs) {
    Search search(root, allocs);
    const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
    const std::string self = std::to_string(::getpid());
    while (const dirent* entry = processes ? ::readdir(processes.get()) : nullptr)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && self != entry->d_name)
            search.process(entry->d_name);
    return search.take();
}

}  // namespace gaggle::allocrunner
