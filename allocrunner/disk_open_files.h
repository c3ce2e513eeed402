// What allocations keep open: the only trace of a deleted file, which takes space until it is
// closed.
//
// Goes through /proc/<pid>/fd and the file mappings of all processes that this agent may look into
// (as root all, else its own user's, which are all of its tasks). A file is an allocation's by its
// path; where a process sees other mounts, as in a container, by what of the file system is mounted
// where it was opened. Costs a few microseconds a descriptor, so it is for moments of suspicion
// only.
#pragma once

#include <set>
#include <string>

#include "allocrunner/disk_watch.h"

namespace gaggle::allocrunner {

/// `root` as realpath() gives it. Only of `allocs`; each inode once.
DiskWatch::OpenFiles look_at_open_files(const std::string& root, const std::set<AllocId>& allocs);

}  // namespace gaggle::allocrunner
