// Looking into an allocation's directory without ever leaving it.
//
// Paths are relative to the directory; a leading slash means it, as in Nomad's API. The tasks own
// what is in there and may put any link into it, so the kernel resolves each path beneath the
// directory (openat2 with RESOLVE_BENEATH), and what was opened is asked for its true place before
// anything is read: tasks' `secrets` and `private`, also behind a link inside, and the runner's own
// files are refused. Nothing but regular files and directories is opened. All calls may block.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace gaggle::allocrunner {

struct FileInfo {
    std::string name;
    bool is_folder = false;
    std::uint64_t size = 0;
    std::string mode;  ///< "-rw-r--r--", in Go's letters
    WallTime modified;
    std::string content_type;  ///< of a regular file that was asked for by its name
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.is_folder, s.size, s.mode, s.modified, s.content_type);
    }
    bool operator==(const FileInfo&) const = default;
};

struct FileChunk {
    std::uint64_t from = 0;  ///< offset of the first byte
    std::uint64_t size = 0;  ///< of the whole file now
    Bytes data;              ///< empty: nothing there for now
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.from, s.size, s.data);
    }
};

struct FilePlace {
    bool from_end = false;  ///< `offset` counts back from the end; clamped to what there is
    std::uint64_t offset = 0;
};

/// `path` as it lies in the directory, without leading and doubled slashes; "." for the directory
/// itself. Errc::denied, in words, when its `..` lead out or it is plainly a secret or the
/// runner's. Pure: what links make of it is judged when it is opened.
Result<std::string> path_inside(const std::string& path);

/// By name, at most `files_max`. Errc::not_found, Errc::denied, Errc::invalid for what is no
/// directory.
Result<std::vector<FileInfo>> list_files(const std::string& alloc_dir, const std::string& path,
                                         std::size_t files_max);
/// Links are not followed: it is about the link itself.
Result<FileInfo> stat_file(const std::string& alloc_dir, const std::string& path);
/// Up to `bytes_max` bytes of a regular file.
Result<FileChunk> read_file_part(const std::string& alloc_dir, const std::string& path,
                                 FilePlace from, std::size_t bytes_max);

/// As Go's fs.FileMode prints it: "drwxr-xr-x", "dtrwxrwxrwx", "Lrwxrwxrwx".
std::string mode_text(std::uint32_t mode);
/// By the name's ending, else by whether the first bytes are text.
std::string content_type_of(const std::string& name, BytesView first_bytes);

}  // namespace gaggle::allocrunner
