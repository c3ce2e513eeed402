// What the agent and gctl-fetch say to each other.
//
// The order goes to the program's standard input, encoded; it may hold keys, which would be seen on
// a command line. What comes back on its standard output are lines:
//
//     progress <bytes> <of bytes, or -1>
//     done <what was fetched, for people>
//     failed <0 or 1: another try may work> <error>
//
// The last one is `done` or `failed`; without either it was killed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/time.h"
#include "placement/jobspec/job_setup.h"

namespace gaggle::setup {

struct FetchOrder {
    Artifact artifact;      ///< nothing in it is left to interpolate
    std::string root;       ///< the directory on the host that nothing may leave
    std::string path;       ///< the destination beneath it
    std::string draft;      ///< a name of its own for what is under way there
    std::int64_t uid = -1;  ///< who shall own what is fetched; -1: as it is made
    std::int64_t gid = -1;
    bool file_allowed = false;   ///< sources on this machine
    std::int64_t bytes_max = 0;  ///< of what is fetched, and of what is unpacked
    std::int64_t files_max = 0;  ///< in an archive
    Duration stall = 60s;        ///< without a byte: given up
    Duration total = 30min;      ///< for all of it
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.artifact, s.root, s.path, s.draft, s.uid, s.gid, s.file_allowed,
                        s.bytes_max, s.files_max, s.stall, s.total);
    }
    bool operator==(const FetchOrder&) const = default;
};

struct FetchLine {
    enum class Kind { progress, done, failed };
    Kind kind = Kind::progress;
    std::int64_t bytes = 0;
    std::int64_t of = -1;
    bool may_pass = false;
    std::string text;
};

/// Nothing for a line that is none of the three.
std::optional<FetchLine> fetch_line(std::string_view line);

}  // namespace gaggle::setup
