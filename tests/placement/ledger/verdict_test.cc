// One row per answer that a claim can get.
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

/// The answer to one claim for job "web", which runs in slot 0 on peer 1.
std::string verdict_on(World& world, Claim claim) {
    Bundle bundle = world.bundle("web");
    bundle.claims.push_back(std::move(claim));
    return to_string(world.send(bundle).verdicts.at(0));
}

}  // namespace

TEST_CASE("a claim is judged by its sense, its job's version, its slot and its candidates") {
    World world(4);
    const AllocId running = world.run(job_named("web", 3, 600), {1}).front();
    world.apply(world.lost(2));
    world.apply(SetEligibility{PeerNumber{3}, false});

    const auto make = [&](std::uint32_t slot, std::vector<std::uint32_t> candidates,
                          std::uint64_t version = 0) {
        Claim claim = world.claim(slot, std::move(candidates));
        claim.job_version = version;
        return claim;
    };
    Claim nameless = make(1, {4});
    nameless.alloc = {};
    Claim again = make(1, {4});
    again.alloc = running;
    Claim unversioned = make(1, {4});
    unversioned.job_version.reset();
    Claim elsewhere = make(1, {4});
    elsewhere.replaces = running;
    Claim groupless = make(1, {4});
    groupless.group = "h";

    const std::string short_id = short_text(running);
    struct Row {
        const char* what;
        Claim claim;
        std::string verdict;
    };
    for (const Row& row : {
             Row{"no id", nameless, "a wrong claim: it names no allocation id"},
             Row{"a used id", again,
                 "a wrong claim: allocation " + to_string(running) + " exists already"},
             Row{"no candidates", make(1, {}),
                 "a wrong claim: it names 0 candidates; wanted are 1 to 4"},
             Row{"five candidates", make(1, {1, 2, 3, 4, 5}),
                 "a wrong claim: it names 5 candidates; wanted are 1 to 4"},
             Row{"no version", unversioned,
                 "a wrong claim: it names no job version, and its bundle registers none"},
             Row{"replaces in another slot", elsewhere,
                 "a wrong claim: it replaces an allocation of default/web.g[0]"},
             Row{"an old version", make(1, {4}, 7),
                 "the job is another now: planned for version 7, current is 0"},
             Row{"no such group", groupless, "the job is another now: it has no group \"h\""},
             Row{"beyond the count", make(3, {4}),
                 "the job is another now: default/web.g[3] is beyond its count of 3"},
             Row{"a held slot", make(0, {4}), "the slot is held by " + short_id + " on peer 1"},
             Row{"nobody can", make(1, {1, 2, 3, 9}),
                 "no candidate fits: peer 1 (cpu), peer 2 (peer is lost), peer 3 (ineligible), "
                 "peer 9 (unknown peer)"},
             Row{"the first that fits", make(1, {1, 2, 4}), "accepted on peer 4"},
         }) {
        CAPTURE(row.what);
        CHECK(verdict_on(world, row.claim) == row.verdict);
    }
}

TEST_CASE("a refusal for room tells what is free on each candidate") {
    World world(2);
    world.run(job_named("web", 2, 600), {1});
    Bundle bundle = world.bundle("web");
    bundle.claims.push_back(world.claim(1, {1}));
    bundle.claims[0].job_version = 0;
    const BundleAnswer answer = world.send(bundle);
    const auto& refused = std::get<NoFit>(answer.verdicts.at(0)).candidates.at(0);
    CHECK(refused.free == Amounts{MegaHertz{400}, MegaBytes{990}, MegaBytes{990}});
}

TEST_CASE("a replacement takes the slot, and the replaced one is stopped and remembered") {
    World world(2);
    const AllocId old = world.run(job_named("web", 1), {1}).front();
    world.report(old, ClientStatus::running);
    Bundle bundle = world.bundle("web");
    bundle.claims.push_back(world.claim(0, {2}));
    bundle.claims[0].job_version = 0;
    bundle.claims[0].replaces = old;
    const Applied out = world.apply(Bundles{{bundle}});
    REQUIRE(accepted(out.answers[0].verdicts[0]));
    CHECK(out.orders_changed == std::set<PeerNumber>{{1}, {2}});

    const AllocRecord& now = world.alloc(bundle.claims[0].alloc);
    CHECK(now.previous == old);
    CHECK(now.generation.value == world.index.value);
    CHECK(world.alloc(old).next == now.id);
    CHECK(world.alloc(old).desired == Desired::stop);
    CHECK(world.slot("web", 0).holder == now.id);
    CHECK(world.slot("web", 0).peers == std::vector<PeerNumber>{{2}, {1}});

    // It runs until its peer says otherwise, so it counts there until then, and is among the
    // orders.
    CHECK(world.peer(1).books.used.cpu == MegaHertz{100});
    CHECK(world.ledger.orders_for(PeerNumber{1}).allocs.size() == 1);
    world.report(old, ClientStatus::complete);
    CHECK(world.peer(1).books.used == Amounts{});
    CHECK(world.ledger.orders_for(PeerNumber{1}).allocs.empty());
}

