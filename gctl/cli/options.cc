#include "gctl/cli/options.h"

#include <algorithm>
#include <cctype>

namespace gaggle::cli {

namespace {

bool long_option_with_one_dash(const std::string& word) {
    if (word.size() < 3 || word[0] != '-' || word[1] == '-') return false;
    const std::string name = word.substr(1, word.find('=') - 1);
    const auto fits = [](unsigned char sign) {
        return std::islower(sign) != 0 || std::isdigit(sign) != 0 || sign == '-';
    };
    return name.size() > 1 && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
           std::all_of(name.begin(), name.end(), fits);
}

/// `-n=2`, as Go's flags take it.
bool letter_with_value(const std::string& word) {
    return word.size() > 3 && word[0] == '-' && word[2] == '=' &&
           std::isalpha(static_cast<unsigned char>(word[1])) != 0;
}

/// As Nomad's users write the two flags of one letter that can be said to be off.
constexpr std::pair<const char*, const char*> kGoFlags[] = {
    {"-i=true", "-i"},
    {"-i=false", "--no-stdin"},
    {"-t=true", "-t"},
    {"-t=false", "--no-tty"},
    {"--it", "-t"}};  // standard input is passed on anyway

}  // namespace

std::size_t own_words(const std::vector<std::string>& arguments) {
    if (arguments.size() < 2 || arguments[0] != "alloc" || arguments[1] != "exec")
        return arguments.size();
    constexpr std::string_view kWithValue[] = {"task",  "e",          "escape",   "address",
                                               "token", "token-file", "namespace"};
    for (std::size_t at = 2; at < arguments.size(); ++at) {
        const std::string& word = arguments[at];
        if (!word.starts_with('-')) return at + 1;  // behind the allocation
        const std::string name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
        if (std::find(std::begin(kWithValue), std::end(kWithValue), name) != std::end(kWithValue))
            ++at;
    }
    return arguments.size();
}

std::vector<std::string> with_double_dashes(const std::vector<std::string>& arguments) {
    std::vector<std::string> out = arguments;
    const std::size_t end = own_words(arguments);
    for (std::size_t at = 0; at < end && out[at] != "--"; ++at) {
        if (long_option_with_one_dash(out[at])) out[at].insert(out[at].begin(), '-');
        for (const auto& [go, ours] : kGoFlags)
            if (out[at] == go) out[at] = ours;
        if (letter_with_value(out[at])) out[at].erase(2, 1);
    }
    return out;
}

}  // namespace gaggle::cli
