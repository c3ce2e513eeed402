#include <leveldb/env.h>

#include "gctl/store/disk.h"

namespace gaggle::store {

namespace {

class RealDisk final : public Disk {
  public:
    leveldb::Env* files() override { return leveldb::Env::Default(); }
    Result<void> sync_directory(const std::string& directory) override {
        return sync_real_directory(directory);
    }
    Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override {
        return lock_real_directory(directory);
    }
    Background background() const override { return Background::own_thread; }
};

}  // namespace

Disk& real_disk() {
    static RealDisk disk;
    return disk;
}

}  // namespace gaggle::store
