// The frames that members exchange.
//
// Every frame is a version, one body and a bundle of records: whatever is sent, news rides along.
// Frames are msgpack arrays (base/wire.h) below kFrameBytesMax; what does not fit goes in several.
// Unknown trailing fields are skipped; an unknown body or a value out of its range makes the frame
// malformed.
#pragma once

#include <variant>

#include "base/result.h"
#include "gossip/members.h"
#include "gossip/records.h"

namespace gaggle::gossip {

inline constexpr std::uint8_t kGossipVersion = 1;
inline constexpr std::size_t kFrameBytesMax = 60 * 1024;
inline constexpr std::size_t kDigestEntriesMax = 512;  ///< of one frame, about 30 KiB
inline constexpr std::size_t kWantsMax = 256;          ///< of each kind in one frame
inline constexpr std::size_t kSignatureBytesMax = 128;
inline constexpr Duration kRelayTimeoutMax = 10s;
inline constexpr Duration kAgeMax = std::chrono::hours(24 * 365);

/// Are you there? Answered by Ack.
struct Ping {
    std::uint64_t sequence = 0;  ///< of the sender of this frame
    StartId start;               ///< of the target, as the prober knows it
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.sequence, s.start);
    }
};

/// I am; or, from a helper: it is.
struct Ack {
    std::uint64_t sequence = 0;  ///< of the ping, or of the ping-req
    StartId start;               ///< of the target, in its own words
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.sequence, s.start);
    }
};

/// Please ping `target` for me (SWIM's ping-req).
struct PingRequest {
    std::uint64_t sequence = 0;
    PeerId target;
    StartId start;
    Duration timeout{0};  ///< a nack is due after 80 % of it; 0 to kRelayTimeoutMax
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.sequence, s.target, s.start, s.timeout);
    }
};

/// I heard your ping-req, but nothing from the target yet (Lifeguard).
struct Nack {
    std::uint64_t sequence = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.sequence);
    }
};

/// News that cannot wait; the records say it all.
struct Push {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

/// You are behind: the records are newer than what you said. Never answered by another correction.
struct Correction {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

/// What the sender knows of one member. The card needs no field: a new one takes a new incarnation.
struct DigestEntry {
    PeerId peer;
    Incarnation incarnation;
    MemberState state = MemberState::alive;
    StartId start;
    std::uint32_t accusers = 0;
    std::uint64_t capacity_version = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.incarnation, s.state, s.start, s.accusers, s.capacity_version);
    }
};

/// All that the sender knows of ids in (after, upto], in their order. Answered by what is newer
/// (Answer) and asked back for what is missing (Want).
struct Digest {
    PeerId after;
    PeerId upto;
    std::vector<DigestEntry> entries;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.after, s.upto, s.entries);
    }
};

/// Records that a digest or a want asked for.
struct Answer {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

struct Want {
    std::vector<PeerId> records;
    std::vector<PeerId> cards;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.records, s.cards);
    }
};

struct Card {
    PeerId peer;
    Bytes bytes;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.bytes);
    }
};

struct Cards {
    std::vector<Card> cards;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.cards);
    }
};

/// The order is the wire format; add at the end.
using Body =
    std::variant<Ping, Ack, PingRequest, Nack, Push, Correction, Digest, Answer, Want, Cards>;

struct Message {
    std::uint8_t version = kGossipVersion;
    Body body;
    Records records;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.version, s.body, s.records);
    }
};

/// Requires that the frame fits kFrameBytesMax.
Bytes encode_message(const Message& message);
/// Error corrupt when the bytes are not a frame of this protocol or a limit is exceeded.
Result<Message> decode_message(BytesView bytes);

/// About how many bytes a record takes in a frame; never less than it really takes.
std::size_t wire_bytes(const Announcement& announcement);
std::size_t wire_bytes(const Accusation& accusation);
std::size_t wire_bytes(const CapacityRumour& rumour);
std::size_t wire_bytes(const Records& records);

}  // namespace gaggle::gossip
