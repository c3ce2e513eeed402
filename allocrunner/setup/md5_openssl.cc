#include <openssl/evp.h>

#include <array>

#include "allocrunner/setup/md5.h"
#include "base/assert.h"

namespace gaggle::setup {

std::string md5_hex(BytesView bytes) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> sum{};
    unsigned size = 0;
    INVARIANT(EVP_Digest(bytes.data(), bytes.size(), sum.data(), &size, EVP_md5(), nullptr) == 1);
    return to_hex(BytesView(sum.data(), size));
}

}  // namespace gaggle::setup
