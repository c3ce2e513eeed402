// The catalogue of services in the ledger: listed while an allocation offers them, with an index of
// their own.
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

Applied report(World& world, const AllocId& id, ClientStatus client, const std::string& services) {
    return world.apply(Reports{world.alloc(id).peer,
                               {{.alloc = id,
                                 .client = client,
                                 .status = to_bytes("s"),
                                 .services = to_bytes(services)}}});
}

LogIndex services_index(const World& world) { return world.ledger.table_index(Table::services); }

}  // namespace

TEST_CASE("an allocation's services are listed, changed and taken off with its reports") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    CHECK(world.alloc(id).services.instances.empty());
    CHECK(services_index(world) == LogIndex{0});

    report(world, id, ClientStatus::running, "");
    CHECK(services_index(world) == LogIndex{0});
    const LogIndex first = report(world, id, ClientStatus::running, "web").index;
    CHECK(world.alloc(id).services.instances == to_bytes("web"));
    CHECK(world.alloc(id).services.create_index == first);
    CHECK(services_index(world) == first);

    report(world, id, ClientStatus::running, "web");  // nothing new about services
    CHECK(services_index(world) == first);
    const LogIndex second = report(world, id, ClientStatus::running, "web, failing").index;
    CHECK(world.alloc(id).services.create_index == first);
    CHECK(world.alloc(id).services.modify_index == second);
    CHECK(services_index(world) == second);

    const LogIndex gone = report(world, id, ClientStatus::running, "").index;
    CHECK(world.alloc(id).services.instances.empty());
    CHECK(services_index(world) == gone);
}

TEST_CASE("what has ended lists nothing, whatever its last report says") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    report(world, id, ClientStatus::running, "web");
    const LogIndex ended = report(world, id, ClientStatus::failed, "web").index;
    CHECK(world.alloc(id).services.instances.empty());
    CHECK(services_index(world) == ended);
}

TEST_CASE("a lost allocation is taken off, and listed anew when its peer is back in time") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    report(world, id, ClientStatus::running, "web");
    const LogIndex listed = services_index(world);
    world.apply(world.lost(2));
    CHECK(world.alloc(id).services.instances == to_bytes("web"));  // not lost yet
    world.pass(10s);
    CHECK(world.alloc(id).client == ClientStatus::lost);
    CHECK(world.alloc(id).services.instances.empty());
    CHECK(listed < services_index(world));
    report(world, id, ClientStatus::running, "web");  // it has not heard of it
    CHECK(world.alloc(id).services.instances.empty());

    world.apply(world.back(2));
    CHECK(world.alloc(id).client == ClientStatus::unknown);
    const LogIndex again = report(world, id, ClientStatus::running, "web").index;
    CHECK(world.alloc(id).services.create_index == again);
}

TEST_CASE("a list too long for the books is not taken, and orders carry none") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {2}).front();
    report(world, id, ClientStatus::running, "web");
    report(world, id, ClientStatus::running, std::string(40'000, 'x'));
    CHECK(world.alloc(id).services.instances == to_bytes("web"));
    for (const AllocRecord& order : world.ledger.orders_for(PeerNumber{2}).allocs)
        CHECK(order.services.instances.empty());
}

}  // namespace gaggle::ledger
