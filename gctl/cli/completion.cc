#include "gctl/cli/completion.h"

namespace gaggle::cli {

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

}  // namespace

std::string bash_completion(const std::vector<CommandWords>& commands) {
    std::string out =
        "# Completion of gctl for bash: source <(gctl completion bash)\n"
        "_gctl() {\n"
        "    local word=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \"$path ${COMP_WORDS[i]}\" in\n";
    for (const CommandWords& command : commands)
        if (!command.path.empty())
            out += "            \" " + command.path + "\") path=\" " + command.path + "\" ;;\n";
    out +=
        "        esac\n"
        "    done\n"
        "    local words=\"\" options=\"\"\n"
        "    case \"$path\" in\n";
    for (const CommandWords& command : commands) {
        const std::string path = command.path.empty() ? "" : " " + command.path;
        out += "        \"" + path + "\") words=\"" + joined(command.subcommands) +
               "\"; options=\"" + joined(command.options) + "\" ;;\n";
    }
    out +=
        "    esac\n"
        "    if [[ $word == -* ]]; then words=\"$options\"; fi\n"
        "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
        "    if [[ -z $words ]]; then COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
        "}\n"
        "complete -o filenames -F _gctl gctl\n";
    return out;
}

}  // namespace gaggle::cli
