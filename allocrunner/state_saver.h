// Makes orders and states durable, off the node's thread, newest only.
//
// An fsync takes milliseconds and a thousand allocations change state in the same second. So there
// is at most one waiting version per allocation and file, and a newer one takes its place. One
// thread ("saver") writes them, oldest wish first. The queue is bounded by the number of
// allocations.
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

    void save(const AllocId& alloc, SealedFile which, Bytes bytes);
    /// Drops what waits for this allocation and waits for what is being written: afterwards its
    /// directory is not touched.
    void forget(const AllocId& alloc);
    /// Writes what waits and ends the thread.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
