#include "gctl/agent/dns_message.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"

namespace gaggle::dns {

namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kLabelBytesMax = 63;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kAnyClass = 255;
constexpr std::uint16_t kOurUdpBytes = 8192;  ///< of a question to us; they are all far smaller

/// Reads forward; every failure sticks.
class Reader {
  public:
    explicit Reader(BytesView bytes) : bytes_(bytes) {}

    std::uint8_t byte() {
        if (at_ >= bytes_.size()) {
            ok_ = false;
            return 0;
        }
        return bytes_[at_++];
    }
    std::uint16_t number() {
        const unsigned high = byte();
        return static_cast<std::uint16_t>(high << 8U | byte());
    }
    void skip(std::size_t count) {
        ok_ = ok_ && bytes_.size() - at_ >= count;
        if (ok_) at_ += count;
    }
    /// A question's name is never compressed: nothing stands before it.
    Name name() {
        Name out;
        std::size_t length = 1;
        while (ok_) {
            const std::size_t label = byte();
            if (label == 0) break;
            length += label + 1;
            ok_ = ok_ && label <= kLabelBytesMax && length <= kNameBytesMax;
            std::string text;
            for (std::size_t i = 0; ok_ && i < label; ++i) text += static_cast<char>(byte());
            out.push_back(std::move(text));
        }
        return out;
    }
    bool ok() const { return ok_; }

  private:
    BytesView bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

void put(Bytes& out, std::uint16_t number) {
    out.push_back(static_cast<std::uint8_t>(number >> 8U));
    out.push_back(static_cast<std::uint8_t>(number & 0xffU));
}

void put_wide(Bytes& out, std::uint32_t number) {
    put(out, static_cast<std::uint16_t>(number >> 16U));
    put(out, static_cast<std::uint16_t>(number & 0xffffU));
}

void put(Bytes& out, const Name& name) {
    for (const std::string& label : name) {
        out.push_back(static_cast<std::uint8_t>(label.size()));
        out.insert(out.end(), label.begin(), label.end());
    }
    out.push_back(0);
}

struct Body {
    Type type;
    Bytes bytes;
};

Body body_of(const A& a) { return {Type::a, Bytes(a.address.begin(), a.address.end())}; }
Body body_of(const Aaaa& a) { return {Type::aaaa, Bytes(a.address.begin(), a.address.end())}; }
Body body_of(const Srv& srv) {
    Body out{Type::srv, {}};
    for (const std::uint16_t number : {srv.priority, srv.weight, srv.port}) put(out.bytes, number);
    put(out.bytes, srv.target);
    return out;
}
Body body_of(const Alias& alias) {
    Body out{Type::cname, {}};
    put(out.bytes, alias.target);
    return out;
}
Body body_of(const NameServer& server) {
    Body out{Type::ns, {}};
    put(out.bytes, server.target);
    return out;
}
Body body_of(const Soa& soa) {
    Body out{Type::soa, {}};
    put(out.bytes, soa.server);
    put(out.bytes, soa.mailbox);
    // Refresh, retry and expire are for secondary servers, of which there are none.
    for (const std::uint32_t number : {soa.serial, 3600U, 600U, 86400U, soa.negative_ttl})
        put_wide(out.bytes, number);
    return out;
}

Bytes encoded(const Record& record, const std::optional<Question>& question) {
    Bytes out;
    if (question && record.name == question->name)
        put(out, static_cast<std::uint16_t>(0xc000U | kHeaderBytes));
    else
        put(out, record.name);
    const Body body = std::visit([](const auto& data) { return body_of(data); }, record.data);
    put(out, static_cast<std::uint16_t>(body.type));
    put(out, kInternet);
    put_wide(out, record.ttl);
    put(out, static_cast<std::uint16_t>(body.bytes.size()));
    out.insert(out.end(), body.bytes.begin(), body.bytes.end());
    return out;
}

/// As many of the records as fit below `limit`; how many those were.
std::uint16_t add(Bytes& out, const std::vector<Record>& records,
                  const std::optional<Question>& question, std::size_t limit) {
    std::uint16_t count = 0;
    for (const Record& record : records) {
        const Bytes bytes = encoded(record, question);
        if (out.size() + bytes.size() > limit) break;
        out.insert(out.end(), bytes.begin(), bytes.end());
        ++count;
    }
    return count;
}

void set(Bytes& out, std::size_t at, std::uint16_t number) {
    out[at] = static_cast<std::uint8_t>(number >> 8U);
    out[at + 1] = static_cast<std::uint8_t>(number & 0xffU);
}

/// The one additional record that a question may have for us, anywhere among them (RFC 6891).
void read_edns(Reader& reader, std::size_t records, Request& request) {
    for (std::size_t i = 0; i < records && reader.ok(); ++i) {
        const Name name = reader.name();
        const std::uint16_t type = reader.number();
        const std::uint16_t bytes = reader.number();
        reader.byte();  // the upper bits of the code
        const std::uint8_t version = reader.byte();
        reader.number();
        reader.skip(reader.number());
        if (type != static_cast<std::uint16_t>(Type::opt) || !name.empty() || !reader.ok())
            continue;
        request.edns_bytes = bytes;
        if (version != 0) request.problem = Code::bad_version;
    }
}

std::optional<std::array<std::uint8_t, 4>> four_numbers(std::string_view text) {
    std::array<std::uint8_t, 4> out{};
    const char* at = text.data();
    const char* end = at + text.size();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
        const auto read = std::from_chars(at, end, out[i]);
        if (read.ec != std::errc()) return std::nullopt;
        at = read.ptr;
    }
    return at == end ? std::optional(out) : std::nullopt;
}

/// The groups of sixteen bits on one side of "::".
std::optional<std::vector<std::uint16_t>> groups(std::string_view text) {
    std::vector<std::uint16_t> out;
    if (text.empty()) return out;
    const char* at = text.data();
    const char* end = at + text.size();
    while (true) {
        std::uint16_t group = 0;
        const auto read = std::from_chars(at, end, group, 16);
        if (read.ec != std::errc() || read.ptr - at > 4) return std::nullopt;
        out.push_back(group);
        if (read.ptr == end) return out;
        if (*read.ptr != ':' || out.size() == 8) return std::nullopt;
        at = read.ptr + 1;
    }
}

std::optional<Aaaa> six(std::string_view text) {
    const std::size_t gap = text.find("::");
    const auto front = groups(text.substr(0, gap));
    const auto back = gap == std::string_view::npos ? groups("") : groups(text.substr(gap + 2));
    if (!front || !back) return std::nullopt;
    const std::size_t count = front->size() + back->size();
    if (gap == std::string_view::npos ? count != 8 : count > 7) return std::nullopt;
    std::array<std::uint16_t, 8> all{};
    std::copy(front->begin(), front->end(), all.begin());
    std::copy(back->begin(), back->end(), all.end() - static_cast<std::ptrdiff_t>(back->size()));
    Aaaa out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        out.address[2 * i] = static_cast<std::uint8_t>(all[i] >> 8U);
        out.address[2 * i + 1] = static_cast<std::uint8_t>(all[i] & 0xffU);
    }
    return out;
}

}  // namespace