TEST_CASE("a slot changes hands once per entry, for the entry is its generation") {
    World world(2);
    world.run(job_named("web", 1), {});
    Bundle first = world.bundle("web"), second = world.bundle("web");
    first.claims.push_back(world.claim(0, {1}));
    second.claims.push_back(world.claim(0, {2}));
    for (Bundle* bundle : {&first, &second}) bundle->claims[0].job_version = 0;
    second.claims[0].replaces = first.claims[0].alloc;
    const Applied out = world.apply(Bundles{{first, second}});
    CHECK(accepted(out.answers[0].verdicts[0]));
    CHECK(std::holds_alternative<SlotHeld>(out.answers[1].verdicts[0]));
}

TEST_CASE("all_at_once is all or nothing") {
    World world(2);
    Bundle bundle = world.bundle("pair");
    bundle.registration = RegisterJob{job_named("pair", 3, 600), std::nullopt};
    bundle.all_at_once = true;
    for (std::uint32_t slot = 0; slot < 3; ++slot)
        bundle.claims.push_back(world.claim(slot, {1, 2}));
    bundle.end = EvalEnd{};
    const BundleAnswer refused = world.send(bundle);
    CHECK(std::holds_alternative<NotTogether>(refused.verdicts[0]));
    CHECK(std::holds_alternative<NotTogether>(refused.verdicts[1]));
    CHECK(std::holds_alternative<NoFit>(refused.verdicts[2]));
    CHECK(world.ledger.allocs().empty());
    CHECK(world.peer(1).books.used == Amounts{});
    CHECK(world.ledger.eval(bundle.eval)->status == EvalStatus::pending);
    CHECK(world.ledger.eval(bundle.eval)->taken_by == PeerNumber{1});  // it will try again

    bundle.sequence = ++world.sequence;
    bundle.claims.pop_back();
    bundle.registration.reset();
    for (Claim& claim : bundle.claims) claim.job_version = 0;
    const BundleAnswer answer = world.send(bundle);
    CHECK(accepted(answer.verdicts[0]));
    CHECK(accepted(answer.verdicts[1]));
    CHECK(world.ledger.eval(bundle.eval)->status == EvalStatus::complete);
}

TEST_CASE("dynamic ports are given here, and run out") {
    World world(1);
    Job job = job_named("web", 9);
    job.groups[0].networks.push_back({.ports = {{.label = "http"}, {.label = "db", .to = 6379}}});
    const auto ids = world.run(job, {1, 1, 1, 1});
    CHECK(world.peer(1).books.ports.size() == 8);
    CHECK(world.alloc(ids[0]).ports.at(1).to == 6379);
    Claim fifth = world.claim(4, {1});
    fifth.job_version = 0;
    CHECK(verdict_on(world, fifth) ==
          "no candidate fits: peer 1 (network: dynamic port selection failed)");
    world.report(ids[2], ClientStatus::complete);
    fifth.alloc = random_id<AllocId>(world.rng);
    CHECK(verdict_on(world, fifth) == "accepted on peer 1");
}

TEST_CASE("a port that a stranger holds rests, and another takes its place") {
    World world(1);
    Job job = job_named("web", 1);
    job.groups[0].networks.push_back(
        {.ports = {{.label = "http"}, {.label = "ssh", .fixed = 2222}}});
    const AllocId id = world.run(job, {1}).front();
    const std::uint16_t port = world.alloc(id).ports.at(0).value;
    const Applied out = world.apply(ReleasePort{id, port});
    CHECK(!out.refused);
    CHECK(out.orders_changed.contains(PeerNumber{1}));
    CHECK(world.alloc(id).ports.at(0).value != port);
    CHECK(world.peer(1).books.ports.size() == 3);
    CHECK(world.apply(ReleasePort{id, port}).why ==
          "port " + std::to_string(port) + " is not of allocation " + to_string(id));
    world.pass(11min);
    CHECK(!world.peer(1).books.ports.contains(port));
    CHECK(world.peer(1).books.ports.size() == 2);
}

TEST_CASE("with a static port that a stranger holds, the allocation goes elsewhere at once") {
    World world(2);
    Job job = job_named("web", 1);
    job.groups[0].networks.push_back({.ports = {{.label = "ssh", .fixed = 2222}}});
    const AllocId id = world.run(job, {1}).front();
    const Applied out = world.apply(ReleasePort{id, 2222, "sshd (pid 7), which is not Gaggle's"});
    CHECK(!out.refused);
    CHECK(world.alloc(id).client == ClientStatus::lost);
    CHECK(world.alloc(id).desired == Desired::stop);
    CHECK(world.alloc(id).desired_reason ==
          "static port 2222 is held there by sshd (pid 7), which is not Gaggle's");
    CHECK(out.evaluations.size() == 1);
    CHECK(out.orders_changed.contains(PeerNumber{1}));
    Claim claim = world.claim(0, {1, 2});
    claim.job_version = 0;
    CHECK(verdict_on(world, claim) == "accepted on peer 2");
    CHECK(misfit(world.peer(1).books, ask_of(job.groups[0])) ==
          "network: reserved port collision ssh=2222 (held by sshd)");
    world.pass(61s);
    CHECK(!world.peer(1).books.ports.contains(2222));
    CHECK(world.peer(1).books.strangers.empty());
}

}  // namespace gaggle::ledger
