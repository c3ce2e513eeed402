#include <leveldb/env.h>

#include <map>
#include <optional>
#include <set>

#include "base/assert.h"
#include "base/hash.h"
#include "tests/sim/disk.h"

namespace gaggle::sim {

namespace {

using leveldb::Slice;
using leveldb::Status;

struct Inode {
    bool directory = false;
    Bytes bytes;
    std::size_t synced = 0;                  ///< a prefix of `bytes` that is durable
    std::optional<Bytes> before_truncation;  ///< durable until the truncated file is synced
    bool hole = false;                       ///< a sync failed: nothing more becomes durable
};
// Shared because an open handle keeps a removed file alive, as an open descriptor does.
using InodePtr = std::shared_ptr<Inode>;
using Names = std::map<std::string, InodePtr>;

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

/// What is left of a file after the power came back.
void forget_unsynced(Inode& inode, Rng& rng) {
    if (inode.before_truncation && rng.chance(0.5)) {
        inode.bytes = *inode.before_truncation;
    } else {
        const std::size_t tail = inode.bytes.size() - inode.synced;
        const std::size_t torn = inode.hole || rng.chance(0.5) ? 0 : rng.below(tail + 1);
        inode.bytes.resize(inode.synced + torn);
    }
    inode.synced = inode.bytes.size();
    inode.before_truncation.reset();
    inode.hole = false;
}

}  // namespace

struct SimDisk::Impl final : public leveldb::Env {
    Names now, durable;
    std::set<std::string> locks;
    std::uint64_t boots = 0;                              ///< of the process or the machine
    std::vector<std::unique_ptr<leveldb::Env>> sessions;  ///< the last one lives
    std::uint64_t changes = 0, trace = 0;
    Fault waiting = Fault::none, active = Fault::none;
    std::uint64_t strikes_at = 0;

    Status lost() const { return Status::IOError("the simulated process is dead"); }

    /// Counts a change, and says whether the world lets it happen.
    Status change(std::string_view what, const std::string& path, BytesView data = {}) {
        if (active == Fault::power_lost) return lost();
        trace = checksum64(checksum64(trace, as_bytes(what)), as_bytes(path));
        trace = checksum64(trace, data);
        if (waiting != Fault::none && changes >= strikes_at) {
            const bool fits =
                waiting == Fault::power_lost || (waiting == Fault::sync_fails) == (what == "sync");
            if (fits) active = std::exchange(waiting, Fault::none);
        }
        ++changes;
        if (active == Fault::power_lost) return lost();
        const bool grows = what == "append" || what == "create" || what == "mkdir";
        if (active == Fault::no_space && grows) return Status::IOError(path, "no space left");
        if (active == Fault::sync_fails && what == "sync") {
            active = Fault::none;
            return Status::IOError(path, "input/output error");
        }
        return Status::OK();
    }

    Inode* find(const std::string& path) const {
        const auto found = now.find(path);
        return found == now.end() ? nullptr : found->second.get();
    }
    Status found(const std::string& path) const {
        if (active == Fault::power_lost) return lost();
        return find(path) ? Status::OK() : Status::NotFound(path, "no such file");
    }
    bool has_parent(const std::string& path) const {
        const std::string parent = parent_of(path);
        return parent == "/" || (find(parent) && find(parent)->directory);
    }

