#include "allocrunner/replica/replica.h"

#include "tests/allocrunner/replica/world.h"

namespace gaggle::replica {

using namespace test;

namespace {

const PeerId kSource = peer(1);
const PeerId kFirst = peer(2);
const PeerId kSecond = peer(3);

Watch watch(std::uint64_t generation = 7) {
    return {.lineage = kLineage,
            .generation = {generation},
            .alloc = kAlloc,
            .holders = {kFirst, kSecond},
            .period = 1s};
}

/// The holder has exactly what the allocation's directory holds now.
bool is_up_to_date(World& world, const PeerId& holder, const PeerId& source = kSource) {
    const auto header = world.check_copy(holder);
    return header && header->root == scan_of(world.files(source), world.alloc_path()).root;
}

void put(World& world, const std::string& name, const Bytes& content, const PeerId& at = kSource) {
    world.files(at).set_wall(world.wall());
    put_file(world.files(at), world.alloc_path() + "/alloc/data/" + name, content);
}

}  // namespace

TEST_CASE("holders get what the source has, and then only what changes") {
    World world(3, 1);
    put(world, "big", random_bytes(world.rng(), 50 * kBlockBytes));
    world.give(kSource, watch());
    REQUIRE(world.run(
        30s, [&] { return is_up_to_date(world, kFirst) && is_up_to_date(world, kSecond); }));
    CHECK(world.at(kFirst).blocks_received == 50);

    world.files(kSource).set_wall(world.wall());
    must(world.files(kSource).write(world.alloc_path() + "/alloc/data/big", 9 * kBlockBytes,
                                    Bytes(3, 1)));
    REQUIRE(world.run(30s, [&] { return is_up_to_date(world, kFirst); }));
    CHECK(world.at(kFirst).blocks_received == 51);

    const auto completed = world.events<CopyComplete>(kFirst);
    REQUIRE(completed.size() == 2);
    CHECK(completed[1].version == Version{Generation{7}, 2});
    CHECK(completed[1].source == kSource);
    world.run(1s);
    const auto confirmed = world.events<HolderConfirmed>(kSource);
    CHECK(confirmed.size() == 4);
    CHECK(confirmed.back().version == Version{Generation{7}, 2});
}

TEST_CASE("a copy of a directory that does not change stays fresh, and costs little") {
    World world(2, 1);
    put(world, "big", random_bytes(world.rng(), 20 * kBlockBytes));
    world.give(kSource, watch());
    world.run(20s);
    const WallTime before = world.replica(kFirst).newest(kLineage)->taken_at;
    const std::uint64_t sent = world.at(kSource).bytes_sent;
    world.run(60s);
    const Header after = *world.replica(kFirst).newest(kLineage);
    CHECK(after.version.n == 1);
    CHECK(after.taken_at.nanoseconds - before.nanoseconds >= 50'000'000'000);
    CHECK(world.at(kSource).bytes_sent - sent < 60'000);
    const auto there = world.replica(kSource).copies(kLineage);
    REQUIRE(there.size() == 2);
    CHECK(there[0].role == CopyInfo::Role::held_there);
    CHECK(there[0].peer == kFirst);
    CHECK(there[0].taken_at == after.taken_at);
    CHECK(there[0].bytes == 20 * kBlockBytes);
    const auto here = world.replica(kFirst).copies(kLineage);
    REQUIRE(here.size() == 1);
    CHECK(here[0].role == CopyInfo::Role::held_here);
    CHECK(here[0].peer == kSource);
    CHECK(here[0].version == after.version);
}

TEST_CASE("whatever is lost, cut, crashed or written meanwhile, a copy is one scanned version") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        World world(3, seed, {.patience = 2s, .give_up = 10s, .rest = 1s});
        world.loss = 0.2;
        world.delay_max = 200ms;
        Rng chaos(seed * 1000);
        world.give(kSource, watch());
        std::map<PeerId, Version> newest;
        for (int round = 0; round < 40; ++round) {
            world.files(kSource).set_wall(world.wall());
            if (round < 30 && chaos.chance(0.7))
                fill_at_random(world.files(kSource), world.alloc_path(), chaos);
            if (chaos.chance(0.1)) world.cut_off(chaos.chance(0.5) ? kFirst : kSource);
            if (chaos.chance(0.3)) world.heal();
            const PeerId holder = chaos.chance(0.5) ? kFirst : kSecond;
            if (chaos.chance(0.1)) {
                world.crash(holder);
                world.start(holder);
                newest.erase(holder);
            }
            if (round < 30 && chaos.chance(0.05)) {
                must(world.files(kSource).sync_all());
                world.crash(kSource);
                world.start(kSource);
                world.give(kSource, watch());
            }
            world.run(Duration(chaos.between(10'000, 3'000'000)));
            for (const PeerId& id : {kFirst, kSecond}) {
                const auto header = world.check_copy(id);
                if (!header) continue;
                CHECK(header->version >= newest[id]);
                newest[id] = header->version;
            }
        }
        world.heal();
        world.loss = 0;
        REQUIRE(world.run(
            120s, [&] { return is_up_to_date(world, kFirst) && is_up_to_date(world, kSecond); }));
    }
}

TEST_CASE("the same seed gives the same story") {
    const auto story = [] {
        World world(3, 5);
        world.loss = 0.1;
        Rng chaos(9);
        world.give(kSource, watch());
        for (int round = 0; round < 10; ++round) {
            fill_at_random(world.files(kSource), world.alloc_path(), chaos);
            world.run(700ms);
        }
        return std::pair(world.at(kSource).bytes_sent, world.at(kFirst).bytes_sent);
    };
    CHECK(story() == story());
}

TEST_CASE("a block that changes before it is read is not sent; the next version completes") {
    World world(2, 1);
    // More than what scans keep in memory, so that blocks are read from the file again.
    put(world, "big", random_bytes(world.rng(), 400 * kBlockBytes));
    world.give(kSource, watch());
    int left = 3;
    world.drop = [&](const PeerId&, const PeerId&, const Body& body) {
        if (std::holds_alternative<WantBlocks>(body) && left > 0 && world.rng().chance(0.1)) {
            --left;
            put(world, "big", random_bytes(world.rng(), 400 * kBlockBytes));
        }
        return false;
    };
    REQUIRE(world.run(60s, [&] { return is_up_to_date(world, kFirst); }));
    CHECK(left == 0);
    CHECK(world.replica(kFirst).newest(kLineage)->version.n > 1);
}

TEST_CASE("a file that grows all the time is copied nevertheless") {
    World world(2, 1);
    world.give(kSource, watch());
    Bytes log;
    std::size_t versions = 0;
    for (int step = 0; step < 200; ++step) {
        const Bytes line = random_bytes(world.rng(), 500);
        log.insert(log.end(), line.begin(), line.end());
        put(world, "log", log);
        world.run(100ms);
        versions = world.events<CopyComplete>(kFirst).size();
    }
    CHECK(versions >= 10);
    world.check_copy(kFirst);
}

TEST_CASE("an interrupted pull goes on with what is missing") {
    World world(2, 1, {.give_up = 5s});
    put(world, "big", random_bytes(world.rng(), 60 * kBlockBytes));
    world.give(kSource, watch());
    REQUIRE(world.run(20s, [&] { return world.at(kFirst).blocks_received >= 30; }));
    world.cut_off(kSource);
    world.run(20s);
    CHECK(!world.replica(kFirst).newest(kLineage));
    world.heal();
    REQUIRE(world.run(40s, [&] { return is_up_to_date(world, kFirst); }));
    CHECK(world.at(kFirst).blocks_received <= 60 + 16);
}

TEST_CASE("a holder that was restarted goes on from its disk") {
    World world(2, 1);
    put(world, "big", random_bytes(world.rng(), 60 * kBlockBytes));
    world.give(kSource, watch());
    REQUIRE(world.run(20s, [&] { return world.at(kFirst).blocks_received >= 30; }));
    must(world.files(kFirst).sync_all());
    world.crash(kFirst);
    world.start(kFirst);
    REQUIRE(world.run(40s, [&] { return is_up_to_date(world, kFirst); }));
    CHECK(world.at(kFirst).blocks_received <= 60 + 16);
}

TEST_CASE("an agent that was restarted counts on above what its holders have") {
    World world(2, 1);
    put(world, "a", Bytes(10, 1));
    world.give(kSource, watch());
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst); }));
    put(world, "a", Bytes(10, 2));
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst); }));
    CHECK(world.replica(kFirst).newest(kLineage)->version.n == 2);
    must(world.files(kSource).sync_all());
    world.crash(kSource);
    world.start(kSource);
    put(world, "a", Bytes(10, 3));
    world.give(kSource, watch());
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst); }));
    CHECK(world.replica(kFirst).newest(kLineage)->version.n == 3);
}

