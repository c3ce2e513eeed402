// Enforces `ephemeral_disk.size`: a DiskWatch on the real file system.
//
// One thread ("usage") looks how full the file system is, asks which directories changed, and
// measures what DiskWatch wants measured, by the file system's own books where it keeps some, else
// by a paced walk. Everything in an allocation's directory counts, logs too; what is mounted into
// it does not. What it finds is handed to `deliver` as DiskFound and HostDisk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "allocrunner/disk_watch.h"
#include "allocrunner/input.h"
#include "base/result.h"

namespace gaggle::allocrunner {

class DiskWatcher {
  public:
    /// `alloc_root` is absolute and exists. `deliver` is called on the thread "usage" and must only
    /// pass the input on.
    static Result<std::unique_ptr<DiskWatcher>> open(const std::string& alloc_root,
                                                     std::function<void(Input)> deliver,
                                                     DiskWatchConfig config = {});
    ~DiskWatcher();  ///< as stop()
    DiskWatcher(const DiskWatcher&) = delete;
    DiskWatcher& operator=(const DiskWatcher&) = delete;

    // Safe for any thread:

    /// What the allocation may take, in bytes; 0: whatever it likes. It is not watched by that,
    /// unless watch() was called before.
    void set_limit(const AllocId& alloc, std::uint64_t limit);
    /// From now on, or from the moment when it has a limit. Its directory is complete: with project
    /// quota all of it is read here, the first time. Again: does no harm.
    void watch(const AllocId& alloc);
    /// Not any more: nothing of it runs.
    void rest(const AllocId& alloc);
    /// It is gone, its limit with it.
    void forget(const AllocId& alloc);
    /// Nothing before the first measuring is done, or when it is not watched.
    std::optional<DiskUse> use(const AllocId& alloc) const;
    /// How it is known, for people: "project quota", "notification and walk", "walk".
    const char* method() const;

    void stop();

  private:
    struct Impl;
    explicit DiskWatcher(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
