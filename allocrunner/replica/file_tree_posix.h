// The real file system as a FileTree.
//
// Every path is walked folder by folder from the top with O_NOFOLLOW, so whatever a task puts into
// its directory (a symlink to /etc, say) nothing outside is read or written. Devices, sockets and
// pipes are listed as `other` and never opened.
#pragma once

#include <memory>
#include <string>

#include "allocrunner/replica/file_tree.h"

namespace gaggle::replica {

/// `top` is an existing directory.
Result<std::unique_ptr<FileTree>> open_file_tree(const std::string& top);

}  // namespace gaggle::replica