    Status NewSequentialFile(const std::string&, leveldb::SequentialFile**) override;
    Status NewRandomAccessFile(const std::string&, leveldb::RandomAccessFile**) override;
    Status NewWritableFile(const std::string&, leveldb::WritableFile**) override;
    bool FileExists(const std::string& path) override { return find(path) != nullptr; }
    Status GetChildren(const std::string& directory, std::vector<std::string>* out) override;
    Status RemoveFile(const std::string& path) override;
    Status CreateDir(const std::string& path) override;
    Status RemoveDir(const std::string& path) override { return RemoveFile(path); }
    Status GetFileSize(const std::string& path, std::uint64_t* size) override;
    Status RenameFile(const std::string& from, const std::string& to) override;
    Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
    Status UnlockFile(leveldb::FileLock* lock) override;
    /// The store's environment holds LevelDB's jobs back and runs them itself.
    void Schedule(void (*)(void*), void*) override { INVARIANT(!"background work on its own"); }
    void StartThread(void (*)(void*), void*) override { INVARIANT(!"a thread in a simulation"); }
    Status GetTestDirectory(std::string*) override { return Status::NotSupported("no directory"); }
    Status NewLogger(const std::string&, leveldb::Logger** out) override {
        *out = nullptr;
        return Status::NotSupported("no log of LevelDB's own");
    }
    std::uint64_t NowMicros() override { return 0; }
    void SleepForMicroseconds(int) override {}
};

namespace {

class Sequential final : public leveldb::SequentialFile {
  public:
    explicit Sequential(InodePtr inode) : inode_(std::move(inode)) {}
    Status Read(std::size_t wanted, Slice* result, char* scratch) override {
        const std::size_t length = std::min(wanted, inode_->bytes.size() - at_);
        std::copy_n(inode_->bytes.begin() + static_cast<std::ptrdiff_t>(at_), length, scratch);
        at_ += length;
        *result = Slice(scratch, length);
        return Status::OK();
    }
    Status Skip(std::uint64_t count) override {
        at_ = std::min<std::size_t>(at_ + count, inode_->bytes.size());
        return Status::OK();
    }

  private:
    InodePtr inode_;
    std::size_t at_ = 0;
};

class RandomAccess final : public leveldb::RandomAccessFile {
  public:
    explicit RandomAccess(InodePtr inode) : inode_(std::move(inode)) {}
    Status Read(std::uint64_t offset, std::size_t wanted, Slice* result,
                char* scratch) const override {
        if (offset > inode_->bytes.size()) return Status::IOError("read behind the file's end");
        const std::size_t length = std::min<std::size_t>(wanted, inode_->bytes.size() - offset);
        std::copy_n(inode_->bytes.begin() + static_cast<std::ptrdiff_t>(offset), length, scratch);
        *result = Slice(scratch, length);
        return Status::OK();
    }

  private:
    InodePtr inode_;
};

/// The disk as one life of a process sees it; afterwards it may change nothing more.
template <class Disk>
class Session final : public leveldb::EnvWrapper {
  public:
    explicit Session(Disk& disk) : EnvWrapper(&disk), disk_(disk), boot_(disk.boots) {}

    Status NewWritableFile(const std::string& path, leveldb::WritableFile** out) override {
        *out = nullptr;
        return dead() ? disk_.lost() : disk_.NewWritableFile(path, out);
    }
    Status RemoveFile(const std::string& path) override {
        return dead() ? disk_.lost() : disk_.RemoveFile(path);
    }
    Status CreateDir(const std::string& path) override {
        return dead() ? disk_.lost() : disk_.CreateDir(path);
    }
    Status RemoveDir(const std::string& path) override { return RemoveFile(path); }
    Status RenameFile(const std::string& from, const std::string& to) override {
        return dead() ? disk_.lost() : disk_.RenameFile(from, to);
    }
    Status LockFile(const std::string& path, leveldb::FileLock** lock) override {
        *lock = nullptr;
        return dead() ? disk_.lost() : disk_.LockFile(path, lock);
    }

  private:
    bool dead() const { return boot_ != disk_.boots; }

    Disk& disk_;
    const std::uint64_t boot_;
};

struct Lock final : public leveldb::FileLock {
    std::string path;
    std::uint64_t boot = 0;
};

}  // namespace

/// Dead once the process that opened it has died.
template <class Disk>
class Writable final : public leveldb::WritableFile {
  public:
    Writable(Disk& disk, std::string path, InodePtr inode)
        : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), boot_(disk.boots) {}

    Status Append(const Slice& data) override {
        if (boot_ != disk_.boots) return disk_.lost();
        const BytesView bytes = as_bytes(std::string_view(data.data(), data.size()));
        const Status status = disk_.change("append", path_, bytes);
        const bool half = disk_.active == Fault::no_space;
        const BytesView kept = status.ok() ? bytes : bytes.first(half ? bytes.size() / 2 : 0);
        inode_->bytes.insert(inode_->bytes.end(), kept.begin(), kept.end());
        return status;
    }

