// Tells in which allocations something was written, made or removed, for one read per look.
//
// One fanotify mark on the file system gives, per directory, that something in it changed; the
// kernel merges repetitions until they are read, so a writer of a gigabyte is a handful of events.
// A directory's handle is turned into its path once and remembered. It needs root and a file system
// that has handles (ext4, XFS, btrfs, tmpfs do); without it DiskWatch makes do with what the file
// system has grown, what is open, and its budget. What is written through mapped memory makes no
// event; DiskWatch finds that by the open files.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/ids.h"
#include "base/result.h"

namespace gaggle::allocrunner {

class DiskNotice {
  public:
    /// `alloc_root` is absolute and exists. Errc::denied without the rights, Errc::unavailable
    /// where the kernel or the file system cannot.
    static Result<DiskNotice> open(const std::string& alloc_root);
    ~DiskNotice();
    DiskNotice(DiskNotice&&) noexcept;
    DiskNotice& operator=(DiskNotice&&) noexcept;

    struct Changes {
        std::set<AllocId> touched;
        bool anywhere = false;  ///< more happened than was kept: it may be any of them
    };
    /// Since the last call. Does not wait.
    Changes take();
    /// Directories may be another allocation's now: state was taken over by a rename.
    void forget_owners();

  private:
    struct Impl;
    explicit DiskNotice(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
