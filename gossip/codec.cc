#include "base/assert.h"
#include "base/wire.h"
#include "gossip/message.h"

namespace gaggle::gossip {

namespace {

constexpr Limits kFrameLimits{
    .fields = Fields::lenient, .bytes = kFrameBytesMax, .items = 4096, .depth = 16};
constexpr std::uint64_t kIncarnationMax = 1ULL << 62U;  ///< so that adding one is always possible

const char* out_of_range(const Announcement& announcement) {
    if (announcement.incarnation.value > kIncarnationMax) return "incarnation";
    if (announcement.signature.size() > kSignatureBytesMax) return "signature";
    return announcement.peer.empty() ? "empty peer id" : nullptr;
}

const char* out_of_range(const Accusation& accusation) {
    if (accusation.incarnation.value > kIncarnationMax) return "incarnation";
    if (accusation.signature.size() > kSignatureBytesMax) return "signature";
    return accusation.subject == accusation.accuser ? "accuser of itself" : nullptr;
}

const char* out_of_range(const CapacityRumour& rumour) {
    if (rumour.record.size() > kCapacityBytesMax) return "capacity record";
    return rumour.age < Duration(0) || rumour.age > kAgeMax ? "age" : nullptr;
}

const char* out_of_range(const Card& card) {
    return card.bytes.size() > kCardBytesMax ? "card" : nullptr;
}

template <class Item>
const char* out_of_range(const std::vector<Item>& items) {
    for (const auto& item : items)
        if (const char* what = out_of_range(item)) return what;
    return nullptr;
}

const char* out_of_range(const PingRequest& request) {
    const bool fits = request.timeout >= Duration(0) && request.timeout <= kRelayTimeoutMax;
    return fits ? nullptr : "timeout";
}
const char* out_of_range(const Digest& digest) {
    return digest.entries.size() > kDigestEntriesMax ? "digest" : nullptr;
}
const char* out_of_range(const Want& want) {
    return want.records.size() > kWantsMax || want.cards.size() > kWantsMax ? "want" : nullptr;
}
const char* out_of_range(const Cards& cards) { return out_of_range(cards.cards); }

template <class Other>
const char* out_of_range(const Other&) {
    return nullptr;
}

const char* out_of_range(const Message& message) {
    if (message.version == 0) return "version";
    if (const char* what = out_of_range(message.records.announcements)) return what;
    if (const char* what = out_of_range(message.records.accusations)) return what;
    if (const char* what = out_of_range(message.records.capacities)) return what;
    return std::visit([](const auto& body) { return out_of_range(body); }, message.body);
}

template <class Record>
std::size_t sum(const std::vector<Record>& records) {
    std::size_t bytes = 0;
    for (const auto& record : records) bytes += wire_bytes(record);
    return bytes;
}

}  // namespace

Bytes encode_message(const Message& message) {
    Bytes bytes = encode(message);
    INVARIANT(bytes.size() <= kFrameBytesMax);
    return bytes;
}

Result<Message> decode_message(BytesView bytes) {
    auto message = TRY(decode<Message>(bytes, "gossip frame", kFrameLimits));
    if (const char* what = out_of_range(message))
        return Error{Errc::corrupt, std::string("decode gossip frame: out of range: ") + what};
    return message;
}

// Fixed fields at their longest: an id takes 18 bytes, a hash 34, a number 9, a binary's head 5.
std::size_t wire_bytes(const Announcement& announcement) {
    return 112 + announcement.signature.size();
}
std::size_t wire_bytes(const Accusation& accusation) { return 80 + accusation.signature.size(); }
std::size_t wire_bytes(const CapacityRumour& rumour) { return 64 + rumour.record.size(); }

std::size_t wire_bytes(const Records& records) {
    return sum(records.announcements) + sum(records.accusations) + sum(records.capacities);
}

}  // namespace gaggle::gossip