TEST_CASE("an earlier writer does not overwrite the copy of a later one") {
    World world(4, 1);
    const PeerId old = peer(4);
    put(world, "a", Bytes(10, 1), old);
    Watch earlier = watch(6);
    earlier.holders = {kFirst};
    world.give(old, earlier);
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst, old); }));
    // A later writer takes over; the earlier one has not heard of it and goes on.
    put(world, "a", Bytes(10, 2));
    world.give(kSource, watch(7));
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst); }));
    put(world, "a", Bytes(10, 3), old);
    world.run(30s);
    CHECK(is_up_to_date(world, kFirst));
    CHECK(world.check_copy(kFirst)->version.generation == Generation{7});
    const auto troubles = world.events<Trouble>(old);
    REQUIRE(!troubles.empty());
    CHECK(troubles.back().reason.find("later writer") != std::string::npos);
}

TEST_CASE("what is not signed by its source is not taken") {
    World world(3, 1);
    SignedHeader forged = sign(
        keys_of(kSecond),
        {.lineage = kLineage, .version = {Generation{9}, 1}, .source = kSource, .tree_bytes = 1});
    world.give(kFirst, Received{kSource, encode_message(Announce{forged, {}})});
    world.give(kFirst, Received{kSecond, encode_message(Announce{forged, {}})});
    // Rightly signed, but announced by another than its source.
    forged = sign(keys_of(kSource), forged.header);
    world.give(kFirst, Received{kSecond, encode_message(Announce{forged, {}})});
    world.give(kFirst, Received{kSecond, Bytes(20, 7)});
    CHECK(world.replica(kFirst).malformed() == 4);
    CHECK(world.replica(kFirst).copies().empty());
}

