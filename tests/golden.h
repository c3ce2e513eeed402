// Golden scripts: a directive, then the whole answer of the core under test.
//
//     # A suspect that hears of its suspicion refutes it.
//     receive from=b suspect who=a incarnation=4
//     ----
//     send to=b alive who=a incarnation=5
//
// A block is comments, directive lines, `----`, and the expected answer up to a blank line. The
// whole answer is compared, so that nothing happens unseen. With UPDATE=1 in the environment the
// file is rewritten with what the core answers now: read the difference before committing it (the
// form is that of etcd's raft tests).
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace gaggle::golden {

/// One line of a script: a name, then words and `key=value` arguments, separated by blanks.
struct Directive {
    std::string name;
    std::vector<std::string> words;
    std::map<std::string, std::string> arguments;
    std::string line;  ///< as written

    bool has(const std::string& key) const { return arguments.contains(key); }
    bool says(const std::string& word) const {
        return std::find(words.begin(), words.end(), word) != words.end();
    }
    std::string get(const std::string& key, const std::string& fallback = "") const {
        const auto found = arguments.find(key);
        return found == arguments.end() ? fallback : found->second;
    }
    std::int64_t number(const std::string& key, std::int64_t fallback = 0) const {
        return has(key) ? std::stoll(get(key)) : fallback;
    }
};

/// Answers one directive in lines, none of them blank. Throws std::runtime_error for a line that it
/// cannot read.
using Handler = std::function<std::string(const Directive&)>;

inline Directive parse(const std::string& line) {
    Directive directive{.line = line};
    std::istringstream words(line);
    words >> directive.name;
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        if (equals == std::string::npos)
            directive.words.push_back(word);
        else
            directive.arguments[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return directive;
}

/// A file is a sequence of blocks; comments and blank lines before a block belong to it.
struct Block {
    std::string head;  ///< comments, as written
    std::vector<std::string> directives;
    std::string expected;
    int line = 0;  ///< of the first directive, from 1
};

inline std::vector<Block> read_blocks(std::istream& in) {
    std::vector<Block> blocks;
    Block block;
    bool answer = false;
    int number = 0;
    const auto finish = [&] {
        if (answer || !block.directives.empty() || !block.head.empty()) blocks.push_back(block);
        block = Block{};
        answer = false;
    };
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty() && (answer || !block.directives.empty()))
            finish();
        else if (answer)
            block.expected += line + "\n";
        else if (line == "----")
            answer = true;
        else if (line.empty() || line[0] == '#')
            block.head += line + "\n";
        else {
            if (block.directives.empty()) block.line = number;
            block.directives.push_back(line);
        }
    }
    finish();
    return blocks;
}

inline std::string answer_to(const Block& block, const Handler& handler) {
    std::string answer;
    for (const auto& line : block.directives) {
        try {
            answer += handler(parse(line));
        } catch (const std::exception& error) {
            answer += "cannot run \"" + line + "\": " + error.what() + "\n";
        }
        if (!answer.empty() && answer.back() != '\n') answer += "\n";
    }
    return answer.empty() ? "nothing\n" : answer;
}

inline bool update_wanted() {
    const char* update = std::getenv("UPDATE");
    return update != nullptr && std::string(update) == "1";
}

/// Runs one script against one fresh handler, block by block, or rewrites it.
inline void run_file(const std::filesystem::path& file, const Handler& handler) {
    std::ifstream in(file);
    REQUIRE_MESSAGE(in.good(), "cannot open " << file.string());
    const auto blocks = read_blocks(in);
    std::string rewritten;
    for (const auto& block : blocks) {
        rewritten += block.head;
        if (block.directives.empty()) continue;
        const std::string answer = answer_to(block, handler);
        for (const auto& line : block.directives) rewritten += line + "\n";
        rewritten += "----\n" + answer + "\n";
        if (update_wanted()) continue;
        const std::string place = file.filename().string() + ":" + std::to_string(block.line);
        CHECK_MESSAGE(answer == block.expected,
                      place << ": " << block.directives.back() << "\n--- expected\n"
                            << block.expected << "--- answered\n"
                            << answer << "(UPDATE=1 rewrites the script)");
    }
    if (!update_wanted()) return;
    while (rewritten.ends_with("\n\n")) rewritten.pop_back();
    std::ofstream(file) << rewritten;
}

/// The folder tests/golden, found from the working directory upward.
inline std::filesystem::path folder() {
    for (auto at = std::filesystem::current_path(); at.has_relative_path(); at = at.parent_path())
        if (std::filesystem::is_directory(at / "tests/golden")) return at / "tests/golden";
    return "tests/golden";
}

/// Runs every tests/golden/NAME/*.txt in the order of names; `fresh` makes the handler of each.
inline void run_folder(const std::string& name, const std::function<Handler()>& fresh) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder() / name))
        if (entry.path().extension() == ".txt") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    REQUIRE_MESSAGE(!files.empty(), "no golden script under tests/golden/" << name);
    for (const auto& file : files) run_file(file, fresh());
}

}  // namespace gaggle::golden
