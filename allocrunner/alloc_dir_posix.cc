#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "allocrunner/alloc_dir.h"
#include "base/hash.h"
#include "base/unique_fd.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kMagicSize = 8;
constexpr std::size_t kSealSize = kMagicSize + sizeof(std::uint64_t);
constexpr std::size_t kSealedMax = 16U << 20U;

Error io_error(const std::string& what, int error = errno) {
    const Errc code = error == ENOENT ? Errc::not_found : Errc::io;
    const char* next = error == ENOSPC ? "; free some space on the data directory's disk" : "";
    return {code, what + ": " + std::strerror(error) + next};
}

const char* name_of(SealedFile which) { return which == SealedFile::order ? "order" : "state"; }
const char* magic_of(SealedFile which) {
    return which == SealedFile::order ? "GGORDER1" : "GGSTATE1";
}

Result<void> write_all(int fd, BytesView bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t part = write(fd, bytes.data(), bytes.size());
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return io_error("write " + path);
        bytes = bytes.subspan(static_cast<std::size_t>(part));
    }
    return {};
}

bool is_empty_folder(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_empty(path, ignored);
}

/// Renames what `from` holds to `to`, a folder that was just made. Nothing happens to state that
/// is there already: an earlier try got so far.
Result<bool> take_over(const std::string& from, const std::string& to) {
    if (!is_empty_folder(to)) return true;
    if (rename(from.c_str(), to.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return io_error("rename " + from + " to " + to);
}

Result<std::string> restore_from(const std::string& alloc_root, const Order& order) {
    const std::string from = alloc_root + "/" + to_string(order.restore.previous);
    const std::string to = alloc_root + "/" + to_string(order.alloc);
    std::string taken;
    std::vector<std::string> folders = {"alloc/data"};
    for (const Task& task : order.group.tasks) folders.push_back(task.name + "/local");
    for (const std::string& folder : folders)
        if (TRY(take_over(from + "/" + folder, to + "/" + folder)))
            taken += (taken.empty() ? "" : ", ") + folder;
    const std::string whose = "allocation " + short_text(order.restore.previous);
    if (taken.empty()) return "No state of " + whose + " is on this peer; starts empty";
    return "Took over state of " + whose + ": " + taken;
}

Result<void> make_folders(const std::string& dir, const Order& order) {
    struct Folder {
        std::string path;
        unsigned mode;
    };
    std::vector<Folder> folders = {
        {"", 0755},           {"/exit", 0700},       {"/shim", 0700},
        {"/alloc", 0777},     {"/alloc/data", 0777}, {"/alloc/logs", 0777},
        {"/alloc/tmp", 0777},
    };
    for (const Task& task : order.group.tasks)
        for (const Folder& one : {Folder{"", 0755}, Folder{"/local", 0777}, Folder{"/tmp", 01777},
                                  Folder{"/secrets", 0700}})
            folders.push_back({"/" + task.name + one.path, one.mode});
    for (const Folder& folder : folders) TRY(make_folder(dir + folder.path, folder.mode));
    return {};
}

}  // namespace

Result<void> make_folder(const std::string& path, unsigned mode) {
    const auto in_its_place = [&] {
        return Error{Errc::io, "make directory " + path + ": something else is in its place"};
    };
    if (mkdir(path.c_str(), mode) != 0) {
        struct stat about {};
        if (errno != EEXIST) return io_error("make directory " + path);
        if (lstat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) return in_its_place();
        return {};
    }
    // A task that owns the folder above may have put a link here since.
    const UniqueFd made(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return in_its_place();
    if (fchmod(made.get(), mode) != 0) return io_error("set the mode of " + path);  // umask
    return {};
}

Result<std::string> make_alloc_dir(const std::string& alloc_root, const Order& order,
                                   Restoring restoring) {
    const std::string dir = alloc_root + "/" + to_string(order.alloc);
    TRY(make_folders(dir, order));
    TRY(save_sealed(dir, SealedFile::order, encode(order)));
    const bool from_alloc = order.restore.kind == Restore::Kind::from_alloc;
    if (!from_alloc || restoring == Restoring::settled) return std::string();
    return restore_from(alloc_root, order);
}

Result<void> save_sealed(const std::string& alloc_dir, SealedFile which, BytesView bytes) {
    const std::string path = alloc_dir + "/" + name_of(which);
    const std::string draft = path + ".new";
    Bytes sealed = to_bytes(magic_of(which));
    const std::uint64_t sum = checksum64(bytes);
    const auto* first = reinterpret_cast<const std::uint8_t*>(&sum);
    sealed.insert(sealed.end(), first, first + sizeof sum);
    sealed.insert(sealed.end(), bytes.begin(), bytes.end());
    UniqueFd fd(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return io_error("open " + draft);
    TRY(write_all(fd.get(), sealed, draft));
    if (fsync(fd.get()) != 0) return io_error("sync " + draft);
    if (rename(draft.c_str(), path.c_str()) != 0) return io_error("rename " + draft);
    if (which == SealedFile::state) return {};  // an older one costs nothing but history
    const UniqueFd folder(open(alloc_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || fsync(folder.get()) != 0) return io_error("sync " + alloc_dir);
    return {};
}

Result<Bytes> load_sealed(const std::string& alloc_dir, SealedFile which) {
    const std::string path = alloc_dir + "/" + name_of(which);
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat about {};
    if (!fd || fstat(fd.get(), &about) != 0) return io_error("open " + path);
    const auto size = static_cast<std::size_t>(about.st_size);
    const auto damaged = [&](const char* why) { return Error{Errc::corrupt, path + ": " + why}; };
    if (size < kSealSize || size > kSealedMax)
        return damaged("its size is not that of such a file");
    Bytes bytes(size);
    for (std::size_t have = 0; have < size;) {
        const ssize_t got = read(fd.get(), bytes.data() + have, size - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error("read " + path);
        if (got == 0) return damaged("it shrank while it was read");
        have += static_cast<std::size_t>(got);
    }
    if (std::memcmp(bytes.data(), magic_of(which), kMagicSize) != 0)
        return damaged("it is of another kind or version");
    std::uint64_t sum = 0;
    std::memcpy(&sum, bytes.data() + kMagicSize, sizeof sum);
    bytes.erase(bytes.begin(), bytes.begin() + kSealSize);
    if (sum != checksum64(bytes)) return damaged("its checksum is wrong");
    return bytes;
}

Result<void> remove_alloc_dir(const std::string& alloc_dir) {
    // What a task still writes while it is killed can appear anew; a few rounds see the end of it.
    constexpr int kRounds = 3;
    std::error_code error;
    for (int round = 0; round < kRounds; ++round) {
        std::filesystem::remove_all(alloc_dir, error);
        if (!error) return {};
    }
    return {Errc::io, "remove " + alloc_dir + ": " + error.message()};
}

Result<std::vector<AllocId>> list_alloc_dirs(const std::string& alloc_root) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(alloc_root.c_str()), closedir);
    if (!folder) return io_error("open " + alloc_root);
    std::vector<AllocId> out;
    for (const dirent* entry = readdir(folder.get()); entry != nullptr;
         entry = readdir(folder.get()))
        if (const auto id = parse_id<AllocId>(entry->d_name)) out.push_back(*id);
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::string> started_tasks(const std::string& alloc_dir) {
    std::vector<std::string> out;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir((alloc_dir + "/exit").c_str()),
                                                     closedir);
    for (const dirent* entry = folder ? readdir(folder.get()) : nullptr; entry != nullptr;
         entry = readdir(folder.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace gaggle::allocrunner