TEST_CASE("a peer that must restore fetches the newest version that holders have") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        World world(4, seed);
        put(world, "a", random_bytes(world.rng(), 30 * kBlockBytes));
        world.give(kSource, watch());
        REQUIRE(world.run(
            30s, [&] { return is_up_to_date(world, kFirst) && is_up_to_date(world, kSecond); }));
        world.cut.emplace(kSource, kFirst);
        put(world, "a", random_bytes(world.rng(), 30 * kBlockBytes));
        REQUIRE(world.run(30s, [&] { return is_up_to_date(world, kSecond); }));
        const Header newest = *world.replica(kSecond).newest(kLineage);
        world.heal();
        world.cut_off(kSource);
        world.loss = 0.1;

        const PeerId fresh = peer(4);
        world.give(fresh, Fetch{kLineage, {kSource, kFirst, kSecond}});
        REQUIRE(world.run(60s, [&] { return !world.events<FetchDone>(fresh).empty(); }));
        const FetchDone done = world.events<FetchDone>(fresh)[0];
        CHECK(done.error == "");
        CHECK(done.version == newest.version);
        CHECK(world.check_copy(fresh)->root == newest.root);
        const AllocId alloc{{2}};
        must(world.at(fresh).copier->restore(kLineage, alloc, world.wall()));
        CHECK(scan_of(world.files(fresh), world.alloc_path(alloc)).root == newest.root);
    }
}

