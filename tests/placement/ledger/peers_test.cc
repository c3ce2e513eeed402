// Who is admitted, who is lost, and what becomes of what ran there.
#include "placement/ledger/bounds.h"
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

Admit admit(const std::string& name, std::uint8_t serial, std::uint32_t uses = 1) {
    return {newcomer(name),
            {.serial = World::serial(serial), .issuer = World::serial(200), .uses_max = uses}};
}

}  // namespace

TEST_CASE("what a peer may claim to have leaves room for a product of two amounts") {
    CHECK(reasonable({.cpu = {kAmountMax}, .cores = kCoresMax}));
    CHECK_FALSE(reasonable({.cpu = {kAmountMax + 1}}));
    CHECK_FALSE(reasonable({.cores = kCoresMax + 1}));
    CHECK_FALSE(reasonable({.cores = -1}));
}

TEST_CASE("admission numbers keys densely, once, and counts invitations") {
    World world(1);
    CHECK(world.apply(admit("a", 1, 2)).admitted == PeerNumber{2});
    CHECK(world.apply(admit("a", 1, 2)).admitted ==
          PeerNumber{2});  // proposed twice: no second use
    CHECK(world.apply(admit("b", 1, 2)).admitted == PeerNumber{3});
    const Applied third = world.apply(admit("c", 1, 2));
    CHECK(!third.admitted);
    CHECK(third.why == "invitation " + to_string(World::serial(1)) + " is used up: it admits 2");
    CHECK(world.apply(admit("a", 99, 0)).admitted ==
          PeerNumber{2});  // known: it needs no invitation

    Admit late = admit("d", 2);
    late.invitation.expiry = world.wall;
    world.wall.nanoseconds += 1;
    CHECK(world.apply(late).why.ends_with(" expired at 1970-01-01T00:00:01.000000000Z"));
    Admit other_key = admit("a", 3);
    other_key.who.public_key = to_bytes("forged");
    CHECK(world.apply(other_key).why.ends_with("is known with another key"));
    world.apply(Revoke{World::serial(4)});
    CHECK(world.apply(admit("e", 4)).why.ends_with(" was revoked"));
    CHECK(world.apply(admit("e", 5)).admitted == PeerNumber{4});
    world.apply(Revoke{World::serial(200)});
    CHECK(world.apply(admit("f", 6)).why.ends_with("its issuer was revoked"));
}

TEST_CASE("an expelled peer gets no claim, no word and no second admission") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    const Applied out = world.apply(Expel{world.peer(2).who.id, "stolen", to_bytes("signed")});
    CHECK(out.keyring_changed);
    CHECK(world.ledger.expulsions().at(newcomer("peer 2").id) == to_bytes("signed"));
    CHECK(world.report(id, ClientStatus::running).refused);
    CHECK(world.apply(World::offer(2)).refused);
    CHECK(world.apply(admit("peer 2", 9, 1000)).refused);
    world.pass(10s);
    CHECK(world.alloc(id).client == ClientStatus::lost);
    CHECK(world.eval("web", Trigger::node_update, EvalStatus::pending) != nullptr);
}

TEST_CASE("a key may be expelled before it was ever admitted here") {
    World world(1);
    world.apply(Expel{newcomer("x").id, "lost", {}});
    CHECK(world.apply(admit("x", 1)).refused);
}

TEST_CASE(
    "allocations of a lost peer are lost after ten seconds of log time, and make an evaluation") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1, 600), {2}).front();
    world.report(id, ClientStatus::running);
    CHECK(
        world.apply(PeerLost{{2}, World::start(2, 7), World::boot(2)}).refused);  // it started anew
    CHECK(!world.apply(world.lost(2)).refused);
    CHECK(world.ledger.next_deadline() == world.now + 10s);
    CHECK(world.apply(world.lost(2)).why == "peer 2 is not ready anyway");

    world.pass(10s - 1us);
    CHECK(world.alloc(id).client == ClientStatus::running);
    const Applied out = world.pass(1us);
    CHECK(world.alloc(id).client == ClientStatus::lost);
    CHECK(world.alloc(id).desired == Desired::stop);
    CHECK(!world.slot("web", 0).holder);
    CHECK(world.peer(2).books.used == Amounts{});
    REQUIRE(out.evaluations.size() == 1);
    const EvalRecord* eval = world.ledger.eval(out.evaluations[0]);
    CHECK(eval->trigger == Trigger::node_update);
    CHECK(eval->peer == PeerNumber{2});
}

TEST_CASE("a peer that is back in time keeps everything") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    world.apply(world.lost(2));
    world.pass(9s);
    world.apply(world.back(2));
    world.pass(1h);
    CHECK(world.alloc(id).desired == Desired::run);
    CHECK(world.alloc(id).client == ClientStatus::pending);
    CHECK(world.peer(2).books.eligible);
}