Name name_of(std::string_view dotted) {
    Name out;
    for (std::size_t at = 0; at < dotted.size();) {
        const std::size_t end = std::min(dotted.find('.', at), dotted.size());
        out.emplace_back(dotted.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

std::optional<Request> read_request(BytesView message) {
    if (message.size() < kHeaderBytes) return std::nullopt;
    Reader reader(message);
    Request request;
    request.id = reader.number();
    const std::uint16_t flags = reader.number();
    if ((flags & 0x8000U) != 0) return std::nullopt;  // an answer
    request.recursion_desired = (flags & 0x0100U) != 0;
    const bool is_query = (flags & 0x7800U) == 0;
    const std::uint16_t questions = reader.number();
    const std::uint16_t answers = reader.number();
    const std::uint16_t authority = reader.number();
    const std::uint16_t additional = reader.number();
    if (!is_query) {
        request.problem = Code::not_implemented;
        return request;
    }
    if (questions != 1 || answers != 0 || authority != 0) {
        request.problem = Code::format_error;
        return request;
    }
    Question question{.name = reader.name(), .type = reader.number()};
    const std::uint16_t kind = reader.number();
    if (!reader.ok()) {
        request.problem = Code::format_error;
        return request;
    }
    request.question = std::move(question);
    if (kind != kInternet && kind != kAnyClass) request.problem = Code::refused;
    read_edns(reader, additional, request);
    if (!reader.ok()) request.problem = Code::format_error;
    return request;
}

Bytes write_answer(const Request& request, const Answer& answer, std::size_t bytes_max) {
    INVARIANT(bytes_max >= 512);
    const unsigned code = static_cast<unsigned>(answer.code);
    Bytes out(kHeaderBytes, 0);
    set(out, 0, request.id);
    if (request.question) {
        put(out, request.question->name);
        put(out, request.question->type);
        put(out, kInternet);
    }
    const std::size_t edns_bytes = request.edns_bytes ? 11 : 0;
    const std::size_t limit = bytes_max - edns_bytes;
    const std::uint16_t answers = add(out, answer.answers, request.question, limit);
    const bool truncated = answers < answer.answers.size();
    std::uint16_t authority = 0;
    std::uint16_t additional = 0;
    if (!truncated) {
        authority = add(out, answer.authority, request.question, limit);
        additional = add(out, answer.additional, request.question, limit);
    }
    if (request.edns_bytes) {
        out.push_back(0);  // the root's name
        put(out, static_cast<std::uint16_t>(Type::opt));
        put(out, kOurUdpBytes);
        put_wide(out, (code >> 4U) << 24U);
        put(out, std::uint16_t{0});
        ++additional;
    }
    const unsigned flags = 0x8000U | (answer.authoritative ? 0x0400U : 0U) |
                           (truncated ? 0x0200U : 0U) | (request.recursion_desired ? 0x0100U : 0U) |
                           (code & 0x0fU);
    set(out, 2, static_cast<std::uint16_t>(flags));
    set(out, 4, request.question ? 1 : 0);
    set(out, 6, answers);
    set(out, 8, authority);
    set(out, 10, additional);
    return out;
}

std::optional<std::variant<A, Aaaa>> address_of(const std::string& text) {
    if (const auto four = four_numbers(text)) return A{*four};
    if (const auto wide = six(text)) return *wide;
    return std::nullopt;
}

}  // namespace gaggle::dns
