#include <leveldb/env.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <mutex>

#include "base/log.h"
#include "gctl/store/checked_env.h"

namespace gaggle::store {

namespace {

using leveldb::Slice;
using leveldb::Status;

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// What all files of one environment share. Used by the caller's and by LevelDB's thread.
struct Shared {
    explicit Shared(Disk& of) : disk(of) {}

    Status gate() const {
        const std::scoped_lock hold(mutex);
        return first_failure;
    }

    /// Remembers the first failure; returns `status`.
    Status checked(const Status& status, const std::string& what) {
        if (status.ok()) return status;
        const std::scoped_lock hold(mutex);
        if (first_failure.ok()) {
            first_failure = Status::IOError(what, status.ToString());
            log::error("disk: {}: {}; nothing more is written", what, status.ToString());
        }
        return status;
    }

    Status sync_directory(const std::string& directory) {
        ++directory_syncs;
        const auto synced = disk.sync_directory(directory);
        return synced.ok() ? Status::OK() : Status::IOError(synced.error().detail);
    }

    Disk& disk;
    mutable std::mutex mutex;
    Status first_failure;
    std::atomic<std::uint64_t> file_syncs = 0, directory_syncs = 0, bytes_written = 0;
};

class CheckedFile final : public leveldb::WritableFile {
  public:
    CheckedFile(Shared& shared, std::string path, std::unique_ptr<leveldb::WritableFile> file)
        : shared_(shared), path_(std::move(path)), file_(std::move(file)) {}

    ~CheckedFile() override { close_checked(); }

    Status Append(const Slice& data) override {
        if (auto failed = shared_.gate(); !failed.ok()) return failed;
        shared_.bytes_written += data.size();
        unsynced_ = true;
        return shared_.checked(file_->Append(data), "append to " + path_);
    }

    Status Flush() override {
        if (auto failed = shared_.gate(); !failed.ok()) return failed;
        return shared_.checked(file_->Flush(), "flush " + path_);
    }

    Status Sync() override {
        if (auto failed = shared_.gate(); !failed.ok()) return failed;
        ++shared_.file_syncs;
        if (auto failed = shared_.checked(file_->Sync(), "sync " + path_); !failed.ok())
            return failed;
        unsynced_ = false;
        if (name_synced_) return Status::OK();
        name_synced_ = true;
        return shared_.checked(shared_.sync_directory(directory_of(path_)), "sync name " + path_);
    }

    Status Close() override { return close_checked(); }

  private:
    Status close_checked() {
        if (!file_) return Status::OK();
        Status synced;
        if (unsynced_ && path_.ends_with(".log")) synced = Sync();
        const Status closed = shared_.checked(file_->Close(), "close " + path_);
        file_.reset();
        return synced.ok() ? closed : synced;
    }

    Shared& shared_;
    const std::string path_;
    std::unique_ptr<leveldb::WritableFile> file_;
    bool unsynced_ = false;
    bool name_synced_ = false;
};

class Env final : public leveldb::EnvWrapper {
  public:
    explicit Env(Shared& shared)
        : EnvWrapper(shared.disk.files()),
          shared_(shared),
          inline_(shared.disk.background() == Background::after_each_call) {}

    Status NewWritableFile(const std::string& path, leveldb::WritableFile** out) override {
        return open(path, out, &Env::open_new);
    }
    Status NewAppendableFile(const std::string& path, leveldb::WritableFile** out) override {
        return open(path, out, &Env::open_old);
    }

    /// LevelDB also calls it for directories that exist, and expects it to fail then.
    Status CreateDir(const std::string& path) override {
        if (auto failed = shared_.gate(); !failed.ok()) return failed;
        if (const Status made = target()->CreateDir(path); !made.ok()) return made;
        return shared_.checked(shared_.sync_directory(directory_of(path)), "sync name " + path);
    }

    Status RenameFile(const std::string& from, const std::string& to) override {
        if (auto failed = shared_.gate(); !failed.ok()) return failed;
        const Status renamed = target()->RenameFile(from, to);
        // LevelDB tries to rename its old LOG, which need not be there.
        if (renamed.IsNotFound()) return renamed;
        if (!renamed.ok()) return shared_.checked(renamed, "rename to " + to);
        return shared_.checked(shared_.sync_directory(directory_of(to)), "sync name " + to);
    }

