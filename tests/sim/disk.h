// A disk in memory that forgets what was not synced.
//
// Real LevelDB runs on it unmodified. File bytes are durable up to the last sync of the file, names
// up to the last sync of their directory; crash() keeps that, and of the rest what chance decides:
// a prefix of the unsynced bytes, the new or the old meaning of each unsynced name (harsher than a
// journal, which would keep an order). A failed sync leaves a hole: later syncs of that file cannot
// mend it, for the kernel has marked its pages clean (Rebello et al., "Can Applications Recover
// from fsync Failures?", ATC 2020). The same calls give the same trace(). One disk per simulated
// peer; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "gctl/store/disk.h"

namespace gaggle::sim {

enum class Fault {
    none,
    no_space,    ///< the append keeps half of its bytes; appends and creations fail until heal()
    sync_fails,  ///< one sync of a file fails; its unsynced bytes never become durable
    power_lost,  ///< everything fails until crash()
};

class SimDisk final : public store::Disk {
  public:
    SimDisk();
    ~SimDisk() override;

    leveldb::Env* files() override;
    Result<void> sync_directory(const std::string& directory) override;
    Result<std::unique_ptr<store::DirectoryLock>> lock(const std::string& directory) override;
    store::Background background() const override { return store::Background::after_each_call; }

    /// The machine loses its power and gets it back.
    void crash(Rng& rng);
    /// Only the process dies: nothing is forgotten, as the kernel still has it. After this, and
    /// after crash(), handles, locks and files() from before are dead: their owners may be
    /// destroyed at any time later and change nothing.
    void kill();
    /// `fault` strikes at the first fitting change after `changes` more of them.
    void fail_after(std::uint64_t changes, Fault fault);
    void heal();

    /// Changes so far: creations, appends, syncs, renames, removals.
    std::uint64_t changes() const;
    /// A fingerprint of all changes with their names and bytes, in order.
    std::uint64_t trace() const;

    /// Of all files, in order.
    std::vector<std::string> paths() const;
    std::size_t size(const std::string& path) const;
    /// Damage behind everybody's back, durable at once. The file must exist (and be that long).
    void truncate(const std::string& path, std::size_t size);
    void flip_bit(const std::string& path, std::size_t offset);
    void erase(const std::string& path);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::sim
