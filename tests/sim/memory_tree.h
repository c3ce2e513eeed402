// A file tree in memory, on a disk that forgets what was not synced.
//
// Folders, names and attributes are journalled as ext4 does it: any sync makes all of them durable
// up to that moment. Content is durable file by file. A crash keeps or loses each of what was not
// synced, by chance. For tests of crashes it can also stop between any two operations, be full, and
// let somebody else write in the middle of a read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "allocrunner/replica/file_tree.h"
#include "base/rng.h"

namespace gaggle::sim {

class MemoryTree final : public replica::FileTree {
  public:
    MemoryTree();

    template <class T>
    using Result = gaggle::Result<T>;
    Result<std::vector<replica::Named>> list(const std::string& path) override;
    Result<replica::Stat> stat(const std::string& path) override;
    Result<Bytes> read(const std::string& path, std::uint64_t offset, std::uint64_t size) override;
    Result<std::string> read_link(const std::string& path) override;
    Result<replica::Xattrs> xattrs(const std::string& path) override;
    Result<void> make_dir(const std::string& path) override;
    Result<void> make_file(const std::string& path, std::uint64_t size) override;
    Result<void> write(const std::string& path, std::uint64_t offset, BytesView bytes) override;
    Result<void> punch(const std::string& path, std::uint64_t offset, std::uint64_t size) override;
    Result<void> make_symlink(const std::string& path, const std::string& target) override;
    Result<void> make_hardlink(const std::string& path, const std::string& existing) override;
    Result<void> set_attributes(const std::string& path,
                                const replica::Attributes& attributes) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove(const std::string& path) override;
    Result<void> sync(const std::string& path) override;
    Result<void> sync_all() override;

    /// Stamps of what is written from now on.
    void set_wall(WallTime wall) { wall_ = wall.nanoseconds; }
    /// After so many more changes every operation fails, until crash(). Nothing: never.
    void stop_after(std::optional<std::uint64_t> changes) { stop_after_ = changes; }
    bool stopped() const { return stop_after_ == 0U; }
    /// The machine loses power and starts again. With chance 1/2 each unsynced content is lost.
    void crash(Rng& rng);
    /// Writing fails while true.
    void set_full(bool full) { full_ = full; }
    /// Called before each read of content, with its path.
    void on_read(std::function<void(const std::string&)> hook) { on_read_ = std::move(hook); }
    /// Changes one byte of a file behind everybody's back: a damaged disk.
    void damage(const std::string& path, std::uint64_t offset);
    /// Operations that changed something, since the start.
    std::uint64_t changes() const { return changes_; }

  private:
    using Ino = std::uint64_t;
    struct Inode {
        replica::Stat::Type type = replica::Stat::Type::file;
        replica::Attributes attributes;
        std::int64_t ctime = 0;
        Bytes content;
        std::string target;
        std::map<std::string, Ino> names;  ///< of a folder
        std::uint64_t links = 0;
    };

    Ino find(const std::string& path) const;  ///< 0: nothing there
    Result<Ino> need(const std::string& path, const char* verb) const;
    /// The folder that `path` is in; counts a change.
    Result<Ino> folder_for(const std::string& path, const char* verb);
    Result<void> change(const std::string& path, const char* verb);
    Result<void> refuse_when_full(const std::string& path) const;
    Ino add(Ino folder, const std::string& path, Inode inode);
    void touch(Ino ino, bool content);
    void unlink(Ino folder, const std::string& name);

    std::map<Ino, Inode> live_;
    std::map<Ino, Inode> durable_;
    Ino last_ = 1;
    std::int64_t wall_ = 1;
    std::uint64_t changes_ = 0;
    std::optional<std::uint64_t> stop_after_;
    bool full_ = false;
    std::function<void(const std::string&)> on_read_;
};

}  // namespace gaggle::sim
