#include "placement/scheduler/version.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace gaggle {

TEST_CASE("lenient versions meet constraints as hashicorp/go-version has it") {
    struct Row {
        const char* version;
        const char* wanted;
        bool meets;
    };
    for (const Row& row : {
             Row{"1.2.3", "1.2.3", true},
             Row{"v1.2", "= 1.2.0", true},
             Row{"1.2.3", "!= 1.2.3", false},
             Row{"1.10.0", "> 1.9", true},
             Row{"1.2.3", ">= 1.0, < 1.3", true},
             Row{"1.3.0", ">= 1.0, < 1.3", false},
             Row{"4.15.0-20-generic", ">= 4.0", false},
             Row{"1.2.0-beta", "> 1.2.0-alpha", true},
             Row{"1.2.1-beta", "> 1.2.0-alpha", false},
             Row{"1.2.0", "> 1.2.0-alpha", true},
             Row{"1.2.0-beta", "< 1.2.0", false},
             Row{"1.2.3+linux", "= 1.2.3", true},
             Row{"1.2.9", "~> 1.2.3", true},
             Row{"1.3.0", "~> 1.2.3", false},
             Row{"1.9.0", "~> 1.2", true},
             Row{"2.0.0", "~> 1.2", false},
             Row{"1.2.2", "~> 1.2.3", false},
             Row{"1.2beta", "= 1.2-beta", true},
             Row{"one", "> 0", false},
             Row{"1.2", "> ", false},
             Row{"1.2", "", false},
             Row{"1..2", "> 0", false},
             Row{"99999999999999999999", "> 1", false},
         }) {
        CAPTURE(row.version);
        CAPTURE(row.wanted);
        CHECK(version_meets(row.version, row.wanted, VersionSyntax::lenient) == row.meets);
    }
}

TEST_CASE("semantic versions are strict and order pre-releases before the release") {
    struct Row {
        const char* version;
        const char* wanted;
        bool meets;
    };
    for (const Row& row : {
             Row{"1.2.3", ">= 1.2.0", true},
             Row{"1.2", ">= 1.0.0", false},
             Row{"v1.2.3", ">= 1.0.0", false},
             Row{"01.2.3", ">= 1.0.0", false},
             Row{"1.0.0-alpha", "< 1.0.0", true},
             Row{"1.0.0-alpha.1", "> 1.0.0-alpha", true},
             Row{"1.0.0-alpha.beta", "> 1.0.0-alpha.1", true},
             Row{"1.0.0-beta.11", "> 1.0.0-beta.2", true},
             Row{"1.0.0-rc.1", "> 1.0.0-beta.11", true},
             Row{"1.0.0+b1", "= 1.0.0+b2", true},
             Row{"1.2.3", "~> 1.2.0", false},
         }) {
        CAPTURE(row.version);
        CAPTURE(row.wanted);
        CHECK(version_meets(row.version, row.wanted, VersionSyntax::semver) == row.meets);
    }
}

TEST_CASE("whatever the text, a version compares equal to itself or is malformed") {
    Rng rng(3);
    const std::string_view letters = "0123456789..--++v~ab =<>,";
    for (int round = 0; round < 20'000; ++round) {
        std::string text(rng.below(12), ' ');
        for (char& letter : text) letter = letters[rng.below(letters.size())];
        CAPTURE(text);
        const auto version = parse_version(text, VersionSyntax::lenient);
        if (version) CHECK(version->compare(*version) == 0);
        CHECK((!parse_version(text, VersionSyntax::semver) ||
               version));  // the strict is part of the lenient
    }
}

}  // namespace gaggle
