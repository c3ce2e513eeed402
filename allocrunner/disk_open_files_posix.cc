#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "allocrunner/disk_open_files.h"
#include "base/mount_table.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

using Mounts = std::map<std::uint64_t, MountLine>;

Mounts mounts_of(const std::string& pid) {
    Mounts out;
    std::ifstream file("/proc/" + pid + "/mountinfo");
    for (std::string text; std::getline(file, text);)
        if (auto line = parse_mount_line(text)) out.emplace(line->id, std::move(*line));
    return out;
}

std::string mount_namespace(const std::string& pid) {
    std::array<char, 64> text{};
    const ssize_t size =
        ::readlink(("/proc/" + pid + "/ns/mnt").c_str(), text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

struct FileFacts {
    std::uint64_t device = 0, inode = 0, blocks = 0, mount = 0;
    std::uint32_t links = 0;
    bool regular = false;
};

std::optional<FileFacts> facts_of(int folder, const char* link) {
    struct statx about {};
    constexpr unsigned kWanted = STATX_BASIC_STATS | STATX_MNT_ID;
    if (::statx(folder, link, AT_STATX_DONT_SYNC, kWanted, &about) != 0) return std::nullopt;
    return FileFacts{.device = (std::uint64_t(about.stx_dev_major) << 32U) | about.stx_dev_minor,
                     .inode = about.stx_ino,
                     .blocks = about.stx_blocks,
                     .mount = about.stx_mnt_id,
                     .links = about.stx_nlink,
                     .regular = S_ISREG(about.stx_mode)};
}

class Search {
  public:
    Search(const std::string& root, const std::set<AllocId>& allocs)
        : root_(root + "/"), namespace_(mount_namespace("self")), allocs_(allocs) {
        const auto about = facts_of(AT_FDCWD, root.c_str());
        const Mounts ours = mounts_of("self");
        const auto at = about ? ours.find(about->mount) : ours.end();
        if (at == ours.end()) return;
        device_ = about->device;
        root_on_device_ = at->second.on_file_system(root) + "/";
    }

    void process(const std::string& pid);
    DiskWatch::OpenFiles take() { return std::move(out_); }

  private:
    void descriptors(const UniqueFd& process);
    void mappings(const UniqueFd& process);
    void file(int folder, const char* link, std::string_view path);
    std::optional<AllocId> owner(std::string_view below) const;
    std::optional<std::string> place_on_device(const FileFacts& file, std::string_view path);

    std::string root_;
    std::string namespace_;
    const std::set<AllocId>& allocs_;
    std::optional<std::uint64_t> device_;
    std::string root_on_device_;  ///< root_, as a path in its file system
    std::string pid_;
    bool elsewhere_ = false;        ///< pid_ sees other mounts than this process
    std::optional<Mounts> mounts_;  ///< of pid_, once they were read
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
    DiskWatch::OpenFiles out_;
};

void Search::process(const std::string& pid) {
    const UniqueFd folder(::open(("/proc/" + pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return;
    pid_ = pid;
    elsewhere_ = mount_namespace(pid) != namespace_;
    mounts_.reset();
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
        if (!path.starts_with(root_) && !elsewhere_) continue;
        ++out_.looked_at;
        file(folder.get(), line.substr(0, line.find(' ')).c_str(), path);
    }
}

void Search::file(int folder, const char* link, std::string_view path) {
    const bool by_path = path.starts_with(root_);
    if (!by_path && !elsewhere_) return;
    const auto about = facts_of(folder, link);
    if (!about || !about->regular) return;
    std::optional<AllocId> alloc;
    if (by_path)
        alloc = owner(path.substr(root_.size()));
    else if (const auto place = place_on_device(*about, path))
        alloc = owner(std::string_view(*place).substr(root_on_device_.size()));
    if (!alloc || !seen_.emplace(about->device, about->inode).second) return;
    DiskWatch::OpenUse& use = out_.found[*alloc];
    const std::uint64_t bytes = about->blocks * 512;
    use.bytes += bytes;
    if (about->links == 0) use.nameless += bytes + kInodeBytes;
}

/// Whose it is that lies there beneath the root of all allocations.
std::optional<AllocId> Search::owner(std::string_view below) const {
    const auto id = parse_id<AllocId>(below.substr(0, below.find('/')));
    return id && allocs_.contains(*id) ? id : std::nullopt;
}

/// Where pid_ has its file, when that is beneath root_on_device_.
std::optional<std::string> Search::place_on_device(const FileFacts& file, std::string_view path) {
    if (!device_ || file.device != *device_) return std::nullopt;
    if (!mounts_) {
        mounts_ = mounts_of(pid_);
        out_.looked_at += mounts_->size();
    }
    const auto mount = mounts_->find(file.mount);
    if (mount == mounts_->end()) return std::nullopt;
    std::string place = mount->second.on_file_system(path);
    return place.starts_with(root_on_device_) ? std::optional(place) : std::nullopt;
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
