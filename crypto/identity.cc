#include "crypto/identity.h"

#include <algorithm>

#include "crypto/secret_file.h"

namespace gaggle {

namespace {

constexpr std::string_view kKind = "identity";

struct StoredIdentity {
    Secret signing_seed{};
    Secret curve_secret{};
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.signing_seed, s.curve_secret);
    }
};

}  // namespace

PeerId id_of(const PublicKey& key) {
    const Hash hash = hash_of(key.bytes);
    PeerId out;
    std::copy_n(hash.bytes.begin(), out.bytes.size(), out.bytes.begin());
    return out;
}

Identity make_identity(const SecretSource& fresh) {
    const SigningKey signing = SigningKey::from_seed(fresh());
    return {signing, CurveKeyPair::from_secret(fresh())};
}

Result<void> save_identity(const std::string& path, const Identity& identity) {
    return save_secret(path, kKind, StoredIdentity{identity.signing.seed(), identity.curve.secret});
}

Result<Identity> load_identity(const std::string& path) {
    const auto stored = TRY(load_secret<StoredIdentity>(path, kKind));
    return Identity{SigningKey::from_seed(stored.signing_seed),
                    CurveKeyPair::from_secret(stored.curve_secret)};
}

}  // namespace gaggle
