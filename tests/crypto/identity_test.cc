#include "crypto/identity.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/crypto/fixture.h"

namespace gaggle {

namespace {

/// A directory of its own, removed at the end.
struct Folder {
    Folder() {
        char name[] = "/tmp/gaggle-identity-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const char* name) const { return path + "/" + name; }
    std::string path;
};

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void overwrite(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE("a signature holds for its key, label and message only") {
    const auto fresh = counted_secrets();
    const SigningKey key = SigningKey::from_seed(fresh());
    const SigningKey other = SigningKey::from_seed(fresh());
    const Bytes message = to_bytes("the goose is cooked");
    const Signature signature = key.sign("label", message);
    CHECK(verify(key.public_key(), "label", message, signature));
    CHECK(!verify(other.public_key(), "label", message, signature));
    CHECK(!verify(key.public_key(), "labe", message, signature));
    CHECK(!verify(key.public_key(), "labelt", to_bytes("he goose is cooked"), signature));
    CHECK(!verify(key.public_key(), "label", to_bytes("the goose is cooke"), signature));
    for (std::size_t at = 0; at < signature.bytes.size(); ++at) {
        CAPTURE(at);
        Signature damaged = signature;
        damaged.bytes[at] ^= 1U;
        CHECK(!verify(key.public_key(), "label", message, damaged));
    }
}

TEST_CASE("RFC 8032 and RFC 7748: keys are what everybody else would make of the same secret") {
    // RFC 8032 section 7.1, test 1.
    const auto seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    Secret secret{};
    std::copy(seed->begin(), seed->end(), secret.begin());
    CHECK(to_hex(SigningKey::from_seed(secret).public_key().bytes) ==
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    // RFC 7748 section 5.2, the first iteration: the scalar 9 times the base point, which is 9.
    CHECK(to_hex(CurveKeyPair::from_secret(Secret{9}).open.bytes) ==
          "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
}

TEST_CASE("an identity comes back from its file, readable by its owner alone") {
    const Folder folder;
    const std::string path = folder.file("identity");
    const Identity identity = make_identity();
    REQUIRE(save_identity(path, identity).ok());
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0600U);
    const auto again = load_identity(path);
    REQUIRE(again.ok());
    CHECK(again->id() == identity.id());
    CHECK(again->signing.seed() == identity.signing.seed());
    CHECK(again->curve.secret == identity.curve.secret);
    CHECK(again->curve.open == identity.curve.open);
    CHECK(make_identity().id() != identity.id());
}

TEST_CASE("a wrong, cut or garbled identity file is a clear error") {
    const Folder folder;
    const std::string path = folder.file("identity");
    CHECK(load_identity(path).error().code == Errc::not_found);
    REQUIRE(save_identity(path, make_identity()).ok());
    const std::string whole = read(path);

    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    CHECK(load_identity(path).error().code == Errc::denied);
    CHECK(load_identity(path).error().detail.find("chmod 600 " + path) != std::string::npos);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);

    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        overwrite(path, std::string_view(whole).substr(0, length));
        CHECK(load_identity(path).error().code == Errc::corrupt);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        CAPTURE(at);
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 4);
        overwrite(path, damaged);
        CHECK(load_identity(path).error().code == Errc::corrupt);
    }
    overwrite(path, std::string(1U << 20U, 'x'));
    CHECK(load_identity(path).error().code == Errc::corrupt);
    CHECK(load_identity(folder.path).error().code == Errc::invalid);
    CHECK(save_identity(folder.file("missing/identity"), make_identity()).error().code ==
          Errc::not_found);
}

TEST_CASE("issuer and authority keep their keys the same way, and are not mixed up") {
    const Folder folder;
    const TestCluster cluster;
    REQUIRE(save_issuer(folder.file("issuer"), cluster.founding.issuer).ok());
    REQUIRE(save_authority(folder.file("authority"), cluster.founding.authority).ok());
    const auto issuer = load_issuer(folder.file("issuer"));
    REQUIRE(issuer.ok());
    CHECK(issuer->certificate == cluster.founding.issuer.certificate);
    CHECK(issuer->key.seed() == cluster.founding.issuer.key.seed());
    CHECK(load_authority(folder.file("authority"))->public_key() == cluster.authority());
    CHECK(load_authority(folder.file("issuer")).error().code == Errc::corrupt);
    CHECK(load_identity(folder.file("authority")).error().code == Errc::corrupt);
}

}  // namespace gaggle
