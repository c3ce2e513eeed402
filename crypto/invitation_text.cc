// The one line in which an invitation travels: "gaggle1." base64url(checksum64 || encoded
// invitation).

#include <algorithm>
#include <cctype>

#include "crypto/invitation.h"

namespace gaggle {

namespace {

constexpr std::string_view kPrefix = "gaggle1.";
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kTextMax = 16U << 10U;

struct InvitationWire {
    PublicKey authority;
    std::vector<Seed> seeds;
    Secret delegated_seed{};
    InvitationGrant grant;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.authority, s.seeds, s.delegated_seed, s.grant);
    }
};

Bytes checksum_of(BytesView payload) {
    std::uint64_t sum = checksum64(payload);
    Bytes out(kChecksumBytes);
    for (std::size_t at = kChecksumBytes; at-- > 0; sum >>= 8U)
        out[at] = static_cast<std::uint8_t>(sum);
    return out;
}

std::string without_space(std::string_view text) {
    std::string out;
    std::copy_if(text.begin(), text.end(), std::back_inserter(out),
                 [](unsigned char letter) { return std::isspace(letter) == 0; });
    return out;
}

/// The bytes behind the text, when it is whole. Encoded again it must be the same text: the last
/// character of base64 has bits that the bytes do not show.
std::optional<Bytes> whole_payload(std::string_view body) {
    const auto bytes = from_base64url(body);
    if (!bytes || bytes->size() < kChecksumBytes || to_base64url(*bytes) != body)
        return std::nullopt;
    Bytes payload(bytes->begin() + kChecksumBytes, bytes->end());
    const Bytes checksum = checksum_of(payload);
    if (!std::equal(checksum.begin(), checksum.end(), bytes->begin())) return std::nullopt;
    return payload;
}

}  // namespace

std::string to_text(const Invitation& invitation) {
    const Bytes payload = encode(InvitationWire{invitation.authority, invitation.seeds,
                                                invitation.delegated.seed(), invitation.grant});
    Bytes whole = checksum_of(payload);
    whole.insert(whole.end(), payload.begin(), payload.end());
    return std::string(kPrefix) + to_base64url(whole);
}

Result<Invitation> parse_invitation(std::string_view text) {
    if (text.size() > kTextMax)
        return Error{Errc::invalid, "read invitation: " + std::to_string(text.size()) +
                                        " characters, an invitation has a few hundred"};
    const std::string line = without_space(text);
    if (!line.starts_with(kPrefix))
        return Error{Errc::invalid, "read invitation: this is none, they begin with \"" +
                                        std::string(kPrefix) +
                                        "\" (make one with gctl cluster invite)"};
    const auto payload = whole_payload(std::string_view(line).substr(kPrefix.size()));
    if (!payload)
        return Error{Errc::corrupt,
                     "read invitation: it is garbled, its checksum differs; copy the whole line"};
    auto wire =
        TRY(decode<InvitationWire>(*payload, "invitation", Limits{.fields = Fields::exact}));
    if (wire.seeds.empty() || wire.seeds.size() > kSeedsMax)
        return Error{Errc::invalid, "read invitation: " + std::to_string(wire.seeds.size()) +
                                        " seeds, wanted 1 to " + std::to_string(kSeedsMax)};
    const SigningKey delegated = SigningKey::from_seed(wire.delegated_seed);
    const auto held = verify(wire.grant, wire.authority, wire.grant.body.scope.region);
    if (!held.ok()) return within("read invitation", held.error());
    if (delegated.public_key() != wire.grant.body.delegated)
        return Error{Errc::denied,
                     "read invitation: its secret key is not the one that was invited"};
    return Invitation{wire.authority, std::move(wire.seeds), delegated, std::move(wire.grant)};
}

}  // namespace gaggle
