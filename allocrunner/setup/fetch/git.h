// A repository, by the program git.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::setup {

struct GitSource {
    std::string url;
    std::string ref;         ///< branch, tag or commit; empty: what the other side has checked out
    std::string ssh_key;     ///< base64 of a private key, as Nomad's option sshkey
    std::int64_t depth = 0;  ///< 0: the whole history
    Duration stall = 60s;    ///< over http and ssh: another side that is silent that long
};

/// Clones into `name` in the directory `parent`, where nothing of that name is yet; `home` is the
/// path of a directory for git's own files. Errc::unavailable with git's last words.
Result<void> clone(const GitSource& source, int parent, const std::string& name,
                   const std::string& home);

}  // namespace gaggle::setup
