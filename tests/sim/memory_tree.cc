#include "tests/sim/memory_tree.h"

#include <algorithm>

namespace gaggle::sim {

using replica::Attributes;
using replica::Named;
using replica::Stat;
using replica::Xattrs;

namespace {

constexpr std::uint64_t kTop = 1;

Error missing(const char* verb, const std::string& path) {
    return {Errc::not_found, std::string(verb) + ' ' + path + ": no such file"};
}

std::string last_name(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

MemoryTree::MemoryTree() {
    live_[kTop].type = Stat::Type::dir;
    durable_ = live_;
}

MemoryTree::Ino MemoryTree::find(const std::string& path) const {
    Ino at = kTop;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const Inode& folder = live_.at(at);
        const auto next = folder.names.find(path.substr(begin, end - begin));
        if (folder.type != Stat::Type::dir || next == folder.names.end()) return 0;
        at = next->second;
        begin = end + 1;
    }
    return at;
}

Result<MemoryTree::Ino> MemoryTree::need(const std::string& path, const char* verb) const {
    if (stopped()) return Error{Errc::io, "the machine has stopped"};
    const Ino ino = find(path);
    if (ino == 0) return missing(verb, path);
    return ino;
}

Result<void> MemoryTree::change(const std::string& path, const char* verb) {
    if (stopped()) return Error{Errc::io, std::string(verb) + ' ' + path + ": the machine stopped"};
    if (stop_after_) --*stop_after_;
    ++changes_;
    ++wall_;
    return {};
}

Result<void> MemoryTree::refuse_when_full(const std::string& path) const {
    if (full_) return Error{Errc::io, "write " + path + ": no space left on device"};
    return {};
}

Result<MemoryTree::Ino> MemoryTree::folder_for(const std::string& path, const char* verb) {
    const Ino folder = TRY(need(replica::parent_of(path), verb));
    if (live_.at(folder).type != Stat::Type::dir) return missing(verb, path);
    TRY(change(path, verb));
    return folder;
}

MemoryTree::Ino MemoryTree::add(Ino folder, const std::string& path, Inode inode) {
    const Ino ino = ++last_;
    inode.links = 1;
    inode.attributes.mtime = wall_;
    live_[ino] = std::move(inode);
    live_[folder].names[last_name(path)] = ino;
    touch(ino, false);
    touch(folder, true);
    return ino;
}

void MemoryTree::touch(Ino ino, bool content) {
    live_[ino].ctime = wall_;
    if (content) live_[ino].attributes.mtime = wall_;
}

Result<std::vector<Named>> MemoryTree::list(const std::string& path) {
    const Ino ino = TRY(need(path, "list"));
    if (live_.at(ino).type != Stat::Type::dir) return missing("list", path);
    std::vector<Named> out;
    for (const auto& [name, inner] : live_.at(ino).names)
        out.push_back({name, TRY(stat(path.empty() ? name : path + '/' + name))});
    return out;
}

Result<Stat> MemoryTree::stat(const std::string& path) {
    const Ino ino = TRY(need(path, "look at"));
    const Inode& inode = live_.at(ino);
    return Stat{.type = inode.type,
                .mode = inode.attributes.mode,
                .uid = inode.attributes.uid,
                .gid = inode.attributes.gid,
                .mtime = inode.attributes.mtime,
                .ctime = inode.ctime,
                .size = inode.content.size(),
                .inode = ino,
                .links = inode.links};
}

Result<Bytes> MemoryTree::read(const std::string& path, std::uint64_t offset, std::uint64_t size) {
    if (on_read_) {
        const auto hook = std::exchange(on_read_, nullptr);  // it may write here itself
        hook(path);
        if (!on_read_) on_read_ = hook;
    }
    const Ino ino = TRY(need(path, "read"));
    if (live_.at(ino).type != Stat::Type::file) return missing("read", path);
    const Bytes& content = live_.at(ino).content;
    const auto begin = std::min<std::uint64_t>(offset, content.size());
    const auto end = begin + std::min<std::uint64_t>(size, content.size() - begin);
    return Bytes(content.begin() + static_cast<std::ptrdiff_t>(begin),
                 content.begin() + static_cast<std::ptrdiff_t>(end));
}

Result<std::string> MemoryTree::read_link(const std::string& path) {
    const Ino ino = TRY(need(path, "read link"));
    if (live_.at(ino).type != Stat::Type::symlink) return missing("read link", path);
    return live_.at(ino).target;
}

Result<Xattrs> MemoryTree::xattrs(const std::string& path) {
    return live_.at(TRY(need(path, "read attributes of"))).attributes.xattrs;
}

Result<void> MemoryTree::make_dir(const std::string& path) {
    const Ino known = find(path);
    if (known != 0 && live_.at(known).type == Stat::Type::dir) return {};
    const Ino folder = TRY(folder_for(path, "make folder"));
    if (known != 0) return Error{Errc::io, "make folder " + path + ": something else is there"};
    TRY(refuse_when_full(path));
    add(folder, path, {.type = Stat::Type::dir, .attributes = {.mode = 0755}});
    return {};
}

Result<void> MemoryTree::make_file(const std::string& path, std::uint64_t size) {
    const Ino folder = TRY(folder_for(path, "make file"));
    Ino ino = find(path);
    if (ino != 0 && live_.at(ino).type != Stat::Type::file)
        return Error{Errc::io, "make file " + path + ": something else is there"};
    TRY(refuse_when_full(path));
    if (ino == 0) ino = add(folder, path, {.attributes = {.mode = 0600}});
    live_[ino].content.resize(size);
    touch(ino, true);
    return {};
}

Result<void> MemoryTree::write(const std::string& path, std::uint64_t offset, BytesView bytes) {
    const Ino ino = TRY(need(path, "write"));
    TRY(change(path, "write"));
    TRY(refuse_when_full(path));
    Bytes& content = live_[ino].content;
    content.resize(std::max<std::size_t>(content.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
    touch(ino, true);
    return {};
}

Result<void> MemoryTree::punch(const std::string& path, std::uint64_t offset, std::uint64_t size) {
    return write(path, offset, Bytes(size));
}

Result<void> MemoryTree::make_symlink(const std::string& path, const std::string& target) {
    const Ino folder = TRY(folder_for(path, "make link"));
    if (find(path) != 0) return Error{Errc::io, "make link " + path + ": something is there"};
    add(folder, path, {.type = Stat::Type::symlink, .target = target});
    return {};
}

Result<void> MemoryTree::make_hardlink(const std::string& path, const std::string& existing) {
    const Ino folder = TRY(folder_for(path, "link"));
    const Ino ino = TRY(need(existing, "link"));
    if (find(path) != 0) return Error{Errc::io, "link " + path + ": something is there"};
    live_[folder].names[last_name(path)] = ino;
    ++live_[ino].links;
    touch(ino, false);
    touch(folder, true);
    return {};
}

Result<void> MemoryTree::set_attributes(const std::string& path, const Attributes& attributes) {
    const Ino ino = TRY(need(path, "set attributes of"));
    TRY(change(path, "set attributes of"));
    live_[ino].attributes = attributes;
    touch(ino, false);
    return {};
}

void MemoryTree::unlink(Ino folder, const std::string& name) {
    const Ino ino = live_[folder].names.at(name);
    live_[folder].names.erase(name);
    touch(folder, true);
    if (--live_[ino].links == 0)
        live_.erase(ino);
    else
        touch(ino, false);
}

Result<void> MemoryTree::rename(const std::string& from, const std::string& to) {
    const Ino ino = TRY(need(from, "rename"));
    const Ino target = TRY(folder_for(to, "rename"));
    const Ino source = find(replica::parent_of(from));
    const Ino there = find(to);
    if (there == ino) return {};
    if (there != 0 && !live_.at(there).names.empty())
        return Error{Errc::io, "rename " + from + " to " + to + ": directory not empty"};
    if (there != 0) unlink(target, last_name(to));
    live_[target].names[last_name(to)] = ino;
    live_[source].names.erase(last_name(from));
    touch(target, true);
    touch(source, true);
    return {};
}

Result<void> MemoryTree::remove(const std::string& path) {
    const Ino ino = TRY(need(path, "remove"));
    const Ino folder = TRY(folder_for(path, "remove"));
    if (!live_.at(ino).names.empty())
        return Error{Errc::io, "remove " + path + ": directory not empty"};
    unlink(folder, last_name(path));
    return {};
}

Result<void> MemoryTree::sync(const std::string& path) {
    const Ino synced = TRY(need(path, "sync"));
    TRY(change(path, "sync"));
    std::map<Ino, Inode> durable = live_;
    for (auto& [ino, inode] : durable) {
        const auto before = durable_.find(ino);
        if (ino != synced && inode.type == Stat::Type::file)
            inode.content = before == durable_.end() ? Bytes() : before->second.content;
    }
    durable_ = std::move(durable);
    return {};
}

Result<void> MemoryTree::sync_all() {
    TRY(change("", "sync"));
    durable_ = live_;
    return {};
}

void MemoryTree::crash(Rng& rng) {
    std::map<Ino, Inode> after = rng.chance(0.5) ? live_ : durable_;
    for (auto& [ino, inode] : after) {
        if (inode.type != Stat::Type::file) continue;
        const auto written = live_.find(ino);
        const auto synced = durable_.find(ino);
        if (written != live_.end() && rng.chance(0.5))
            inode.content = written->second.content;
        else
            inode.content = synced == durable_.end() ? Bytes() : synced->second.content;
    }
    live_ = after;
    durable_ = std::move(after);
    stop_after_.reset();
    full_ = false;
}

void MemoryTree::damage(const std::string& path, std::uint64_t offset) {
    const Ino ino = find(path);
    INVARIANT(ino != 0 && offset < live_.at(ino).content.size());
    live_[ino].content[offset] ^= 0x55U;
    durable_[ino].content = live_[ino].content;
}

}  // namespace gaggle::sim
