#include "gctl/cli/options.h"

#include <algorithm>
#include <cctype>

namespace gaggle::cli {

namespace {

bool long_option_with_one_dash(const std::string& word) {
    if (word.size() < 3 || word[0] != '-' || word[1] == '-') return false;
    const std::string name = word.substr(1, word.find('=') - 1);
    return name.size() > 1 && std::all_of(name.begin(), name.end(), [](unsigned char letter) {
               return std::islower(letter) != 0 || letter == '-';
           });
}

}  // namespace

std::vector<std::string> with_double_dashes(const std::vector<std::string>& arguments) {
    std::vector<std::string> out = arguments;
    for (std::string& word : out) {
        if (word == "--") break;
        if (long_option_with_one_dash(word)) word.insert(word.begin(), '-');
    }
    return out;
}

}  // namespace gaggle::cli
