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

struct SshSource {
    std::string key_file;  ///< a private key, or "none"
    std::string home;      ///< where to remember the other side's key; no quotes in it
    std::string stall;     ///< seconds of silence after which the other side is given up
};

/// What git has /bin/sh run for ssh: with that key or none, and with nothing of the agent's own
/// (keys, agent, configuration, known hosts), for a job could name any host.
std::string ssh_command(const SshSource& source);

}  // namespace gaggle::setup
