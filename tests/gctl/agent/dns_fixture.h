// Questions as a client writes them, and answers as text, for tests of the DNS server.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "base/bytes.h"
#include "gctl/agent/dns_message.h"
#include "gctl/node/service_book.h"

namespace gaggle::dns {

struct Asked {
    std::string name;
    Type type = Type::a;
    std::uint16_t id = 0x1234;
    int edns_bytes = -1;  ///< -1: without EDNS
};

inline void put16(Bytes& out, std::size_t number) {
    out.push_back(static_cast<std::uint8_t>(number >> 8U));
    out.push_back(static_cast<std::uint8_t>(number & 0xffU));
}

inline Bytes question_of(const Asked& asked) {
    Bytes out;
    const bool edns = asked.edns_bytes >= 0;
    for (const std::size_t number : {std::size_t{asked.id}, std::size_t{0x0100}, std::size_t{1},
                                     std::size_t{0}, std::size_t{0}, std::size_t{edns ? 1U : 0U}})
        put16(out, number);
    for (const std::string& label : name_of(asked.name)) {
        out.push_back(static_cast<std::uint8_t>(label.size()));
        out.insert(out.end(), label.begin(), label.end());
    }
    out.push_back(0);
    put16(out, static_cast<std::size_t>(asked.type));
    put16(out, 1);
    if (edns) {
        out.push_back(0);
        put16(out, 41);
        put16(out, static_cast<std::size_t>(asked.edns_bytes));
        put16(out, 0);
        put16(out, 0);
        put16(out, 0);
    }
    return out;
}

/// Reads an answer as a resolver does, compression and all, into lines such as
/// "answer web.service.gaggle A 10.0.0.1".
class Told {
  public:
    explicit Told(Bytes message) : bytes_(std::move(message)) {
        REQUIRE(bytes_.size() >= 12);
        code = bytes_[3] & 0x0fU;
        truncated = (bytes_[2] & 0x02U) != 0;
        authoritative = (bytes_[2] & 0x04U) != 0;
        const std::size_t questions = number(4);
        at_ = 12;
        for (std::size_t i = 0; i < questions; ++i) {
            question = name();
            at_ += 4;
        }
        for (const auto& [word, place] :
             {std::pair{"answer", 6}, std::pair{"authority", 8}, std::pair{"additional", 10}})
            for (std::size_t left = number(static_cast<std::size_t>(place)); left > 0; --left)
                lines.push_back(std::string(word) + " " + record());
        REQUIRE(at_ == bytes_.size());
    }

    bool has(const std::string& line) const {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    }
    std::size_t count(const std::string& word) const {
        return static_cast<std::size_t>(
            std::count_if(lines.begin(), lines.end(),
                          [&](const std::string& line) { return line.starts_with(word + " "); }));
    }

    unsigned code = 0;
    bool truncated = false;
    bool authoritative = false;
    std::string question;
    std::vector<std::string> lines;

  private:
    std::size_t number(std::size_t at) const {
        REQUIRE(at + 2 <= bytes_.size());
        return static_cast<std::size_t>(bytes_[at]) << 8U | bytes_[at + 1];
    }
    std::size_t take() {
        at_ += 2;
        return number(at_ - 2);
    }
    std::string name() {
        std::string out;
        std::optional<std::size_t> back;
        while (true) {
            REQUIRE(at_ < bytes_.size());
            const std::size_t length = bytes_[at_++];
            if (length == 0) break;
            if (length >= 0xc0) {
                const std::size_t to = (length & 0x3fU) << 8U | bytes_[at_++];
                if (!back) back = at_;
                REQUIRE(to < at_ - 2);  // pointers lead back
                at_ = to;
                continue;
            }
            out += (out.empty() ? "" : ".") +
                   std::string(bytes_.begin() + at_, bytes_.begin() + at_ + length);
            at_ += length;
        }
        if (back) at_ = *back;
        return out.empty() ? "." : out;
    }
    std::string record() {
        std::string out = name();
        const std::size_t type = take();
        take();
        at_ += 4;
        const std::size_t length = take();
        const std::size_t end = at_ + length;
        REQUIRE(end <= bytes_.size());
        if (type == 1) {
            out += " A ";
            for (std::size_t i = 0; i < 4; ++i)
                out += (i == 0 ? "" : ".") + std::to_string(bytes_[at_ + i]);
        } else if (type == 28) {
            out += " AAAA " + to_hex(BytesView(bytes_).subspan(at_, 16));
        } else if (type == 33) {
            const std::size_t priority = take();
            const std::size_t weight = take();
            const std::size_t port = take();
            out += " SRV " + std::to_string(priority) + " " + std::to_string(weight) + " " +
                   std::to_string(port) + " " + name();
        } else if (type == 2 || type == 5) {
            out += (type == 2 ? " NS " : " CNAME ") + name();
        } else {
            out += type == 6 ? " SOA" : type == 41 ? " OPT" : " TYPE" + std::to_string(type);
        }
        at_ = end;
        return out;
    }

    Bytes bytes_;
    std::size_t at_ = 0;
};

inline node::ListedService instance(const std::string& name, const std::string& address,
                                    std::uint16_t port, std::vector<std::string> tags = {}) {
    node::ListedService out{.name_space = "default", .job = name, .group = "app"};
    out.instance = {.name = name, .address = address, .port = port, .tags = std::move(tags)};
    return out;
}

inline PeerId peer_id(std::uint8_t number) {
    PeerId id;
    id.bytes[0] = number;
    return id;
}

}  // namespace gaggle::dns
