#include "gctl/agent/dns_message.h"

#include "base/rng.h"
#include "tests/gctl/agent/dns_fixture.h"

namespace gaggle::dns {

namespace {

Bytes changed(Bytes message, std::size_t at, std::uint8_t to) {
    message.at(at) = to;
    return message;
}

const Bytes kGood = question_of({.name = "web.service.gaggle", .edns_bytes = 4096});

}  // namespace

TEST_CASE("a question is read") {
    const auto request = read_request(kGood);
    REQUIRE(request);
    CHECK(request->id == 0x1234);
    CHECK(request->recursion_desired);
    CHECK(request->problem == Code::no_error);
    REQUIRE(request->question);
    CHECK(request->question->name == Name{"web", "service", "gaggle"});
    CHECK(request->question->type == 1);
    CHECK(request->edns_bytes == 4096);
    CHECK_FALSE(read_request(question_of({.name = "a"}))->edns_bytes);
}

TEST_CASE("what is no question is answered with its error, or not at all") {
    CHECK_FALSE(read_request({}));
    CHECK_FALSE(read_request(Bytes(11, 0)));
    CHECK_FALSE(read_request(changed(kGood, 2, 0x80)));                              // an answer
    CHECK(read_request(changed(kGood, 2, 0x28))->problem == Code::not_implemented);  // an update
    CHECK(read_request(changed(kGood, 5, 2))->problem == Code::format_error);      // two questions
    CHECK(read_request(changed(kGood, 12, 0xc0))->problem == Code::format_error);  // compressed
    CHECK(read_request(changed(kGood, 12, 64))->problem == Code::format_error);
    CHECK(read_request(Bytes(kGood.begin(), kGood.begin() + 20))->problem == Code::format_error);
    CHECK(read_request(Bytes(kGood.begin(), kGood.end() - 3))->problem == Code::format_error);
    CHECK(read_request(changed(kGood, kGood.size() - 5, 1))->problem == Code::bad_version);
    const std::size_t kind = kGood.size() - 12;
    CHECK(read_request(changed(kGood, kind, 3))->problem == Code::refused);  // another class
}

TEST_CASE("errors are written so that a resolver reads them") {
    const auto request = read_request(changed(kGood, kGood.size() - 5, 1));
    const Told told(write_answer(*request, {.code = request->problem}, 512));
    CHECK(told.code == 0);  // the lower bits of 16; the rest is in OPT
    CHECK(told.has("additional . OPT"));
    CHECK(told.question == "web.service.gaggle");
    const auto update = read_request(changed(kGood, 2, 0x28));
    CHECK(Told(write_answer(*update, {.code = update->problem}, 512)).code == 4);
}

TEST_CASE("addresses are read as text") {
    const auto hex = [](const std::string& text) {
        const auto address = address_of(text);
        if (!address) return std::string("-");
        return std::visit(
            [](const auto& a) {
                return to_hex({a.address.data(), a.address.size()});
            },
            *address);
    };
    CHECK(hex("127.0.0.1") == "7f000001");
    CHECK(hex("::1") == "00000000000000000000000000000001");
    CHECK(hex("::") == "00000000000000000000000000000000");
    CHECK(hex("fd00:1::2:3") == "fd000001000000000000000000020003");
    CHECK(hex("1:2:3:4:5:6:7:8") == "00010002000300040005000600070008");
    for (const char* text :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.x", " 1.2.3.4", "::1::", "1:2:3:4:5:6:7",
          "1:2:3:4:5:6:7:8:9", "12345::", "::g", "host", "1:", "1:2:3:4:5:6:7:8::"}) {
        CAPTURE(text);
        CHECK(hex(text) == "-");
    }
}

TEST_CASE("no bytes hurt the reader, and every answer can be read") {
    Rng rng(11);
    for (int round = 0; round < 20'000; ++round) {
        Bytes message = kGood;
        for (std::uint64_t flips = rng.below(6); flips > 0; --flips)
            message[rng.below(message.size())] = static_cast<std::uint8_t>(rng.below(256));
        if (rng.chance(0.3)) message.resize(rng.below(message.size() + 20));
        const auto request = read_request(message);
        if (!request) continue;
        const Told told(write_answer(*request, {.code = request->problem}, 512));
        CHECK(told.lines.size() <= 1);
    }
}

}  // namespace gaggle::dns
