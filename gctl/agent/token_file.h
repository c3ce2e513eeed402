// Where a command on the same machine finds the token of an agent's HTTP API.
//
// The agent keeps its token in its data directory and publishes a copy under the API's address, as
// `<host>_<port>.token` in a directory that only its own user may read: /run/gaggle for root, else
// $XDG_RUNTIME_DIR/gaggle, else /tmp/gaggle-<uid>. So the command line needs no option, and whoever
// may not read the file may not speak to the agent.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gaggle {

/// The token of the data directory, in its file `http-token` (mode 0600); made at the first call.
Result<std::string> load_or_make_token(const std::string& data_dir);

/// The copy, for as long as this lives; its end removes it. It is locked (flock) meanwhile, so that
/// others can tell it from what a killed agent left there, in whatever network that one was.
class PublishedToken {
  public:
    /// Writes the copy, mode 0600. Removes what nobody has locked, of 4,096 files at most. `denied`
    /// when the directory is somebody else's or open to others.
    static Result<PublishedToken> publish(const std::string& host, std::uint16_t port,
                                          const std::string& token);
    PublishedToken(PublishedToken&&) = default;
    PublishedToken& operator=(PublishedToken&&) = delete;
    ~PublishedToken();

    const std::string& path() const { return path_; }

  private:
    PublishedToken(std::string path, UniqueFd locked)
        : path_(std::move(path)), locked_(std::move(locked)) {}

    std::string path_;
    UniqueFd locked_;
};

/// The published token for that address; "localhost" is 127.0.0.1. `not_found`: none was published
/// where this user may look. `denied`: it is there, but for another user.
Result<std::string> find_token(const std::string& host, std::uint16_t port);

/// First line of a token file, without white space around it.
Result<std::string> read_token_file(const std::string& path);

}  // namespace gaggle
