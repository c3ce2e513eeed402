#include <leveldb/env.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "gctl/store/disk.h"

namespace gaggle::store {

namespace {

/// LevelDB makes its directories readable for everybody.
class PrivateFiles final : public leveldb::EnvWrapper {
  public:
    PrivateFiles() : EnvWrapper(leveldb::Env::Default()) {}
    leveldb::Status CreateDir(const std::string& path) override {
        if (::mkdir(path.c_str(), 0700) == 0) return leveldb::Status::OK();
        return leveldb::Status::IOError(path, std::strerror(errno));
    }
};

class RealDisk final : public Disk {
  public:
    leveldb::Env* files() override { return &files_; }
    Result<void> sync_directory(const std::string& directory) override {
        return sync_real_directory(directory);
    }
    Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override {
        return lock_real_directory(directory);
    }
    Background background() const override { return Background::own_thread; }

  private:
    PrivateFiles files_;
};

}  // namespace

Disk& real_disk() {
    static auto* disk = new RealDisk;  // NOLINT: LevelDB's thread may use it to the very end
    return *disk;
}

}  // namespace gaggle::store
