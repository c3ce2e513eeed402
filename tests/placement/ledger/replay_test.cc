// Two ledgers, one log: random commands, garbage and duplicates; one of the two is replaced by a
// restored snapshot of itself now and then. They must never differ by a byte, and the books must
// always add up.
#include <algorithm>

#include "base/wire.h"
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

constexpr std::uint32_t kPeers = 5;

/// Draws commands that mean something in the present state, and some that do not.
struct Dice {
    Rng rng;
    const Ledger& ledger;
    SessionId session{};
    std::uint64_t sequence = 0;
    std::vector<Bundle> sent{};

    template <class Map>
    typename Map::key_type any(const Map& map) {
        if (map.empty() || rng.chance(0.03)) return {};
        auto at = map.begin();
        std::advance(at, rng.below(map.size()));
        return at->first;
    }
    PeerNumber peer() { return {static_cast<std::uint32_t>(rng.between(0, kPeers + 1))}; }
    std::uint8_t nth() { return static_cast<std::uint8_t>(rng.between(1, 2)); }
    std::string job() { return std::string(1, static_cast<char>('a' + rng.below(4))); }

    Job some_job(const std::string& id) {
        Job out = job_named(id, rng.between(0, 6), rng.between(50, 400));
        if (rng.chance(0.1)) out.type = JobType::system;
        if (rng.chance(0.5)) out.groups[0].networks.push_back({.ports = {{.label = "p"}}});
        if (rng.chance(0.2))
            out.groups[0].networks.push_back({.ports = {{.label = "s", .fixed = 80}}});
        if (rng.chance(0.2))
            out.groups[0].disconnect = DisconnectStrategy{.lost_after = rng.between(0, 40) * 1s};
        return out;
    }

    EvalEnd end() {
        EvalEnd out;
        out.status = static_cast<EvalStatus>(rng.below(5));
        if (rng.chance(0.4)) out.queued["g"] = static_cast<std::uint32_t>(rng.below(3));
        if (rng.chance(0.2)) out.follow_up_after = rng.between(-5, 60) * 1s;
        if (rng.chance(0.3)) out.waiting.push_back(any(ledger.allocs()));
        return out;
    }

    Claim claim(const JobKey& key) {
        Claim out;
        out.alloc = rng.chance(0.02) ? any(ledger.allocs()) : random_id<AllocId>(rng);
        out.group = rng.chance(0.98) ? "g" : "h";
        out.index = static_cast<std::uint32_t>(rng.below(6));
        if (const JobRecord* record = ledger.job(key); record != nullptr && rng.chance(0.9))
            out.job_version = record->current().version;
        const SlotRecord* slot = ledger.slot({key, "g", out.index});
        if (slot != nullptr && rng.chance(0.6)) out.replaces = slot->last;
        if (rng.chance(0.3)) out.reschedule_delay = 5s;
        for (std::int64_t left = rng.between(1, 4); left > 0; --left)
            out.candidates.push_back(peer());
        return out;
    }

    Bundle bundle() {
        if (!sent.empty() && rng.chance(0.1)) return sent[rng.below(sent.size())];
        Bundle out;
        out.session = session;
        out.sequence = ++sequence;
        out.acknowledged = rng.chance(0.3) ? sequence - std::min<std::uint64_t>(sequence, 5) : 0;
        out.claimant = peer();
        out.job = {"default", job()};
        out.eval = rng.chance(0.4) ? any(ledger.evals()) : random_id<EvalId>(rng);
        if (rng.chance(0.25)) out.registration = RegisterJob{some_job(out.job.id), std::nullopt};
        if (rng.chance(0.05)) out.deregistration = Deregister{rng.chance(0.5)};
        if (rng.chance(0.2))
            out.stops.push_back({any(ledger.allocs()), "why not", rng.chance(0.2)});
        if (rng.chance(0.2)) out.in_place.push_back(any(ledger.allocs()));
        for (std::int64_t left = rng.between(0, 4); left > 0; --left)
            out.claims.push_back(claim(out.job));
        out.all_at_once = rng.chance(0.2);
        if (rng.chance(0.5)) out.end = end();
        if (rng.chance(0.8))
            out.planned_at =
                LogIndex{ledger.applied().value -
                         std::min<std::uint64_t>(rng.below(20), ledger.applied().value)};
        sent.push_back(out);
        return out;
    }

