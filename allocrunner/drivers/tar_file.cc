#include "allocrunner/drivers/tar_file.h"

#include <algorithm>

#include "base/assert.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kSumAt = 148;  // of the checksum, which counts itself as blanks
constexpr std::size_t kSumSize = 8;

/// As the header has numbers: octal digits with leading zeros and a NUL.
void put_number(std::string& header, std::size_t at, std::size_t size, std::size_t number) {
    header[at + size - 1] = '\0';
    for (std::size_t digit = size - 1; digit > 0; --digit, number /= 8)
        header[at + digit - 1] = static_cast<char>('0' + number % 8);
}

std::string header_of(const std::string& name, std::size_t size) {
    std::string out(kBlock, '\0');
    std::copy(name.begin(), name.end(), out.begin());
    put_number(out, 100, 8, 0755);
    put_number(out, 108, 8, 0);  // user and group: root
    put_number(out, 116, 8, 0);
    put_number(out, 124, 12, size);
    put_number(out, 136, 12, 0);  // changed in 1970: the same program gives the same archive
    out[156] = '0';               // a plain file
    out.replace(257, 8, std::string("ustar\00000", 8));
    out.replace(kSumAt, kSumSize, kSumSize, ' ');
    std::size_t sum = 0;
    for (const char byte : out) sum += static_cast<unsigned char>(byte);
    put_number(out, kSumAt, kSumSize - 1, sum);
    return out;
}

}  // namespace

std::string tar_of_program(const std::string& name, BytesView bytes) {
    INVARIANT(!name.empty() && name.size() < 100 && name.front() != '/');
    std::string out = header_of(name, bytes.size());
    out.append(bytes.begin(), bytes.end());
    out.append((kBlock - bytes.size() % kBlock) % kBlock, '\0');
    out.append(2 * kBlock, '\0');
    return out;
}

}  // namespace gaggle::allocrunner