    Status Sync() override {
        if (boot_ != disk_.boots) return disk_.lost();
        if (const Status status = disk_.change("sync", path_); !status.ok()) {
            if (disk_.active != Fault::power_lost) inode_->hole = true;
            return status;
        }
        if (inode_->hole) return Status::OK();
        inode_->synced = inode_->bytes.size();
        inode_->before_truncation.reset();
        return Status::OK();
    }

    Status Flush() override { return boot_ == disk_.boots ? Status::OK() : disk_.lost(); }
    Status Close() override { return Flush(); }

  private:
    Disk& disk_;
    const std::string path_;
    InodePtr inode_;
    const std::uint64_t boot_;
};

Status SimDisk::Impl::NewSequentialFile(const std::string& path, leveldb::SequentialFile** out) {
    *out = nullptr;
    const Status status = found(path);
    if (status.ok()) *out = std::make_unique<Sequential>(now.at(path)).release();
    return status;
}

Status SimDisk::Impl::NewRandomAccessFile(const std::string& path,
                                          leveldb::RandomAccessFile** out) {
    *out = nullptr;
    const Status status = found(path);
    if (status.ok()) *out = std::make_unique<RandomAccess>(now.at(path)).release();
    return status;
}

Status SimDisk::Impl::NewWritableFile(const std::string& path, leveldb::WritableFile** out) {
    *out = nullptr;
    if (!has_parent(path)) return Status::NotFound(path, "no such directory");
    if (const Status status = change("create", path); !status.ok()) return status;
    InodePtr& inode = now[path];
    if (!inode) {
        inode = std::make_shared<Inode>();
    } else {
        if (!inode->before_truncation) {
            inode->bytes.resize(inode->synced);
            inode->before_truncation = std::move(inode->bytes);
        }
        inode->bytes.clear();
        inode->synced = 0;
    }
    *out = std::make_unique<Writable<Impl>>(*this, path, inode).release();
    return Status::OK();
}

Status SimDisk::Impl::GetChildren(const std::string& directory, std::vector<std::string>* out) {
    out->clear();
    if (const Status status = found(directory); !status.ok()) return status;
    for (const auto& [path, inode] : now)
        if (parent_of(path) == directory) out->push_back(path.substr(directory.size() + 1));
    return Status::OK();
}

Status SimDisk::Impl::RemoveFile(const std::string& path) {
    if (const Status status = found(path); !status.ok()) return status;
    const Status status = change("remove", path);
    if (status.ok()) now.erase(path);
    return status;
}

Status SimDisk::Impl::CreateDir(const std::string& path) {
    if (find(path)) return Status::IOError(path, "exists");
    if (!has_parent(path)) return Status::NotFound(path, "no such directory");
    const Status status = change("mkdir", path);
    if (!status.ok()) return status;
    now[path] = std::make_shared<Inode>(Inode{.directory = true});
    return status;
}

Status SimDisk::Impl::GetFileSize(const std::string& path, std::uint64_t* size) {
    const Status status = found(path);
    *size = status.ok() ? find(path)->bytes.size() : 0;
    return status;
}

Status SimDisk::Impl::RenameFile(const std::string& from, const std::string& to) {
    if (const Status status = found(from); !status.ok()) return status;
    if (const Status status = change("rename", from + " " + to); !status.ok()) return status;
    now[to] = now.at(from);
    now.erase(from);
    return Status::OK();
}

Status SimDisk::Impl::LockFile(const std::string& path, leveldb::FileLock** out) {
    *out = nullptr;
    if (!locks.insert(path).second) return Status::IOError(path, "already locked");
    auto lock = std::make_unique<Lock>();
    lock->path = path;
    lock->boot = boots;
    *out = lock.release();
    return Status::OK();
}

Status SimDisk::Impl::UnlockFile(leveldb::FileLock* held) {
    const std::unique_ptr<Lock> lock(static_cast<Lock*>(held));
    if (lock->boot == boots) locks.erase(lock->path);
    return Status::OK();
}