TEST_CASE("a lost allocation lives on if nobody has replaced it, and is stopped if somebody has") {
    World world(3);
    const auto ids = world.run(job_named("web", 2), {2, 2});
    for (const AllocId& id : ids) world.report(id, ClientStatus::running);
    world.apply(world.lost(2));
    world.pass(10s);
    Bundle bundle = world.bundle("web");
    bundle.claims.push_back(world.claim(0, {3}));
    bundle.claims[0].job_version = 0;
    bundle.claims[0].replaces = ids[0];
    REQUIRE(accepted(world.send(bundle).verdicts[0]));

    const Applied out =
        world.apply(World::offer(2, 2));  // a new agent on the same boot: its tasks run
    CHECK(out.orders_changed.contains(PeerNumber{2}));
    CHECK(world.alloc(ids[0]).desired == Desired::stop);
    CHECK(world.alloc(ids[0]).client == ClientStatus::lost);
    CHECK(world.alloc(ids[1]).desired == Desired::run);
    CHECK(world.slot("web", 1).holder == ids[1]);
    CHECK(world.ledger.orders_for(PeerNumber{2}).allocs.size() == 2);  // one to run, one to stop

    world.report(ids[0], ClientStatus::running);  // what it says of the lost one changes nothing
    CHECK(world.alloc(ids[0]).client == ClientStatus::lost);
    world.report(ids[0], ClientStatus::complete);
    CHECK(world.alloc(ids[0]).settled);
    CHECK(world.ledger.orders_for(PeerNumber{2}).allocs.size() == 1);
    world.report(ids[1], ClientStatus::running);
    CHECK(world.alloc(ids[1]).client == ClientStatus::running);
}

TEST_CASE("after a reboot a lost allocation is not taken up again") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    world.apply(world.lost(2));
    world.pass(10s);
    world.apply(World::offer(2, 2, 2));
    CHECK(world.alloc(id).client == ClientStatus::lost);
}

TEST_CASE("a group says how long its allocations may be missing, and a fenced one is waited for") {
    struct Row {
        const char* what;
        DisconnectStrategy disconnect;
        Duration due;
    };
    DisconnectStrategy patient, fenced;
    patient.lost_after = 2min;
    fenced.stop_on_client_after = 30s;
    for (const Row& row : {
             Row{"nothing said", {}, 10s},
             Row{"lost_after", patient, 2min},
             Row{"fenced: 30 s, and 5 s to kill, and a margin of 5 s", fenced, 40s},
         }) {
        CAPTURE(row.what);
        World world(2);
        Job job = job_named("web", 1);
        job.groups[0].disconnect = row.disconnect;
        const AllocId id = world.run(job, {2}).front();
        world.apply(world.lost(2));
        world.pass(row.due - 1us);
        CHECK(world.alloc(id).client == ClientStatus::pending);
        world.pass(1us);
        CHECK(world.alloc(id).client == ClientStatus::lost);
        world.apply(world.back(2));
        CHECK((world.alloc(id).client == ClientStatus::unknown) ==
              !row.disconnect.stop_on_client_after);
    }
}

TEST_CASE("orders are the full set, with the jobs that they need, in step with the log") {
    World world(2);
    world.run(job_named("a", 2), {1, 2});
    const AllocId id = world.run(job_named("b", 1), {1}).front();
    PeerOrders orders = world.ledger.orders_for(PeerNumber{1});
    CHECK(orders.allocs.size() == 2);
    CHECK(orders.jobs.size() == 2);
    CHECK(orders.change_index == world.index);
    CHECK(orders.epoch == Epoch{1});

    world.report(id, ClientStatus::running);
    CHECK(world.ledger.orders_for(PeerNumber{1}).change_index < world.index);
    CHECK(world.ledger.orders_for(PeerNumber{1}).index == world.index);
    const Applied ended = world.report(id, ClientStatus::failed);
    CHECK(ended.orders_changed.contains(PeerNumber{1}));
    orders = world.ledger.orders_for(PeerNumber{1});
    CHECK(orders.allocs.size() == 1);
    CHECK(orders.jobs.at(0).first.id == "a");

    CHECK(world.apply(BeginEpoch{Epoch{1}}).refused);
    CHECK(world.apply(BeginEpoch{Epoch{2}}).orders_changed.size() == 2);
    CHECK(world.ledger.orders_for(PeerNumber{2}).epoch == Epoch{2});
    CHECK(world.ledger.orders_for(PeerNumber{77}).allocs.empty());
}

TEST_CASE("who has copies is kept by generation, newest wins, until dropped") {
    World world(3);
    world.run(job_named("db", 1), {1});
    const Generation first = world.slot("db", 0).generation;
    const Slot slot{{"default", "db"}, "g", 0};
    const PeerNumber two{2}, three{3};
    CHECK(!world.apply(HoldersChanged{slot, first, {two, three}, {}}).refused);
    CHECK(world.apply(HoldersChanged{slot, Generation{first.value + 1}, {two}, {}}).refused);
    CHECK(world.apply(HoldersChanged{{{"default", "db"}, "g", 5}, first, {two}, {}}).refused);
    Bundle bundle = world.bundle("db");
    bundle.claims.push_back(world.claim(0, {2}));
    bundle.claims[0].job_version = 0;
    bundle.claims[0].replaces = world.slot("db", 0).holder;
    REQUIRE(accepted(world.send(bundle).verdicts[0]));
    const Generation second = world.slot("db", 0).generation;
    world.apply(HoldersChanged{slot, second, {three}, {}});
    world.apply(
        HoldersChanged{slot, first, {three, PeerNumber{9}}, {}});  // a late word, and a stranger
    using Copies = std::map<PeerNumber, Generation>;
    CHECK(world.slot("db", 0).copies == Copies{{two, first}, {three, second}});
    world.apply(HoldersChanged{slot, second, {}, {two}});
    CHECK(world.slot("db", 0).copies == Copies{{three, second}});
}

}  // namespace gaggle::ledger
