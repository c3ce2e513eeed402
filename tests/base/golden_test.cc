#include "tests/golden.h"

namespace gaggle {

TEST_CASE("a golden script is read block by block") {
    std::istringstream script("# top\n\n# why\ntick now=5 hard\ntock\n----\none\ntwo\n\n# end\n");
    const auto blocks = golden::read_blocks(script);
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[0].head == "# top\n\n# why\n");
    CHECK(blocks[0].directives == std::vector<std::string>{"tick now=5 hard", "tock"});
    CHECK(blocks[0].expected == "one\ntwo\n");
    CHECK(blocks[0].line == 4);
    CHECK(blocks[1].head == "# end\n");

    const auto directive = golden::parse(blocks[0].directives[0]);
    CHECK(directive.name == "tick");
    CHECK(directive.number("now") == 5);
    CHECK(directive.says("hard"));
    CHECK(directive.get("absent", "-") == "-");
}

TEST_CASE("an answer is all that the directives of a block gave") {
    const golden::Block block{.directives = {"a", "b", "c"}};
    const auto name_unless_b = [](const golden::Directive& directive) {
        return directive.name == "b" ? std::string() : directive.name;
    };
    CHECK(golden::answer_to(block, name_unless_b) == "a\nc\n");
    CHECK(golden::answer_to(block, [](const golden::Directive&) { return ""; }) == "nothing\n");
}

}  // namespace gaggle