TEST_CASE("after all agents were restarted and the source is gone, a copy is still offered") {
    World world(3, 1);
    put(world, "a", random_bytes(world.rng(), 3 * kBlockBytes));
    world.give(kSource, watch());
    REQUIRE(world.run(30s, [&] { return is_up_to_date(world, kFirst); }));
    const Header held = *world.replica(kFirst).newest(kLineage);
    for (const PeerId& id : {kSource, kFirst, kSecond}) world.crash(id);
    world.start(kFirst);
    world.start(kSecond);
    REQUIRE(world.replica(kFirst).newest(kLineage));
    CHECK(world.replica(kFirst).newest(kLineage)->version == held.version);
    world.give(kSecond, Fetch{kLineage, {kSource, kFirst}});
    REQUIRE(world.run(30s, [&] { return !world.events<FetchDone>(kSecond).empty(); }));
    CHECK(world.events<FetchDone>(kSecond)[0].error == "");
    CHECK(world.check_copy(kSecond)->root == held.root);
}

TEST_CASE("a fetch finds the one holder among many peers") {
    World world(40, 1);
    put(world, "a", Bytes(10, 1));
    Watch one = watch();
    one.holders = {peer(40)};
    world.give(kSource, one);
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, peer(40)); }));
    world.cut_off(kSource);
    std::set<PeerId> all;
    for (std::uint8_t number = 1; number <= 40; ++number) all.insert(peer(number));
    world.give(kFirst, Fetch{kLineage, all});
    REQUIRE(world.run(10s, [&] { return !world.events<FetchDone>(kFirst).empty(); }));
    CHECK(world.events<FetchDone>(kFirst)[0].error == "");
    CHECK(world.check_copy(kFirst));
}

TEST_CASE("a fetch takes the next best when a holder turns out damaged") {
    World world(4, 1);
    put(world, "a", random_bytes(world.rng(), 3 * kBlockBytes));
    world.give(kSource, watch());
    REQUIRE(world.run(
        30s, [&] { return is_up_to_date(world, kFirst) && is_up_to_date(world, kSecond); }));
    world.cut_off(kSource);
    world.files(kFirst).damage("copies/" + folder_of(kLineage) + "/tree/alloc/data/a", 5);
    world.give(peer(4), Fetch{kLineage, {kFirst, kSecond}});
    REQUIRE(world.run(120s, [&] { return !world.events<FetchDone>(peer(4)).empty(); }));
    CHECK(world.events<FetchDone>(peer(4))[0].error == "");
    CHECK(world.check_copy(peer(4)));
    REQUIRE(world.events<Trouble>(kFirst).size() == 1);
    CHECK(world.events<Trouble>(kFirst)[0].reason.find("damaged") != std::string::npos);
}

TEST_CASE("a fetch that nobody can answer ends and says so") {
    World world(3, 1);
    world.give(kFirst, Fetch{kLineage, {kSource, kSecond}});
    REQUIRE(world.run(5s, [&] { return !world.events<FetchDone>(kFirst).empty(); }));
    CHECK(world.events<FetchDone>(kFirst)[0].error.find("none of the peers") != std::string::npos);
    world.cut_off(kSource);
    world.give(kFirst, Fetch{kLineage, {kSource}});
    REQUIRE(world.run(60s, [&] { return world.events<FetchDone>(kFirst).size() == 2; }));
}

TEST_CASE("asked, a peer says how fresh its copy is") {
    World world(4, 1);
    put(world, "a", Bytes(10, 1));
    world.give(kSource, watch());
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst); }));
    world.cut_off(kSource);
    world.give(peer(4), Ask{kLineage, {kFirst, peer(4)}});
    world.run(1s);
    const auto heard = world.events<CopyHeard>(peer(4));
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].from == kFirst);
    CHECK(heard[0].version == Version{Generation{7}, 1});
    CHECK(heard[0].taken_at == world.replica(kFirst).newest(kLineage)->taken_at);
}

