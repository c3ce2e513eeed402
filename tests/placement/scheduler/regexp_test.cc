#include "placement/scheduler/regexp.h"

#include <doctest/doctest.h>

#include <string>

#include "base/rng.h"

namespace gaggle {

TEST_CASE("a regexp finds what Go's would") {
    struct Row {
        const char* pattern;
        const char* text;
        bool found;
    };
    for (const Row& row : {
             Row{"", "", true},
             Row{"b", "abc", true},
             Row{"^b", "abc", false},
             Row{"c$", "abc", true},
             Row{"^abc$", "abc", true},
             Row{"a.c", "a\nc", false},
             Row{"(?s)a.c", "a\nc", true},
             Row{"(?i)LINUX", "linux", true},
             Row{"(?i:A)b", "aB", false},
             Row{"(?i)[a-f]+$", "BEEF", true},
             Row{"a|b|cd", "xcdx", true},
             Row{"^(a|b)*$", "abba", true},
             Row{"^(?:ab)+$", "ababa", false},
             Row{"^a{3}$", "aaa", true},
             Row{"^a{2,3}$", "aaaa", false},
             Row{"^a{2,}$", "aaaa", true},
             Row{"a{,2}", "a{,2}", true},
             Row{"^a+?b??$", "aab", true},
             Row{"^\\d+\\.\\d+$", "4.15", true},
             Row{"\\D", "123", false},
             Row{"^\\w+$", "a_1", true},
             Row{"\\bfoo\\b", "a foo b", true},
             Row{"\\bfoo\\b", "afoo", false},
             Row{"o\\B", "fo", false},
             Row{"[^a-c]", "abc", false},
             Row{"[]a]", "]", true},
             Row{"[a-]", "-", true},
             Row{"[\\d.]+$", "1.2", true},
             Row{"\\.", "x", false},
             Row{"(?P<n>x)y", "xy", true},
             Row{"()", "", true},
             Row{"a**", "a", false},
             Row{"x*", "", true},
         }) {
        CAPTURE(row.pattern);
        CAPTURE(row.text);
        const auto regexp = Regexp::compile(row.pattern);
        CHECK((regexp.ok() && regexp->search(row.text)) == row.found);
    }
}

TEST_CASE("a malformed pattern is refused, and the error says where") {
    for (const char* pattern : {"(", ")", "a)", "[a", "[z-a]", "*", "a**", "\\", "\\q", "(?x)a",
                                "(?P<n", "a{2,1}", "a{1001}", "[[:alpha:]]", "[\\d-x]"}) {
        CAPTURE(pattern);
        const auto regexp = Regexp::compile(pattern);
        REQUIRE(!regexp.ok());
        CHECK(regexp.error().code == Errc::invalid);
        CHECK(regexp.error().detail.find(" at byte ") != std::string::npos);
    }
    CHECK(!Regexp::compile("((a{100}){100}){100}").ok());
    CHECK(!Regexp::compile(std::string(Regexp::kPatternMax + 1, 'a')).ok());
    CHECK(!Regexp::compile(std::string(200, '(') + std::string(200, ')')).ok());
}

TEST_CASE("a pattern that stops a backtracking matcher is judged like any other") {
    const std::string text(5'000, 'a');
    CHECK(!Regexp::compile("^(a+)+$")->search(text + "b"));
    CHECK(!Regexp::compile("(a|aa)+c")->search(text));
    CHECK(Regexp::compile("(a*)*(a*)*(a*)*$")->search(text));
}

TEST_CASE("random patterns are refused or searched, and a quoted text finds itself") {
    Rng rng(5);
    const std::string_view bytes = "ab01()[]{}|*+?.^$\\-,:=dwsPi<>\n";
    for (int round = 0; round < 20'000; ++round) {
        std::string pattern(rng.below(16), ' '), text(rng.below(8), ' '), quoted;
        for (char& byte : pattern) byte = bytes[rng.below(bytes.size())];
        for (char& byte : text) byte = bytes[rng.below(14)];
        for (const char byte : text)
            quoted += std::isalnum(static_cast<unsigned char>(byte)) ? std::string{byte}
                                                                     : std::string{'\\', byte};
        CAPTURE(pattern);
        CAPTURE(text);
        const auto regexp = Regexp::compile(pattern);
        if (regexp.ok() && regexp->search(""))
            CHECK((pattern.find_first_of("^$\\") != std::string::npos || regexp->search(text)));
        CHECK(Regexp::compile(quoted)->search("x" + text));
    }
}

}  // namespace gaggle
