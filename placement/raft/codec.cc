#include <tuple>

#include "base/wire.h"
#include "placement/raft/message.h"

namespace gaggle::raft {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr Limits kLimits{
    .fields = Fields::exact, .bytes = kMessageBytesMax, .items = 1U << 16U, .depth = 16};

struct Frame {
    std::uint8_t version = kVersion;
    Message message;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.version, s.message);
    }
};

std::string words(const PreVote& m) {
    return "pre-vote last=" + std::to_string(m.last_index.value) + "/" +
           std::to_string(m.last_term.value);
}
std::string words(const PreVoteReply& m) {
    return m.granted ? "pre-vote granted" : "pre-vote refused";
}
std::string words(const Vote& m) {
    return "vote last=" + std::to_string(m.last_index.value) + "/" +
           std::to_string(m.last_term.value) + (m.transfer ? " transfer" : "");
}
std::string words(const VoteReply& m) { return m.granted ? "vote granted" : "vote refused"; }
std::string words(const Append& m) {
    std::string out = "append after=" + std::to_string(m.previous.value) + "/" +
                      std::to_string(m.previous_term.value) +
                      " commit=" + std::to_string(m.commit.value);
    if (!m.entries.empty()) out += " entries=";
    for (const Entry& entry : m.entries)
        out += (&entry == &m.entries.front() ? "" : ",") + std::to_string(entry.index.value) + "/" +
               std::to_string(entry.term.value);
    return out;
}
std::string words(const AppendReply& m) {
    if (!m.rejected) return "append matches to " + std::to_string(m.index.value);
    return "append after " + std::to_string(m.index.value) +
           " rejected hint=" + std::to_string(m.hint_index.value) + "/" +
           std::to_string(m.hint_term.value);
}
std::string words(const Heartbeat& m) {
    return "heartbeat commit=" + std::to_string(m.commit.value) +
           (m.read ? " read=" + std::to_string(m.read) : "");
}
std::string words(const HeartbeatReply& m) {
    return "heartbeat answered" + (m.read ? " read=" + std::to_string(m.read) : std::string());
}
std::string words(const InstallSnapshot& m) {
    return "snapshot at=" + std::to_string(m.snapshot.meta.index.value) + "/" +
           std::to_string(m.snapshot.meta.term.value) + " " +
           std::to_string(m.snapshot.state.size()) + " bytes";
}
std::string words(const SnapshotReply& m) {
    return "snapshot covers to " + std::to_string(m.index.value);
}
std::string words(const TimeoutNow& m) {
    return "timeout-now last=" + std::to_string(m.last_index.value);
}

}  // namespace

bool is_bulk(const Message& message) {
    return std::holds_alternative<InstallSnapshot>(message.body);
}

Bytes encode_message(const Message& message) { return encode(Frame{kVersion, message}); }

Result<Message> decode_message(BytesView bytes) {
    Frame frame = TRY(decode<Frame>(bytes, "group message", kLimits));
    if (frame.version != kVersion)
        return Error{Errc::corrupt, "decode group message: version " +
                                        std::to_string(frame.version) +
                                        " where this program knows 1: upgrade needed"};
    return std::move(frame.message);
}

std::string to_string(const Message& message) {
    return std::to_string(message.from.value) + "->" + std::to_string(message.to.value) + " t" +
           std::to_string(message.term.value) + " " +
           std::visit([](const auto& body) { return words(body); }, message.body);
}

}  // namespace gaggle::raft
