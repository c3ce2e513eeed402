#include "base/wire.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace gaggle {

namespace {

enum class Colour { red, green };
constexpr Colour wire_last(Colour) { return Colour::green; }

struct Leaf {
    std::uint32_t number = 0;
    std::string text;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.number, s.text);
    }
    bool operator==(const Leaf&) const = default;
};

struct Tree {
    PeerId peer;
    Term term;
    Colour colour = Colour::red;
    std::optional<std::int64_t> maybe;
    std::vector<Leaf> leaves;
    std::map<std::string, bool> flags;
    std::variant<std::monostate, Leaf, Bytes> either;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.term, s.colour, s.maybe, s.leaves, s.flags, s.either);
    }
    bool operator==(const Tree&) const = default;
};

struct ShortLeaf {
    std::uint32_t number = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.number);
    }
};

Tree sample() {
    Rng rng(7);
    return {random_id<PeerId>(rng), Term{9},        Colour::green, -5,
            {{1, "a"}, {2, "b"}},   {{"on", true}}, Leaf{3, "c"}};
}

}  // namespace

TEST_CASE("a struct comes back as it went") {
    const Tree tree = sample();
    const auto again = decode<Tree>(encode(tree), "tree", Limits{.fields = Fields::exact});
    REQUIRE(again.ok());
    CHECK(*again == tree);
}

TEST_CASE("real numbers come back as they went, whole ones too") {
    for (const double value : {0.0, 1.0, -1.0, 0.25, -0.494, 1e300, 9007199254740993.0, -4.0}) {
        CAPTURE(value);
        CHECK(*decode<double>(encode(value), "real") == value);
    }
    CHECK(!decode<double>(encode(std::string("1")), "real").ok());
}

TEST_CASE("unknown trailing fields are skipped by the lenient and refused by the exact") {
    const Bytes bytes = encode(Leaf{4, "more"});
    CHECK(decode<ShortLeaf>(bytes, "leaf", Limits{})->number == 4);
    const auto refused = decode<ShortLeaf>(bytes, "leaf", Limits{.fields = Fields::exact});
    REQUIRE(!refused.ok());
    CHECK(refused.error().detail ==
          "decode leaf: struct of 2 fields where this version knows 1: upgrade needed");
}

TEST_CASE("whatever is cut off or flipped, decoding ends with a value or an error") {
    const Bytes bytes = encode(sample());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        CHECK(!decode<Tree>(BytesView(bytes).first(length), "tree").ok());
    }
    Rng rng(1);
    for (int round = 0; round < 20'000; ++round) {
        Bytes damaged = bytes;
        for (int flips = 0; flips < 3; ++flips)
            damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next());
        const auto again = decode<Tree>(damaged, "tree");
        if (again.ok()) CHECK(decode<Tree>(encode(*again), "tree").ok());
    }
}

TEST_CASE("limits hold before memory is taken") {
    const Bytes huge{0xdd, 0xff, 0xff, 0xff, 0xff};  // an array of four billion items
    CHECK(!decode<std::vector<std::uint64_t>>(huge, "numbers").ok());
    Bytes deep(1'000, 0x91);  // arrays of one, each within the other
    deep.push_back(0x01);
    CHECK(!decode<std::vector<std::uint64_t>>(deep, "numbers").ok());
}

TEST_CASE("an unknown enumerator or kind is an error") {
    CHECK(!decode<Colour>(encode(std::uint64_t{2}), "colour").ok());
    CHECK(!(decode<std::variant<std::monostate, Leaf>>(
                encode(std::pair<std::uint64_t, std::uint64_t>{2, 0}), "either")
                .ok()));
}

}  // namespace gaggle
