#include <sodium.h>

#include "crypto/identity.h"

namespace gaggle {

namespace {

/// The label, its length in front, so that no (label, message) pair reads as another one.
Bytes labelled(std::string_view label, BytesView message) {
    INVARIANT(label.size() <= 255);
    Bytes out;
    out.reserve(1 + label.size() + message.size());
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    out.insert(out.end(), message.begin(), message.end());
    return out;
}

}  // namespace

Secret random_secret() {
    INVARIANT(sodium_init() >= 0);
    Secret out;
    randombytes_buf(out.data(), out.size());
    return out;
}

SigningKey SigningKey::from_seed(const Secret& seed) {
    SigningKey out;
    out.seed_ = seed;
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> pair{};
    crypto_sign_seed_keypair(out.public_key_.bytes.data(), pair.data(), seed.data());
    sodium_memzero(pair.data(), pair.size());
    return out;
}

Signature SigningKey::sign(std::string_view label, BytesView message) const {
    const Bytes text = labelled(label, message);
    // libsodium's secret key is the seed followed by the public key.
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> pair{};
    std::copy(seed_.begin(), seed_.end(), pair.begin());
    std::copy(public_key_.bytes.begin(), public_key_.bytes.end(), pair.begin() + seed_.size());
    Signature out;
    crypto_sign_detached(out.bytes.data(), nullptr, text.data(), text.size(), pair.data());
    sodium_memzero(pair.data(), pair.size());
    return out;
}

CurveKeyPair CurveKeyPair::from_secret(const Secret& secret) {
    CurveKeyPair out;
    out.secret = secret;
    crypto_scalarmult_base(out.open.bytes.data(), secret.data());
    return out;
}

bool verify(const PublicKey& key, std::string_view label, BytesView message,
            const Signature& signature) {
    const Bytes text = labelled(label, message);
    return crypto_sign_verify_detached(signature.bytes.data(), text.data(), text.size(),
                                       key.bytes.data()) == 0;
}

}  // namespace gaggle
