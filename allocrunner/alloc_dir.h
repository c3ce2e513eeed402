// An allocation's directory on disk, and the files that let a restarted agent go on.
//
//     <alloc root>/<allocation id>/    0755
//         order  state                 sealed files, 0600, written by rename after fsync
//         exit/<task>                  how the task's newest run is or ended, written by its shim
//         exit.new/<task>              its next version, also the shim's
//         shim/<task>                  the socket of its shim
//         driver/<task>/               what its driver keeps: the spec of the newest run, a bundle
//         network/                     how to undo its network, and files that it brings to tasks
//         alloc/{data,logs,tmp}        0777, shared by the tasks
//         <task>/{local,tmp}           0777 and 1777
//         <task>/secrets               0700
//
// A sealed file is eight bytes of magic, the checksum of the rest, the rest. All calls may block.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allocrunner/input.h"
#include "allocrunner/order.h"
#include "base/bytes.h"
#include "base/result.h"

namespace gaggle::allocrunner {

enum class SealedFile { order, state };

enum class Restoring {
    wanted,
    settled,  ///< the tasks have run since: what is there is newer than what it came from
};

/// The directories, the saved order, then, when that is wanted, the state that `order.restore`
/// names when it is on this peer. Twice does no harm. Returns what was restored, for people; empty
/// when nothing was to be.
Result<std::string> make_alloc_dir(const std::string& alloc_root, const Order& order,
                                   Restoring restoring = Restoring::wanted);

/// Errc::not_found when the allocation's directory is gone (it was removed meanwhile).
Result<void> save_sealed(const std::string& alloc_dir, SealedFile which, BytesView bytes);
/// Errc::not_found, Errc::corrupt.
Result<Bytes> load_sealed(const std::string& alloc_dir, SealedFile which);

/// With everything in it; links are removed, not followed. Fine when it is not there.
Result<void> remove_alloc_dir(const std::string& alloc_dir);

/// Ids of the directories under `alloc_root`, sorted. What has no such name is left alone.
Result<std::vector<AllocId>> list_alloc_dirs(const std::string& alloc_root);
/// Names of tasks that were started in this directory, sorted.
std::vector<std::string> started_tasks(const std::string& alloc_dir);

/// Makes the folder (parents must exist) with exactly this mode, or takes the one that is there.
Result<void> make_folder(const std::string& path, unsigned mode);

}  // namespace gaggle::allocrunner
