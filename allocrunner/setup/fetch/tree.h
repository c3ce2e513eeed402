// A directory that is being filled with what strangers sent.
//
// Every path is opened beneath the directory and through no link at all, so that no order of
// entries can lead out of it. What is written is only ever plain: files, folders, links that stay
// inside. All calls may block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gaggle::setup {

struct TreeLimits {
    std::int64_t bytes_max = 0;
    std::int64_t files_max = 0;
};

class Tree {
  public:
    /// Makes `name` in `parent` anew; what was there is removed.
    static Result<Tree> make(int parent, const std::string& name, TreeLimits limits);

    /// Paths are those of entry_path(). Folders before them are made.
    Result<void> folder(const std::string& path);
    Result<void> begin_file(const std::string& path, bool executable);
    Result<void> write(std::string_view bytes);  ///< to the file that was begun
    Result<void> end_file();
    Result<void> link(const std::string& path, const std::string& target);
    /// `target` is a plain file that was written before.
    Result<void> hard_link(const std::string& path, const std::string& target);

    int fd() const { return root_.get(); }

  private:
    Result<UniqueFd> parent_of(const std::string& path, std::string& name);
    Result<void> count();

    UniqueFd root_;
    TreeLimits limits_;
    std::int64_t bytes_ = 0;
    std::int64_t files_ = 0;
    UniqueFd file_;
    std::string file_path_;
};

/// Everything below `name` in `parent`, and itself. Fine when it is not there.
Result<void> remove_tree(int parent, const std::string& name);

/// For what another program has written. Errc::denied when something in it is not a file, a folder
/// or a link that stays inside, or when a file runs with another's rights; Errc::invalid when it is
/// more than allowed.
Result<void> check_tree(int root, TreeLimits limits);

/// The folder `part` in it, through no link. Errc::not_found.
Result<UniqueFd> open_part(int root, const std::string& part);

struct NewOwner {
    std::int64_t uid = -1;
    std::int64_t gid = -1;
};
/// Moves all entries of `from` into `to`: folders are joined, everything else replaces what has its
/// name. Both are on one file system.
Result<void> merge_tree(int from, int to, NewOwner owner);
/// The name of the only entry, a plain file. Errc::invalid when there is another or none.
Result<std::string> only_file(int root);

}  // namespace gaggle::setup