TEST_CASE("after a failover the new source sends only what it changed, also to the old one") {
    World world(3, 1);
    put(world, "a", random_bytes(world.rng(), 40 * kBlockBytes));
    world.give(kSource, watch());
    REQUIRE(world.run(
        30s, [&] { return is_up_to_date(world, kFirst) && is_up_to_date(world, kSecond); }));
    world.cut_off(kSource);
    const AllocId alloc{{2}};
    must(world.at(kFirst).copier->restore(kLineage, alloc, world.wall()));
    world.files(kFirst).set_wall(world.wall());
    must(world.files(kFirst).write(world.alloc_path(alloc) + "/alloc/data/a", 0, Bytes(5, 1)));
    const std::uint64_t before = world.at(kSecond).blocks_received;
    world.give(
        kFirst,
        Watch{
            .lineage = kLineage, .generation = {8}, .alloc = alloc, .holders = {kSource, kSecond}});
    CHECK(!world.replica(kFirst).newest(kLineage));
    REQUIRE(world.run(30s, [&] {
        const auto header = world.check_copy(kSecond);
        return header && header->version.generation == Generation{8};
    }));
    CHECK(world.at(kSecond).blocks_received == before + 1);
    // The old source hears that its allocation was replaced, and becomes a holder.
    world.heal();
    world.give(kSource, Unwatch{kLineage});
    REQUIRE(world.run(30s, [&] {
        const auto header = world.check_copy(kSource);
        return header && header->version.generation == Generation{8};
    }));
}

TEST_CASE("limits are kept, and said") {
    World world(3, 1, {.lineages_max = 2, .bytes_max = 10 * kBlockBytes});
    put(world, "a", random_bytes(world.rng(), 11 * kBlockBytes));
    world.give(kSource, watch());
    world.run(5s);
    CHECK(!world.replica(kFirst).newest(kLineage));
    const auto at_source = world.replica(kSource).copies(kLineage);
    REQUIRE(at_source.size() == 2);
    CHECK(at_source[0].trouble.find("left for copies") != std::string::npos);
    put(world, "a", random_bytes(world.rng(), 9 * kBlockBytes));
    REQUIRE(world.run(20s, [&] { return is_up_to_date(world, kFirst); }));
    world.run(1s);
    CHECK(world.replica(kSource).copies(kLineage)[0].trouble == "");

    for (const char* job : {"two", "three"}) {
        Watch other = watch();
        other.lineage.job = job;
        world.give(kSource, other);
    }
    const auto troubles = world.events<Trouble>(kSource);
    REQUIRE(!troubles.empty());
    CHECK(troubles.back().lineage.job == "three");
    CHECK(troubles.back().reason.find("its limit") != std::string::npos);
}

TEST_CASE("serving keeps to its bandwidth") {
    World world(3, 1, {.bytes_per_second = 1U << 20U});
    put(world, "a", random_bytes(world.rng(), 80 * kBlockBytes));  // 5 MiB, twice
    world.give(kSource, watch());
    const TimePoint begin = world.now();
    REQUIRE(world.run(
        60s, [&] { return is_up_to_date(world, kFirst) && is_up_to_date(world, kSecond); }));
    CHECK(world.now() - begin > 9s);
    CHECK(world.now() - begin < 20s);
}

TEST_CASE("a full disk at the holder is said at the source, and passes") {
    World world(2, 1, {.rest = 2s});
    put(world, "a", random_bytes(world.rng(), 3 * kBlockBytes));
    world.files(kFirst).set_full(true);
    world.give(kSource, watch());
    world.run(5s);
    CHECK(world.replica(kSource).copies(kLineage)[0].trouble.find("no space left") !=
          std::string::npos);
    world.files(kFirst).set_full(false);
    REQUIRE(world.run(30s, [&] { return is_up_to_date(world, kFirst); }));
    world.run(1s);
    CHECK(world.replica(kSource).copies(kLineage)[0].trouble == "");
}

TEST_CASE("a dropped copy is forgotten") {
    World world(2, 1);
    put(world, "a", Bytes(10, 1));
    world.give(kSource, watch());
    REQUIRE(world.run(10s, [&] { return is_up_to_date(world, kFirst); }));
    world.give(kSource, Unwatch{kLineage});
    world.give(kFirst, Drop{kLineage});
    world.run(20s);
    CHECK(world.replica(kFirst).copies().empty());
    CHECK(must(world.files(kFirst).list("copies")).empty());
    CHECK(world.replica(kSource).copies().empty());
    CHECK(!world.replica(kSource).next_wakeup());
}

}  // namespace gaggle::replica
