#include <openssl/evp.h>

#include <array>

#include "allocrunner/setup/fetch/digest.h"
#include "base/bytes.h"

namespace gaggle::setup {

struct Digest::Impl {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
};

namespace {

const EVP_MD* algorithm(Checksum::Kind kind) {
    switch (kind) {
        case Checksum::Kind::md5: return EVP_md5();
        case Checksum::Kind::sha1: return EVP_sha1();
        case Checksum::Kind::sha256: return EVP_sha256();
        case Checksum::Kind::sha512: return EVP_sha512();
    }
    return nullptr;
}

}  // namespace

Digest::Digest(Checksum::Kind kind) : impl_(std::make_unique<Impl>()) {
    INVARIANT(EVP_DigestInit_ex(impl_->context, algorithm(kind), nullptr) == 1);
}

Digest::~Digest() { EVP_MD_CTX_free(impl_->context); }

void Digest::add(std::string_view bytes) {
    INVARIANT(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string Digest::finish() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> sum{};
    unsigned size = 0;
    INVARIANT(EVP_DigestFinal_ex(impl_->context, sum.data(), &size) == 1);
    return to_hex(BytesView(sum.data(), size));
}

}  // namespace gaggle::setup
