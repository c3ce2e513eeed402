// Files beneath a directory whose owner is not trusted.
//
// A task may put links where we are about to write. Every path is opened by openat2 with
// RESOLVE_BENEATH: a link may lead on inside of the directory, never out of it, also when it is
// changed meanwhile. Files are written under another name and renamed, so that nobody sees half of
// one. All calls may block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gaggle::setup {

/// Who owns what is written. -1: as the agent's process makes it.
struct Owner {
    std::int64_t uid = -1;
    std::int64_t gid = -1;
};

/// The ids of account_of(user). Errc::not_found. Empty: nobody in particular.
Result<Owner> owner_of(const std::string& user);

struct FileLook {
    unsigned mode = 0644;
    Owner owner;
};

class BeneathDir {
  public:
    /// The directory itself is trusted. Errc::not_found, Errc::io.
    static Result<BeneathDir> open(const std::string& path);

    /// Makes the folders that are missing, mode 0755, and opens the last one.
    Result<UniqueFd> make_folders(const std::string& path, const Owner& owner) const;
    /// Errc::not_found, Errc::denied when it leads out; Errc::invalid when it is no plain file or
    /// larger than `bytes_max`.
    Result<std::string> read(const std::string& path, std::size_t bytes_max) const;
    /// Folders before it are made. False when the file had this very text already; its mode and
    /// owner are set in any case.
    Result<bool> write(const std::string& path, std::string_view text, const FileLook& look) const;

    int fd() const { return root_.get(); }

  private:
    Error failure(const char* what, const std::string& path, int error) const;
    Result<UniqueFd> open_at(const std::string& path, int flags) const;

    std::string path_;
    UniqueFd root_;
};

}  // namespace gaggle::setup
