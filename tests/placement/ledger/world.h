// A region for tests: a ledger fed with real encoded commands, and checked after each.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "placement/ledger/ledger.h"

namespace gaggle::ledger {

inline Job job_named(std::string id, std::int64_t count, std::int64_t cpu = 100) {
    Job job;
    job.id = job.name = std::move(id);
    TaskGroup group;
    group.name = "g";
    group.count = count;
    group.disk.size = MegaBytes{10};
    Task task;
    task.name = "t";
    task.driver = "raw_exec";
    task.resources.cpu = MegaHertz{cpu};
    task.resources.memory = MegaBytes{10};
    group.tasks.push_back(std::move(task));
    job.groups.push_back(std::move(group));
    return job;
}

inline Newcomer newcomer(const std::string& name) {
    Newcomer who;
    const Hash hash = hash_of(as_bytes(name));
    std::copy_n(hash.bytes.begin(), who.id.bytes.size(), who.id.bytes.begin());
    who.public_key = to_bytes("key of " + name);
    who.name = name;
    return who;
}

struct World {
    Ledger ledger;
    Rng rng{1};
    LogIndex index{0};
    LogTime now{};
    WallTime wall{1'000'000'000};
    SessionId session;
    std::uint64_t sequence = 0;

    /// A founded region of ready peers 1 to `peers`, and an open session of peer 1.
    explicit World(std::uint32_t peers = 3) {
        apply(Found{
            .region = random_id<RegionId>(rng), .name = "global", .founder = newcomer("peer 1")});
        for (std::uint32_t n = 2; n <= peers; ++n)
            apply(Admit{newcomer("peer " + std::to_string(n)),
                        {.serial = serial(9), .uses_max = 1000}});
        for (std::uint32_t n = 1; n <= peers; ++n) apply(offer(n));
        session = random_id<SessionId>(rng);
        apply(OpenSession{session, PeerNumber{1}});
    }

    static Serial serial(std::uint8_t number) {
        Serial serial;
        serial.bytes[0] = number;
        return serial;
    }
    static StartId start(std::uint32_t peer, std::uint8_t nth = 1) {
        StartId id;
        id.bytes[0] = static_cast<std::uint8_t>(peer);
        id.bytes[1] = nth;
        return id;
    }
    static BootId boot(std::uint32_t peer, std::uint8_t nth = 1) {
        return {start(peer, nth).bytes};
    }

    /// 1000 MHz, 1000 MiB, 1000 MiB and eight dynamic ports.
    static Offered offer(std::uint32_t peer, std::uint8_t nth_start = 1,
                         std::uint8_t nth_boot = 1) {
        Offered offered{PeerNumber{peer}, start(peer, nth_start), boot(peer, nth_boot), {}, {}};
        offered.offer.total = {MegaHertz{1000}, MegaBytes{1000}, MegaBytes{1000}};
        offered.offer.dynamic_ports = {20000, 20007};
        offered.offer.drivers = {"raw_exec"};
        return offered;
    }

    Applied apply(Command::What what) {
        ++index.value;
        const auto bytes = encode_command({now, wall, std::move(what)});
        REQUIRE(bytes.ok());
        Applied out = ledger.apply(index, *bytes);
        const auto wrong = ledger.contradiction();
        INFO(wrong.value_or(""));
        REQUIRE(!wrong);
        return out;
    }

    /// Lets log time pass and something be applied.
    Applied pass(Duration span) {
        now += span;
        return apply(Advance{});
    }

    Bundle bundle(const std::string& job) {
        Bundle out;
        out.session = session;
        out.sequence = ++sequence;
        out.claimant = PeerNumber{1};
        out.job = {"default", job};
        out.eval = random_id<EvalId>(rng);
        return out;
    }

    Claim claim(std::uint32_t slot, std::vector<std::uint32_t> candidates) {
        Claim out;
        out.alloc = random_id<AllocId>(rng);
        out.group = "g";
        out.index = slot;
        for (const std::uint32_t number : candidates) out.candidates.push_back(PeerNumber{number});
        return out;
    }

    BundleAnswer send(const Bundle& bundle) {
        Applied out = apply(Bundles{{bundle}});
        REQUIRE(out.answers.size() == 1);
        return out.answers.front();
    }

    /// Registers the job and places one allocation per candidate, slot 0 on the first and so on.
    std::vector<AllocId> run(const Job& job, const std::vector<std::uint32_t>& peers) {
        Bundle out = bundle(job.id);
        out.registration = RegisterJob{job, std::nullopt};
        for (std::uint32_t slot = 0; slot < peers.size(); ++slot)
            out.claims.push_back(claim(slot, {peers[slot]}));
        out.end = EvalEnd{};
        const BundleAnswer answer = send(out);
        REQUIRE(answer.outcome == BundleAnswer::Outcome::applied);
        std::vector<AllocId> ids;
        for (const Verdict& verdict : answer.verdicts) {
            CAPTURE(to_string(verdict));
            REQUIRE(accepted(verdict));
            ids.push_back(std::get<Accepted>(verdict).alloc);
        }
        return ids;
    }

    /// Ends that evaluation of "web".
    BundleAnswer end(const EvalId& eval, EvalEnd how,
                     std::optional<LogIndex> planned_at = std::nullopt) {
        Bundle out = bundle("web");
        out.eval = eval;
        out.planned_at = planned_at;
        out.end = std::move(how);
        return send(out);
    }

    /// Ends a fresh evaluation of "web" with `queued` allocations without a place.
    EvalId end_with_queued(std::uint32_t queued, LogIndex planned_at) {
        const EvalId eval = random_id<EvalId>(rng);
        end(eval, {.queued = {{"g", queued}}}, planned_at);
        return eval;
    }

    Applied report(const AllocId& id, ClientStatus status) {
        const PeerNumber peer = ledger.alloc(id)->peer;
        return apply(Reports{
            peer, {{.alloc = id, .client = status, .healthy = true, .status = to_bytes("s")}}});
    }

    PeerLost lost(std::uint32_t peer) { return {PeerNumber{peer}, start(peer), boot(peer)}; }
    PeerBack back(std::uint32_t peer) { return {PeerNumber{peer}, start(peer), boot(peer)}; }
    const AllocRecord& alloc(const AllocId& id) { return *ledger.alloc(id); }
    const PeerRecord& peer(std::uint32_t number) { return *ledger.peer(PeerNumber{number}); }
    const SlotRecord& slot(const std::string& job, std::uint32_t index) {
        return *ledger.slot(Slot{{"default", job}, "g", index});
    }
    /// The one evaluation of the job with this trigger and status; fails the test when there are
    /// others.
    const EvalRecord* eval(const std::string& job, Trigger trigger, EvalStatus status) {
        const EvalRecord* only = nullptr;
        for (const EvalId& id : ledger.evals_of({"default", job})) {
            const EvalRecord* eval = ledger.eval(id);
            if (eval->trigger != trigger || eval->status != status) continue;
            CHECK(only == nullptr);
            only = eval;
        }
        return only;
    }
};

}  // namespace gaggle::ledger
