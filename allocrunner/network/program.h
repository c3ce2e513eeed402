// Runs a program to its end, with a text in and two texts out, and never longer than it may take.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::allocrunner {

/// Where tools (iptables, ip) are looked for, whatever the agent's PATH is; also the PATH they get.
inline constexpr const char* kToolPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
inline constexpr std::size_t kProgramTextMax = 1U << 20U;

struct ProgramCall {
    std::vector<std::string> argv;           ///< argv[0] is a path
    std::map<std::string, std::string> env;  ///< complete but for PATH
    std::string input;
    Duration timeout = 20s;
};

struct ProgramEnd {
    int code = 0;            ///< exit status; of no meaning with a signal
    int signal = 0;          ///< 0: it exited by itself
    bool timed_out = false;  ///< it was killed, with what it had started in its process group
    std::string out;         ///< at most kProgramTextMax of each, the rest is dropped
    std::string err;
    bool ok() const { return code == 0 && signal == 0 && !timed_out; }
};

/// "exited with 2", "was killed by signal 9", "did not answer within 20 s and was killed".
std::string describe(const ProgramEnd& end, Duration timeout);

/// Blocks. Errc::io when it cannot be started. What it leaves running in the background is not
/// waited for.
Result<ProgramEnd> run_program(const ProgramCall& call);

/// The first executable file of that name in the folders of `path`. Errc::not_found.
Result<std::string> find_in_path(const std::string& name, const std::string& path);

}  // namespace gaggle::allocrunner
