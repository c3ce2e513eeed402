// Who a peer is: two key pairs, made once and kept in one file.
//
// The Ed25519 key says who speaks: it signs records and certificates, and the PeerId is the hash of
// its public half. The X25519 key encrypts: it is the CURVE key of the peer's sockets. A
// certificate binds the two together (crypto/certificate.h). Every signature covers a short label
// beside the message, so that bytes signed as one kind of statement never pass for another (domain
// separation). Ed25519: RFC 8032; X25519: RFC 7748; both as libsodium does them, raw bytes, no
// encodings.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace gaggle {

/// 32 bytes that nobody else can guess: a seed, or the secret half of a key.
using Secret = std::array<std::uint8_t, 32>;

/// Where fresh secrets come from. `random_secret` everywhere but in the simulator, which needs the
/// same keys for the same seed.
using SecretSource = std::function<Secret()>;

/// From the operating system's generator, through libsodium.
Secret random_secret();

/// Ed25519 public key.
struct PublicKey {
    std::array<std::uint8_t, 32> bytes{};
    constexpr auto operator<=>(const PublicKey&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bytes);
    }
};

/// Ed25519 signature.
struct Signature {
    std::array<std::uint8_t, 64> bytes{};
    constexpr auto operator<=>(const Signature&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bytes);
    }
};

/// X25519 public key: what CURVE knows a peer by.
struct CurveKey {
    std::array<std::uint8_t, 32> bytes{};
    constexpr auto operator<=>(const CurveKey&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bytes);
    }
};

/// Ed25519 key pair. Made from its 32-byte seed; the public half is kept beside it because deriving
/// it costs as much as a signature.
class SigningKey {
  public:
    static SigningKey from_seed(const Secret& seed);

    const Secret& seed() const { return seed_; }
    const PublicKey& public_key() const { return public_key_; }
    /// Over (label, message). Requires a label of at most 255 bytes.
    Signature sign(std::string_view label, BytesView message) const;

  private:
    Secret seed_{};
    PublicKey public_key_;
};

/// X25519 key pair. `open` is always the public half of `secret`.
struct CurveKeyPair {
    static CurveKeyPair from_secret(const Secret& secret);

    Secret secret{};
    CurveKey open;
};

/// True when the owner of `key` signed exactly (label, message). About 60 to 110 microseconds
/// (reference/gossip.md section 4.1): verify once per record, not once per copy.
bool verify(const PublicKey& key, std::string_view label, BytesView message,
            const Signature& signature);

/// First 16 bytes of the hash of the key.
PeerId id_of(const PublicKey& key);

struct Identity {
    SigningKey signing;
    CurveKeyPair curve;

    PeerId id() const { return id_of(signing.public_key()); }
};

Identity make_identity(const SecretSource& fresh = random_secret);

/// Writes both secrets to `path` with mode 0600, durable and all or nothing.
Result<void> save_identity(const std::string& path, const Identity& identity);

/// `not_found` when there is no file; `denied` when others could read it; `corrupt` when it is cut
/// or garbled.
Result<Identity> load_identity(const std::string& path);

}  // namespace gaggle
