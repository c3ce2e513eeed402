// What is wrong with a command line, in our words instead of the parser's.
#include <CLI/CLI.hpp>
#include <charconv>

#include "gctl/cli/nomad_words.h"
#include "gctl/cli/option_builder.h"
#include "placement/jobspec/diagnostic.h"

namespace gaggle::cli {

std::function<std::string(const std::string&)> whole_number(std::int64_t least, std::int64_t most) {
    return [least, most](const std::string& text) -> std::string {
        std::int64_t number = 0;
        const char* end = text.data() + text.size();
        const auto [stop, failed] = std::from_chars(text.data(), end, number);
        if (failed == std::errc() && stop == end && number >= least && number <= most) return "";
        std::string wanted = "wants a number";
        if (most < kNumberMax)
            wanted += " from " + std::to_string(least) + " to " + std::to_string(most);
        else if (least > 0)
            wanted += " of at least " + std::to_string(least);
        return wanted + ", not \"" + text + "\"";
    };
}

namespace {

std::string unexpected(const CLI::App& root, const CLI::App& app, const std::string& path) {
    const std::vector<std::string> extra = root.remaining(true);
    const auto option = std::find_if(extra.begin(), extra.end(), [](const std::string& word) {
        return word.size() > 1 && word.starts_with('-');
    });
    if (option == extra.end())
        return "`" + path + "` does not know what to do with \"" +
               (extra.empty() ? "" : extra.front()) + "\": that is one word too many";
    const std::string name = option->substr(0, option->find('='));
    std::vector<std::string> words;
    for (std::size_t at = path.find(' '); at != std::string::npos;) {
        const std::size_t end = path.find(' ', at + 1);
        words.push_back(path.substr(at + 1, end == std::string::npos ? end : end - at - 1));
        at = end;
    }
    words.push_back(name);
    std::string hint = nomad_hint(words);
    std::vector<std::string> known;
    for (const CLI::Option* one : app.get_options())
        for (const std::string& text : one->get_lnames()) known.push_back("--" + text);
    const std::string near = nearest(name, known);
    if (hint.empty() && !near.empty()) hint = "did you mean `" + near + "`?";
    return "`" + path + "` has no option " + name + (hint.empty() ? "" : "; " + hint);
}

}  // namespace

std::string words_of(const CLI::ParseError& error, const CLI::App& root, const CLI::App& app,
                     const std::string& path) {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
        return unexpected(root, app, path);
    std::string text = error.what();
    constexpr std::string_view kConvert = "Could not convert: ";
    if (const auto equals = text.find(" = "); text.starts_with(kConvert) && equals < text.size()) {
        const std::string name = text.substr(kConvert.size(), equals - kConvert.size());
        const CLI::Option* option = app.get_option_no_throw(name);
        const bool flag = option != nullptr && option->get_items_expected_max() == 0;
        return name + (flag ? " wants true or false, not \"" : " wants a number, not \"") +
               text.substr(equals + 3) + "\"";
    }
    if (const auto needs = text.find(": 1 required "); text.ends_with(" missing"))
        return text.substr(0, needs) + " wants a value";
    if (const auto many = text.find(": At Most 1 required"); many != std::string::npos)
        return text.substr(0, many) + " is there more than once";
    // The name of the option that a check refused, and what the check says.
    if (const auto wants = text.find(": wants "); wants != std::string::npos) text.erase(wants, 1);
    return text;
}

}  // namespace gaggle::cli
