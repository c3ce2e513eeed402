#include "allocrunner/replica/message.h"

#include "base/wire.h"
#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica {

using namespace test;

namespace {

std::vector<Body> one_of_each() {
    const SignedHeader header = sign(
        keys_of(peer(1)),
        {.lineage = kLineage, .version = {Generation{3}, 4}, .source = peer(1), .tree_bytes = 9});
    const Version version = header.header.version;
    return {Announce{header, {1, 2, 3}},
            WantTree{kLineage, version, 65536},
            TreeSlice{kLineage, version, 65536, {4, 5}},
            WantBlocks{kLineage, version, {{0, 1}, {2, 3}}},
            Blocks{kLineage, version, {{{0, 1}, {6, 7}}}},
            Gone{kLineage, version},
            Complete{kLineage, version, Hash{{8}}, WallTime{9}},
            Refused{kLineage, version, "full"},
            AskCopy{kLineage},
            HaveCopy{kLineage, header}};
}

}  // namespace

TEST_CASE("every message comes back as it was, and knows its lineage") {
    std::size_t index = 0;
    for (const Body& body : one_of_each()) {
        const Bytes bytes = encode_message(body);
        const Body again = must(decode_message(bytes));
        CHECK(again.index() == index++);
        CHECK(encode_message(again) == bytes);
        CHECK(lineage_of(again) == kLineage);
    }
    CHECK(index == std::variant_size_v<Body>);
}

TEST_CASE("the largest messages that we send are within the limit") {
    Rng rng(1);
    Blocks blocks{kLineage, {Generation{1}, 1}, {}};
    for (std::uint32_t at = 0; at < kBlocksPerMessage; ++at)
        blocks.blocks.push_back({{at, at}, random_bytes(rng, kBlockBytes)});
    CHECK(decode_message(encode_message(blocks)).ok());
    CHECK(decode_message(encode_message(TreeSlice{.bytes = Bytes(kTreeSliceBytes)})).ok());
    CHECK(decode_message(encode_message(Announce{.tree = Bytes(std::size_t{128} << 10U)})).ok());
}

TEST_CASE("a message of another version, or that asks for too much at once, is refused") {
    CHECK(!decode_message(encode(Message{.version = kMessageVersion + 1, .body = AskCopy{}})));
    WantBlocks many{.blocks = std::vector<BlockRef>(kBlocksPerMessage + 1)};
    CHECK(!decode_message(encode_message(many)));
    CHECK(!decode_message(encode_message(WantBlocks{})));
    CHECK(!decode_message(Bytes(kMessageBytesMax + 1)));
}

TEST_CASE("whatever the bytes are, decoding a message ends with a message or an error") {
    Rng rng(5);
    const auto bodies = one_of_each();
    std::size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = encode_message(bodies[rng.below(bodies.size())]);
        for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes)
            bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.next());
        if (rng.chance(0.2)) bytes.resize(rng.below(bytes.size() + 1));
        const auto body = decode_message(bytes);
        if (!body) {
            ++refused;
            continue;
        }
        CHECK(encode_message(*body).size() <= kMessageBytesMax);
    }
    CHECK(refused > 5'000);
}

}  // namespace gaggle::replica
