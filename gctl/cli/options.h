// The command line, parsed.
//
// Long options may be written with one dash or two (`-detach`, `--detach`), as Nomad's users write
// them with one. What does not parse is answered with one line that names the word and the help
// that explains it.
#pragma once

#include <string>
#include <vector>

#include "gctl/cli/command.h"

namespace gaggle::cli {

/// When there is no invocation, `text` is to be shown, on standard error if `exit_code` is not 0.
struct ParsedLine {
    std::optional<Invocation> invocation;
    int exit_code = 0;
    std::string text;
};

/// `arguments` without the program's name; `data_dir` is the default one.
ParsedLine parse_command_line(const std::vector<std::string>& arguments,
                              const std::string& data_dir);

/// How many of the arguments are ours: behind the allocation of `alloc exec` the words are those of
/// the command that it runs.
std::size_t own_words(const std::vector<std::string>& arguments);

/// The same arguments with "-word" made "--word". One letter, numbers, "-" alone and everything
/// behind "--" stay.
std::vector<std::string> with_double_dashes(const std::vector<std::string>& arguments);

}  // namespace gaggle::cli
