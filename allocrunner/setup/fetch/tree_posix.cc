#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "allocrunner/setup/fetch/entry_path.h"
#include "allocrunner/setup/fetch/tree.h"

namespace gaggle::setup {

namespace {

constexpr int kDepthMax = 200;

Error failure(const std::string& what) {
    const char* next = errno == ENOSPC ? "; free some space on that disk" : "";
    return {Errc::io, what + ": " + std::strerror(errno) + next};
}

UniqueFd open_plain(int root, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return UniqueFd(static_cast<int>(
        syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how)));
}

UniqueFd open_folder(int parent, const char* name) {
    return UniqueFd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Result<std::vector<std::string>> names_in(int folder) {
    const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(copy < 0 ? nullptr : fdopendir(copy), closedir);
    if (!list) return failure("list a directory");
    std::vector<std::string> out;
    for (const dirent* one = readdir(list.get()); one != nullptr; one = readdir(list.get())) {
        const std::string name = one->d_name;
        if (name != "." && name != "..") out.push_back(name);
    }
    return out;
}

Result<std::string> target_of(int folder, const std::string& name) {
    std::string out(PATH_MAX, '\0');
    const ssize_t size = readlinkat(folder, name.c_str(), out.data(), out.size());
    if (size < 0) return failure("read link " + name);
    out.resize(static_cast<std::size_t>(size));
    return out;
}

Result<void> remove_entries(int folder, int depth) {
    if (depth > kDepthMax) return {Errc::invalid, "directories nest too deeply to be removed"};
    for (const std::string& name : TRY(names_in(folder))) {
        if (unlinkat(folder, name.c_str(), 0) == 0) continue;
        const UniqueFd inner = open_folder(folder, name.c_str());
        if (!inner) return failure("remove " + name);
        TRY(remove_entries(inner.get(), depth + 1));
        if (unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) return failure("remove " + name);
    }
    return {};
}

/// `left` is what may still come.
Result<void> check_entries(int folder, const std::string& path, int depth, TreeLimits& left) {
    if (depth > kDepthMax) return {Errc::denied, "directories nest too deeply"};
    for (const std::string& name : TRY(names_in(folder))) {
        const std::string whole = path.empty() ? name : path + "/" + name;
        struct stat about {};
        if (fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
            return failure("look at " + whole);
        left.bytes_max -= S_ISREG(about.st_mode) ? about.st_size : 0;
        if (--left.files_max < 0) return {Errc::invalid, "what was fetched has too many entries"};
        if (left.bytes_max < 0) return {Errc::invalid, "what was fetched is too large"};
        if (S_ISLNK(about.st_mode)) {
            TRY(check_link(whole, TRY(target_of(folder, name))));
        } else if (S_ISDIR(about.st_mode)) {
            const UniqueFd inner = open_folder(folder, name.c_str());
            if (!inner) return failure("open " + whole);
            TRY(check_entries(inner.get(), whole, depth + 1, left));
        } else if (!S_ISREG(about.st_mode) || (about.st_mode & (S_ISUID | S_ISGID)) != 0) {
            return {Errc::denied,
                    "\"" + whole + "\" is no plain file or runs with another's rights"};
        }
    }
    return {};
}

bool is_folder(int parent, const std::string& name) {
    struct stat about {};
    return fstatat(parent, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(about.st_mode);
}

Result<void> give(int folder, const std::string& name, NewOwner owner) {
    if (owner.uid < 0 && owner.gid < 0) return {};
    if (fchownat(folder, name.c_str(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid),
                 AT_SYMLINK_NOFOLLOW) != 0)
        return failure("give " + name + " to the task's user");
    return {};
}

Result<void> merge_entries(int from, int to, NewOwner owner, int depth) {
    if (depth > kDepthMax) return {Errc::invalid, "directories nest too deeply"};
    for (const std::string& name : TRY(names_in(from))) {
        TRY(give(from, name, owner));
        const bool folder = is_folder(from, name);
        if (folder && mkdirat(to, name.c_str(), 0755) != 0 && errno != EEXIST)
            return failure("make directory " + name);
        if (!folder) {
            if (is_folder(to, name))
                return {Errc::invalid, "\"" + name + "\" is a file here and a directory there"};
            if (renameat(from, name.c_str(), to, name.c_str()) != 0) return failure("move " + name);
            continue;
        }
        const UniqueFd source = open_folder(from, name.c_str());
        const UniqueFd target = open_folder(to, name.c_str());
        if (!source || !target) return failure("join directory " + name);
        TRY(give(to, name, owner));
        TRY(merge_entries(source.get(), target.get(), owner, depth + 1));
    }
    return {};
}

}  // namespace

Result<Tree> Tree::make(int parent, const std::string& name, TreeLimits limits) {
    TRY(remove_tree(parent, name));
    if (mkdirat(parent, name.c_str(), 0700) != 0) return failure("make directory " + name);
    Tree out;
    out.root_ = open_folder(parent, name.c_str());
    out.limits_ = limits;
    if (!out.root_) return failure("open " + name);
    return out;
}

Result<void> Tree::count() {
    if (++files_ <= limits_.files_max) return {};
    return {Errc::denied, "more than " + std::to_string(limits_.files_max) + " entries"};
}

Result<UniqueFd> Tree::parent_of(const std::string& path, std::string& name) {
    const std::size_t slash = path.rfind('/');
    name = path.substr(slash + 1);  // npos + 1 is 0
    if (slash == std::string::npos) return open_plain(root_.get(), "", O_RDONLY | O_DIRECTORY);
    const std::string parent = path.substr(0, slash);
    UniqueFd there = open_plain(root_.get(), parent, O_RDONLY | O_DIRECTORY);
    if (there) return there;
    if (errno != ENOENT) return failure("open directory " + parent);
    TRY(folder(parent));
    there = open_plain(root_.get(), parent, O_RDONLY | O_DIRECTORY);
    if (!there) return failure("open directory " + parent);
    return there;
}

Result<void> Tree::folder(const std::string& path) {
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t slash = std::min(path.find('/', at), path.size());
        const std::string part = path.substr(0, slash);
        const UniqueFd parent =
            open_plain(root_.get(), at == 0 ? "" : path.substr(0, at - 1), O_RDONLY | O_DIRECTORY);
        if (!parent) return failure("make directory " + part);
        if (mkdirat(parent.get(), part.substr(at).c_str(), 0755) == 0)
            TRY(count());
        else if (errno != EEXIST || !is_folder(parent.get(), part.substr(at)))
            return failure("make directory " + part);
        at = slash + 1;
    }
    return {};
}

Result<void> Tree::begin_file(const std::string& path, bool executable) {
    TRY(count());
    std::string name;
    const UniqueFd parent = TRY(parent_of(path, name));
    unlinkat(parent.get(), name.c_str(), 0);  // of two entries with one name the last one counts
    file_.reset(openat(parent.get(), name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file_ || fchmod(file_.get(), executable ? 0755 : 0644) != 0)
        return failure("make " + path);
    file_path_ = path;
    return {};
}

Result<void> Tree::write(std::string_view bytes) {
    bytes_ += static_cast<std::int64_t>(bytes.size());
    if (bytes_ > limits_.bytes_max)
        return {Errc::denied, "more than " + std::to_string(limits_.bytes_max) + " bytes"};
    while (!bytes.empty()) {
        const ssize_t part = ::write(file_.get(), bytes.data(), bytes.size());
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return failure("write " + file_path_);
        bytes.remove_prefix(static_cast<std::size_t>(part));
    }
    return {};
}

Result<void> Tree::end_file() {
    file_.reset();
    return {};
}

Result<void> Tree::link(const std::string& path, const std::string& target) {
    TRY(count());
    TRY(check_link(path, target));
    std::string name;
    const UniqueFd parent = TRY(parent_of(path, name));
    unlinkat(parent.get(), name.c_str(), 0);
    if (symlinkat(target.c_str(), parent.get(), name.c_str()) != 0) return failure("link " + path);
    return {};
}

Result<void> Tree::hard_link(const std::string& path, const std::string& target) {
    TRY(count());
    std::string from, to;
    const UniqueFd source = TRY(parent_of(target, from));
    const UniqueFd parent = TRY(parent_of(path, to));
    struct stat about {};
    if (fstatat(source.get(), from.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(about.st_mode))
        return {Errc::denied,
                "link \"" + path + "\" is to \"" + target + "\", which is no file here"};
    unlinkat(parent.get(), to.c_str(), 0);
    if (linkat(source.get(), from.c_str(), parent.get(), to.c_str(), 0) != 0)
        return failure("link " + path);
    return {};
}

Result<void> remove_tree(int parent, const std::string& name) {
    if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    const UniqueFd folder = open_folder(parent, name.c_str());
    if (!folder) return failure("remove " + name);
    TRY(remove_entries(folder.get(), 0));
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return failure("remove " + name);
    return {};
}

Result<void> check_tree(int root, TreeLimits limits) { return check_entries(root, "", 0, limits); }

Result<UniqueFd> open_part(int root, const std::string& part) {
    UniqueFd out = open_plain(root, part, O_RDONLY | O_DIRECTORY);
    if (out) return out;
    return Error{Errc::not_found, "there is no directory \"" + part + "\" in what was fetched"};
}

Result<void> merge_tree(int from, int to, NewOwner owner) {
    return merge_entries(from, to, owner, 0);
}

Result<std::string> only_file(int root) {
    const auto names = TRY(names_in(root));
    struct stat about {};
    const bool plain = names.size() == 1 &&
                       fstatat(root, names[0].c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 &&
                       S_ISREG(about.st_mode);
    if (plain) return names[0];
    return Error{Errc::invalid, "mode \"file\" wants exactly one file; use mode \"dir\""};
}

}  // namespace gaggle::setup