    Reports reports() {
        Reports out;
        for (std::int64_t left = rng.between(1, 4); left > 0; --left) {
            const AllocId id = any(ledger.allocs());
            const AllocRecord* alloc = ledger.alloc(id);
            if (alloc != nullptr) out.peer = alloc->peer;
            out.reports.push_back({.alloc = id,
                                   .client = static_cast<ClientStatus>(rng.below(6)),
                                   .healthy = rng.chance(0.5),
                                   .for_good = rng.chance(0.3)});
        }
        return out;
    }

    Command::What what() {
        const PeerNumber p = peer();
        switch (rng.below(20)) {
            case 0:
                return Admit{newcomer("peer " + std::to_string(p.value)),
                             {.serial = World::serial(9), .uses_max = 4}};
            case 1:
                return rng.chance(0.02) ? Command::What{Expel{newcomer("peer 5").id, "x", {}}}
                                        : Advance{};
            case 2: return Revoke{World::serial(static_cast<std::uint8_t>(rng.between(20, 30)))};
            case 3: {
                Offered out = World::offer(p.value, nth(), nth());
                out.offer.total.cpu = MegaHertz{rng.between(300, 1500)};
                return out;
            }
            case 4: return PeerLost{p, World::start(p.value, nth()), World::boot(p.value, nth())};
            case 5: return PeerBack{p, World::start(p.value, nth()), World::boot(p.value, nth())};
            case 6: return SetEligibility{p, rng.chance(0.8)};
            case 7: return OpenSession{session, p};
            case 8: return EvalTaken{any(ledger.evals()), p, rng.between(-1, 90) * 1s};
            case 9:
                return HoldersChanged{any(ledger.slots()),
                                      Generation{rng.below(ledger.applied().value + 5)},
                                      {p},
                                      {peer()}};
            case 10: {
                const AllocId id = any(ledger.allocs());
                const AllocRecord* alloc = ledger.alloc(id);
                const bool has = alloc != nullptr && !alloc->ports.empty();
                return ReleasePort{id, has ? alloc->ports[0].value : std::uint16_t{20001}};
            }
            case 11:
                return rng.chance(0.1) ? Command::What{Collect{}} : BeginEpoch{Epoch{rng.below(3)}};
            case 12:
            case 13:
            case 14: return reports();
            case 15: return StopAlloc{any(ledger.allocs()), rng.chance(0.5)};
            default: {
                Bundles out;
                for (std::int64_t left = rng.between(1, 3); left > 0; --left)
                    out.bundles.push_back(bundle());
                return out;
            }
        }
    }
};

void garble(Rng& rng, Bytes& bytes) {
    for (std::int64_t left = rng.between(1, 4); left > 0; --left) {
        if (bytes.empty()) return;
        const std::size_t at = rng.below(bytes.size());
        if (rng.chance(0.2))
            bytes.resize(at);
        else
            bytes[at] = static_cast<std::uint8_t>(rng.next());
    }
}

struct Pair {
    Ledger plain, restored;

    Applied apply(LogIndex index, BytesView bytes) {
        Applied one = plain.apply(index, bytes);
        const Applied other = restored.apply(index, bytes);
        REQUIRE(one.upgrade_needed == other.upgrade_needed);
        REQUIRE(one.why == other.why);
        REQUIRE(encode(one.answers) == encode(other.answers));
        REQUIRE(one.evaluations == other.evaluations);
        REQUIRE(one.orders_changed == other.orders_changed);
        return one;
    }
};

}  // namespace

TEST_CASE("two replicas of one random log never differ, whichever of them restarts") {
    for (const std::uint64_t seed : {1, 2, 3}) {
        CAPTURE(seed);
        Pair pair;
        Dice dice{Rng(seed), pair.plain};
        dice.session = random_id<SessionId>(dice.rng);
        LogTime now{};
        std::map<std::string, int> seen;
        const auto apply = [&](std::uint64_t index, Command::What what) {
            return pair.apply(
                LogIndex{index},
                encode(Command{now, WallTime{static_cast<std::int64_t>(index)}, std::move(what)}));
        };
        apply(1, Found{.region = random_id<RegionId>(dice.rng),
                       .name = "r",
                       .founder = newcomer("peer 1")});
        for (std::uint64_t index = 2; index < 3000; ++index) {
            CAPTURE(index);
            now += Duration(dice.rng.below(4'000'000));
            const Applied out = apply(index, dice.what());
            for (const BundleAnswer& answer : out.answers) {
                ++seen["answer " + std::to_string(static_cast<int>(answer.outcome))];
                for (const Verdict& verdict : answer.verdicts)
                    ++seen["verdict " + std::to_string(verdict.index())];
            }
            for (const AllocId& id : out.allocs)
                if (const AllocRecord* alloc = pair.plain.alloc(id))
                    ++seen[to_string(alloc->client)];
            const auto wrong = pair.plain.contradiction();
            INFO(wrong.value_or(""));
            REQUIRE(!wrong);
            if (!dice.rng.chance(0.01)) continue;
            const Bytes bytes = pair.restored.snapshot();
            REQUIRE(bytes == pair.plain.snapshot());
            auto again = Ledger::restore(bytes);
            REQUIRE(again.ok());
            pair.restored = std::move(*again);
        }
        CHECK(pair.plain.snapshot() == pair.restored.snapshot());
        // The dice are worth their name only if every kind of answer came up.
        for (const char* what : {"verdict 0", "verdict 1", "verdict 2", "verdict 3", "verdict 4",
                                 "verdict 5", "answer 0", "answer 1", "answer 3", "running",
                                 "complete", "failed", "lost", "unknown"}) {
            CAPTURE(what);
            CHECK(seen[what] > 0);
        }
    }
}

