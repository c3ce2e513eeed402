// DNS messages: a question read, an answer written (RFC 1035, 2782, 6891).
//
// As little of DNS as a read-only server of one zone needs. Whatever the bytes are, reading ends
// with a question, with an error to answer, or with nothing to say. Names are written out in full,
// but for those that are the question's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace gaggle::dns {

enum class Type : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    aaaa = 28,
    srv = 33,
    opt = 41,
    any = 255,
};
enum class Code : std::uint8_t {
    no_error = 0,
    format_error = 1,
    server_failure = 2,
    no_such_name = 3,
    not_implemented = 4,
    refused = 5,
    bad_version = 16,  ///< of EDNS
};

/// Labels in order, without the root.
using Name = std::vector<std::string>;
Name name_of(std::string_view dotted);

struct Question {
    Name name;  ///< as it was asked, also in its case
    std::uint16_t type = 0;
};

struct Request {
    std::uint16_t id = 0;
    bool recursion_desired = false;
    Code problem = Code::no_error;            ///< else this is the answer
    std::optional<Question> question;         ///< nothing when it could not be read
    std::optional<std::uint16_t> edns_bytes;  ///< what fits in a datagram to the asker, if it says
};

/// Nothing for what is no question: too short, or an answer. Those are not answered, lest two
/// servers talk to each other for ever.
std::optional<Request> read_request(BytesView message);

struct A {
    std::array<std::uint8_t, 4> address{};
};
struct Aaaa {
    std::array<std::uint8_t, 16> address{};
};
struct Srv {
    std::uint16_t priority = 1;
    std::uint16_t weight = 1;
    std::uint16_t port = 0;
    Name target;
};
struct Alias {  ///< CNAME
    Name target;
};
struct NameServer {
    Name target;
};
struct Soa {
    Name server;
    Name mailbox;
    std::uint32_t serial = 1;
    std::uint32_t negative_ttl = 0;  ///< seconds
};

struct Record {
    Name name;
    std::uint32_t ttl = 0;  ///< seconds
    std::variant<A, Aaaa, Srv, Alias, NameServer, Soa> data;
};

struct Answer {
    Code code = Code::no_error;
    bool authoritative = true;
    std::vector<Record> answers;
    std::vector<Record> authority;
    std::vector<Record> additional;
};

/// At most `bytes_max` long, which must be 512 or more. What does not fit is left out: additional
/// records silently, answers with the truncation bit set.
Bytes write_answer(const Request& request, const Answer& answer, std::size_t bytes_max);

/// Dotted or with colons; nothing when it is no IP address.
std::optional<std::variant<A, Aaaa>> address_of(const std::string& text);

}  // namespace gaggle::dns
