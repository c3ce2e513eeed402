#include "placement/fit/fits.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace gaggle {

namespace {

Books peer() {
    Books books;
    books.offer.total = {MegaHertz{1000}, MegaBytes{2000}, MegaBytes{3000}};
    books.offer.dynamic_ports = {20000, 20003};
    books.offer.drivers = {"docker", "raw_exec"};
    return books;
}

Port fixed(const char* label, std::int64_t number) { return {.label = label, .fixed = number}; }

Ask asks(std::int64_t cpu, std::int64_t memory, std::int64_t disk, std::vector<Port> ports = {}) {
    return {{MegaHertz{cpu}, MegaBytes{memory}, MegaBytes{disk}}, std::move(ports), {"raw_exec"}};
}

std::string why(const Books& books, const Ask& ask) { return misfit(books, ask).value_or(""); }

}  // namespace

TEST_CASE("what does not fit says so in Nomad's words") {
    struct Row {
        const char* what;
        Ask ask;
        const char* why;
    };
    const Port dynamic{.label = "d"};
    for (const Row& row : {
             Row{"all of it", asks(1000, 2000, 3000), ""},
             Row{"one too much cpu", asks(1001, 0, 0), "cpu"},
             Row{"one too much memory", asks(0, 2001, 0), "memory"},
             Row{"one too much disk", asks(0, 0, 3001), "disk"},
             Row{"a free static port", asks(0, 0, 0, {fixed("http", 80)}), ""},
             Row{"a taken port", asks(0, 0, 0, {fixed("http", 8080)}),
                 "network: reserved port collision http=8080"},
             Row{"a port twice", asks(0, 0, 0, {fixed("a", 81), fixed("b", 81)}),
                 "network: reserved port collision b=81"},
             Row{"no port at all", asks(0, 0, 0, {fixed("a", 70000)}),
                 "network: invalid port a=70000"},
             Row{"as many as there are", asks(0, 0, 0, {dynamic, dynamic, dynamic, dynamic}), ""},
             Row{"one more", asks(0, 0, 0, {dynamic, dynamic, dynamic, dynamic, dynamic}),
                 "network: dynamic port selection failed"},
             Row{"one is asked for by name",
                 asks(0, 0, 0, {dynamic, dynamic, dynamic, dynamic, fixed("s", 20001)}),
                 "network: dynamic port selection failed"},
         }) {
        CAPTURE(row.what);
        Books books = peer();
        books.ports = {8080};
        CHECK(why(books, row.ask) == row.why);
    }
}

TEST_CASE("an ineligible peer, a missing driver and a shrunk offer refuse") {
    Books books = peer();
    books.used = {MegaHertz{1500}, MegaBytes{0}, MegaBytes{0}};  // it offered more once
    CHECK(why(books, asks(1, 0, 0)) == "cpu");
    books.used = {};
    Ask ask = asks(1, 1, 1);
    ask.drivers.insert("exec");
    CHECK(why(books, ask) == "missing driver exec");
    books.eligible = false;
    CHECK(why(books, ask) == "ineligible");
}

TEST_CASE("whole cores take their share of the compute, and no more cores than there are") {
    Books books = peer();
    books.offer.total.cores = 4;  // of 1000 MHz: 250 each
    const auto cores = [](std::int64_t count, std::int64_t cpu) {
        Ask ask = asks(cpu, 0, 0);
        ask.amounts.cores = count;
        return ask;
    };
    CHECK(why(books, cores(5, 0)) == "cores");
    CHECK(fits(books, cores(4, 0)));
    CHECK(fits(books, cores(3, 250)));
    CHECK(why(books, cores(3, 251)) == "cpu");
    const Ask two = cores(2, 0);
    take(books, two, 0);
    CHECK(compute_of(books.offer.total, books.used) == MegaHertz{500});
    const Amounts boast{.cpu = {std::int64_t{1} << 40}, .cores = std::int64_t{1} << 24};
    CHECK(compute_of(boast, boast).value == std::int64_t{1} << 41);
    CHECK(fits(books, asks(500, 0, 0)));
    CHECK(why(books, asks(501, 0, 0)) == "cpu");
    CHECK(why(books, cores(3, 0)) == "cores");
    take(books, asks(300, 0, 0), 0);
    CHECK(why(books, cores(1, 0)) == "cpu");  // a core is free, but not all of its compute
    give_back(books, two, {});
    CHECK(fits(books, cores(2, 0)));
    books.offer.total.cores = 0;  // an agent that offers none
    CHECK(why(books, cores(1, 0)) == "cores");
}

TEST_CASE("dynamic ports start at the salt, go around, and avoid the named ones") {
    Books books = peer();
    const Ask ask =
        asks(10, 20, 30, {{.label = "a"}, fixed("s", 20003), {.label = "b", .to = 6379}});
    const auto ports = take(books, ask, 4 * 77 + 3);
    CHECK(ports == std::vector<AssignedPort>{{"a", 20000, 0}, {"s", 20003, 0}, {"b", 20001, 6379}});
    CHECK(books.used == ask.amounts);
    CHECK(books.ports == std::set<std::uint16_t>{20000, 20001, 20003});
    give_back(books, ask, ports);
    CHECK(books.used == Amounts{});
    CHECK(books.ports.empty());
}

TEST_CASE("whatever is taken and given back, the books stay within the offer") {
    Rng rng(11);
    Books books = peer();
    books.offer.dynamic_ports = {20000, 20030};
    std::vector<std::pair<Ask, std::vector<AssignedPort>>> held;
    int refused = 0;
    for (int round = 0; round < 4000; ++round) {
        if (!held.empty() && rng.chance(0.45)) {
            std::swap(held.back(), held[rng.below(held.size())]);
            give_back(books, held.back().first, held.back().second);
            held.pop_back();
            continue;
        }
        Ask ask = asks(rng.between(0, 200), rng.between(0, 400), rng.between(0, 600));
        for (std::int64_t left = rng.between(0, 3); left > 0; --left)
            ask.ports.push_back(
                {.label = "p", .fixed = rng.chance(0.2) ? rng.between(19995, 20035) : 0});
        if (misfit(books, ask)) {
            ++refused;
            continue;
        }
        held.emplace_back(ask, take(books, ask, rng.next()));
        std::size_t ports = 0;
        for (const auto& [what, given] : held) ports += given.size();
        REQUIRE(ports == books.ports.size());
        REQUIRE(books.used.cpu <= books.offer.total.cpu);
        REQUIRE(books.used.memory <= books.offer.total.memory);
        REQUIRE(books.used.disk <= books.offer.total.disk);
    }
    CHECK(refused > 100);
    for (const auto& [ask, ports] : held) give_back(books, ask, ports);
    CHECK(books.used == Amounts{});
    CHECK(books.ports.empty());
}

}  // namespace gaggle