TEST_CASE("garbled entries stop a replica or are answered, and never break the books") {
    World world(3);
    world.run(job_named("a", 3), {1, 2, 3});
    Dice dice{Rng(5), world.ledger};
    dice.session = world.session;
    dice.sequence = 100;
    int unread = 0, read = 0;
    LogIndex index = world.index;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = encode(Command{world.now, world.wall, dice.what()});
        garble(dice.rng, bytes);
        if (dice.rng.chance(0.7) && decode_command(bytes).ok())
            continue;  // most of the harmless ones
        const std::uint64_t before = world.ledger.applied().value;
        const Applied out = world.ledger.apply(LogIndex{++index.value}, bytes);
        ++(out.upgrade_needed ? unread : read);
        if (out.upgrade_needed) REQUIRE(world.ledger.applied().value == before);
        if (round % 50 == 0) REQUIRE(!world.ledger.contradiction());
    }
    CHECK(unread > 1000);
    CHECK(read > 1000);
    REQUIRE(!world.ledger.contradiction());
}

TEST_CASE("a garbled snapshot is refused or adds up") {
    World world(3);
    world.run(job_named("a", 3), {1, 2, 3});
    const Bytes good = world.ledger.snapshot();
    Rng rng(9);
    int refused = 0;
    for (int round = 0; round < 10'000; ++round) {
        Bytes bytes = good;
        garble(rng, bytes);
        const auto restored = Ledger::restore(bytes);
        if (!restored.ok())
            ++refused;
        else
            REQUIRE(!restored->contradiction());
    }
    CHECK(refused > 5000);
}

TEST_CASE("an entry of a newer version stops the replica and changes nothing") {
    World world(1);
    const Bytes before = world.ledger.snapshot();
    const Applied level = world.ledger.apply(
        LogIndex{1000}, encode(Command{{}, {}, RaiseFeatureLevel{kFeatureLevel + 1}}));
    CHECK(level.upgrade_needed);
    CHECK(level.why == "the region now needs feature level 2, this version knows 1");

    WireWriter newer;  // [time, wall, [kind, []]] with a kind that nobody knows yet
    newer.array(3);
    newer.signed_number(0);
    newer.signed_number(0);
    newer.array(2);
    newer.unsigned_number(std::variant_size_v<Command::What>);
    newer.array(0);
    const Applied kind = world.ledger.apply(LogIndex{1001}, newer.take());
    CHECK(kind.upgrade_needed);
    CHECK(kind.why == "decode log entry: unknown kind 19");
    CHECK(world.ledger.snapshot() == before);
}

TEST_CASE("log time never goes back, whatever a new leader's clock says") {
    World world(1);
    world.pass(1h);
    world.now = {};
    world.apply(Advance{});
    CHECK(world.ledger.time() == LogTime(1h));
}

TEST_CASE("before its founding a region takes no command but that") {
    Ledger ledger;
    const Applied out = ledger.apply(LogIndex{3}, encode(Command{{}, {}, Collect{}}));
    CHECK(out.refused);
    CHECK(!ledger.founded());
    World world(1);
    CHECK(world.apply(Found{.region = random_id<RegionId>(world.rng), .founder = newcomer("x")})
              .refused);
}

TEST_CASE("what no replica could read is not proposed") {
    Value deep;
    for (int level = 0; level < 200; ++level) deep = Value{Value::List{deep}};
    Bundle bundle;
    bundle.registration = RegisterJob{job_named("deep", 1), std::nullopt};
    bundle.registration->job.groups[0].tasks[0].config["x"] = deep;
    const auto refused = encode_command({{}, {}, Bundles{{bundle}}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().detail.starts_with("encode a command for the log: "));
}

}  // namespace gaggle::ledger
