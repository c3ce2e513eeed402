// A completion script for bash, made from the words that the parser knows.
#pragma once

#include <string>
#include <vector>

namespace gaggle::cli {

struct CommandWords {
    std::string path;  ///< "job run"; empty: gctl itself
    std::vector<std::string> subcommands;
    std::vector<std::string> options;  ///< with their dashes
};

std::string bash_completion(const std::vector<CommandWords>& commands);

}  // namespace gaggle::cli
