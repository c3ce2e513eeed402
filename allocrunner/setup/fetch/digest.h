// The checksum of a file on its way, part by part.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "allocrunner/setup/checksum.h"

namespace gaggle::setup {

class Digest {
  public:
    explicit Digest(Checksum::Kind kind);
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;
    void add(std::string_view bytes);
    /// Lower-case hexadecimal; once.
    std::string finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::setup
