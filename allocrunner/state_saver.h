// Makes orders and states durable, off the node's thread, newest only.
//
// An fsync takes milliseconds and a thousand allocations change state in the same second. So there
// is at most one waiting version per allocation and file, and a newer one takes its place. One
// thread ("states") writes them, oldest wish first, but before them those that something waits for.
// The queue is bounded by the number of allocations.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "allocrunner/alloc_dir.h"
#include "base/bytes.h"
#include "base/ids.h"

namespace gaggle::allocrunner {

class StateSaver {
  public:
    /// `failed` is called on the saver's thread; an allocation whose directory is gone is no
    /// failure.
    StateSaver(std::string alloc_root, std::function<void(const AllocId&, std::string)> failed);
    ~StateSaver();  ///< as stop()
    StateSaver(const StateSaver&) = delete;
    StateSaver& operator=(const StateSaver&) = delete;

    /// `then` is called on the saver's thread once these bytes, or newer ones in their place, are
    /// durable, or it is known that they cannot be.
    void save(const AllocId& alloc, SealedFile which, Bytes bytes,
              std::function<void()> then = nullptr);
    /// Drops what waits for this file and waits while it is being written: afterwards it is not
    /// touched. Nothing is called of what was dropped.
    void forget(const AllocId& alloc, SealedFile which);
    /// As that, for all files of the allocation.
    void forget(const AllocId& alloc);
    /// Writes what waits and ends the thread.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