    void Schedule(void (*function)(void*), void* argument) override {
        if (inline_) {
            scheduled_.emplace_back(function, argument);
        } else {
            target()->Schedule(function, argument);
        }
    }
    void SleepForMicroseconds(int micros) override {
        if (!inline_) target()->SleepForMicroseconds(micros);
    }

    /// A job may schedule the next one.
    void run_scheduled() {
        while (!scheduled_.empty()) {
            const auto [function, argument] = scheduled_.front();
            scheduled_.pop_front();
            function(argument);
        }
    }

  private:
    using Opener = Status (Env::*)(const std::string&, leveldb::WritableFile**);

    Status open_new(const std::string& path, leveldb::WritableFile** out) {
        return target()->NewWritableFile(path, out);
    }
    Status open_old(const std::string& path, leveldb::WritableFile** out) {
        return target()->NewAppendableFile(path, out);
    }

    Status open(const std::string& path, leveldb::WritableFile** out, Opener opener) {
        *out = nullptr;
        if (auto failed = shared_.gate(); !failed.ok()) return failed;
        leveldb::WritableFile* inner = nullptr;
        const Status opened = shared_.checked((this->*opener)(path, &inner), "create " + path);
        if (!opened.ok()) return opened;
        // LevelDB takes a raw owner and deletes it.
        *out = std::make_unique<CheckedFile>(shared_, path,
                                             std::unique_ptr<leveldb::WritableFile>(inner))
                   .release();
        return opened;
    }

    Shared& shared_;
    const bool inline_;
    std::deque<std::pair<void (*)(void*), void*>> scheduled_;
};

Error as_error(const std::string& what, const Status& status) {
    return {status.IsCorruption() ? Errc::corrupt : Errc::io, what + ": " + status.ToString()};
}

}  // namespace

struct CheckedEnv::Impl {
    explicit Impl(Disk& disk) : shared(disk), env(shared) {}
    Shared shared;
    Env env;
};

CheckedEnv::CheckedEnv(Disk& disk) : impl_(std::make_unique<Impl>(disk)) {}
CheckedEnv::~CheckedEnv() = default;

leveldb::Env* CheckedEnv::env() { return &impl_->env; }

void CheckedEnv::settle() { impl_->env.run_scheduled(); }

std::optional<Error> CheckedEnv::failure() const {
    const Status failed = impl_->shared.gate();
    if (failed.ok()) return std::nullopt;
    return Error{Errc::io, failed.ToString()};
}

Counters CheckedEnv::counters() const {
    const Shared& shared = impl_->shared;
    return {shared.file_syncs, shared.directory_syncs, shared.bytes_written};
}

Result<std::optional<Bytes>> read_file(CheckedEnv& env, const std::string& path,
                                       std::size_t limit) {
    if (!env.env()->FileExists(path)) return std::optional<Bytes>();
    std::uint64_t size = 0;
    if (const auto status = env.env()->GetFileSize(path, &size); !status.ok())
        return as_error("read size of " + path, status);
    if (size > limit)
        return Error{Errc::corrupt, "read " + path + ": it has " + std::to_string(size) +
                                        " bytes where at most " + std::to_string(limit) +
                                        " are expected"};
    std::string text;
    if (const auto status = leveldb::ReadFileToString(env.env(), path, &text); !status.ok())
        return as_error("read " + path, status);
    return std::optional<Bytes>(to_bytes(text));
}

Result<void> write_file(CheckedEnv& env, const std::string& path, BytesView bytes) {
    leveldb::WritableFile* opened = nullptr;
    if (const auto status = env.env()->NewWritableFile(path, &opened); !status.ok())
        return as_error("create " + path, status);
    const std::unique_ptr<leveldb::WritableFile> file(opened);
    const std::string_view text = as_text(bytes);
    Status status = file->Append(Slice(text.data(), text.size()));
    if (status.ok()) status = file->Sync();
    if (status.ok()) status = file->Close();
    if (!status.ok()) return as_error("write " + path, status);
    return {};
}

Result<void> replace_file(CheckedEnv& env, const std::string& path, BytesView bytes) {
    TRY(write_file(env, path + ".new", bytes));
    if (const auto status = env.env()->RenameFile(path + ".new", path); !status.ok())
        return as_error("rename to " + path, status);
    return {};
}

Result<void> make_directory(CheckedEnv& env, const std::string& path) {
    if (env.env()->FileExists(path)) return {};
    if (const auto status = env.env()->CreateDir(path); !status.ok())
        return as_error("create directory " + path, status);
    return {};
}

}  // namespace gaggle::store
