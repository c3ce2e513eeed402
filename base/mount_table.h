// The lines of /proc/<pid>/mountinfo (proc(5)): which part of which file system is mounted where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gaggle {

struct MountLine {
    std::uint64_t id = 0;
    std::string root;   ///< what of its file system is mounted, as a path in that
    std::string point;  ///< where, as the process that was asked about sees it

    /// The path, in the mount's file system, of what the process sees at `path`; the mount's root
    /// for what lies outside of it.
    std::string on_file_system(std::string_view path) const;
};

/// Nothing for a line that is none of such a file. Blanks in names are decoded.
std::optional<MountLine> parse_mount_line(std::string_view line);

}  // namespace gaggle