SimDisk::SimDisk() : impl_(std::make_unique<Impl>()) { kill(); }
SimDisk::~SimDisk() = default;

leveldb::Env* SimDisk::files() { return impl_->sessions.back().get(); }

Result<void> SimDisk::sync_directory(const std::string& directory) {
    const Status status = impl_->change("sync names", directory);
    if (!status.ok())
        return Error{Errc::io, "sync directory " + directory + ": " + status.ToString()};
    std::erase_if(impl_->durable, [&](const auto& entry) {
        return parent_of(entry.first) == directory && !impl_->now.contains(entry.first);
    });
    for (const auto& [path, inode] : impl_->now)
        if (parent_of(path) == directory) impl_->durable[path] = inode;
    return {};
}

Result<std::unique_ptr<store::DirectoryLock>> SimDisk::lock(const std::string& directory) {
    struct Held final : public store::DirectoryLock {
        Held(Impl& of, leveldb::FileLock* held) : disk(of), file_lock(held) {}
        ~Held() override { disk.UnlockFile(file_lock); }
        Impl& disk;
        leveldb::FileLock* file_lock;
    };
    leveldb::FileLock* held = nullptr;
    if (!impl_->LockFile(directory + "/LOCK", &held).ok())
        return Error{Errc::unavailable, "data directory " + directory +
                                            " is used by another agent (of the same simulation)"};
    return std::unique_ptr<store::DirectoryLock>(std::make_unique<Held>(*impl_, held));
}

void SimDisk::crash(Rng& rng) {
    Names after;
    std::set<std::string> names;
    for (const auto& [path, inode] : impl_->now) names.insert(path);
    for (const auto& [path, inode] : impl_->durable) names.insert(path);
    const auto meaning = [](const Names& in, const std::string& path) {
        const auto found = in.find(path);
        return found == in.end() ? InodePtr() : found->second;
    };
    for (const std::string& path : names) {
        const InodePtr fresh = meaning(impl_->now, path), old = meaning(impl_->durable, path);
        const InodePtr kept = fresh == old || rng.chance(0.5) ? fresh : old;
        const std::string parent = parent_of(path);
        if (kept && (parent == "/" || after.contains(parent))) after[path] = kept;
    }
    std::set<const Inode*> done;  // membership only: its order by address decides nothing
    for (const auto& [path, inode] : after)
        if (done.insert(inode.get()).second) forget_unsynced(*inode, rng);
    impl_->now = impl_->durable = std::move(after);
    heal();
    kill();
}

void SimDisk::kill() {
    ++impl_->boots;
    impl_->locks.clear();
    impl_->sessions.push_back(std::make_unique<Session<Impl>>(*impl_));
}

void SimDisk::fail_after(std::uint64_t changes, Fault fault) {
    impl_->waiting = fault;
    impl_->strikes_at = impl_->changes + changes;
}

void SimDisk::heal() { impl_->waiting = impl_->active = Fault::none; }

std::uint64_t SimDisk::changes() const { return impl_->changes; }
std::uint64_t SimDisk::trace() const { return impl_->trace; }

std::vector<std::string> SimDisk::paths() const {
    std::vector<std::string> out;
    for (const auto& [path, inode] : impl_->now)
        if (!inode->directory) out.push_back(path);
    return out;
}

std::size_t SimDisk::size(const std::string& path) const {
    INVARIANT(impl_->find(path));
    return impl_->find(path)->bytes.size();
}

void SimDisk::truncate(const std::string& path, std::size_t size) {
    Inode* inode = impl_->find(path);
    INVARIANT(inode && size <= inode->bytes.size());
    inode->bytes.resize(size);
    inode->synced = std::min(inode->synced, size);
}

void SimDisk::flip_bit(const std::string& path, std::size_t offset) {
    Inode* inode = impl_->find(path);
    INVARIANT(inode && offset < inode->bytes.size());
    inode->bytes[offset] ^= 1U;
}

void SimDisk::erase(const std::string& path) {
    INVARIANT(impl_->now.erase(path) == 1);
    impl_->durable.erase(path);
}

}  // namespace gaggle::sim
