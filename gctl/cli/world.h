// All that a command takes from the machine beside the agent: time, files, environment.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::cli {

struct World {
    std::map<std::string, std::string> environment;
    std::function<WallTime()> now;
    std::function<void(Duration)> pause;
    /// The text of a file, at most 16 MiB; "-" is standard input.
    std::function<Result<std::string>(const std::string& path)> read_file;
    bool terminal = false;  ///< standard output is one
    /// Puts the question on the terminal and reads a line; not set when standard input is none.
    std::function<std::string(const std::string& question)> ask;
    std::string default_data_dir;  ///< /var/lib/gaggle for root, else in the home directory

    /// The first of the named variables that is set and not empty.
    std::string variable(std::initializer_list<const char*> names) const {
        for (const char* name : names)
            if (const auto found = environment.find(name);
                found != environment.end() && !found->second.empty())
                return found->second;
        return "";
    }
};

/// The real one.
World real_world();
/// Writes all of it to standard output or standard error; ends the process quietly when the reader
/// of a pipe has gone.
void write_out(std::string_view text);
void write_err(std::string_view text);

}  // namespace gaggle::cli
