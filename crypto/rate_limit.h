// So many a second, and no more.
//
// A token bucket that holds one second's worth: short bursts pass, a stream is cut to the rate.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace gaggle {

class RateLimit {
  public:
    explicit RateLimit(std::uint32_t per_second) : per_second_(per_second), credit_(full()) {}

    /// Whether one more may pass at `now`, which must not go backwards.
    bool take(TimePoint now) {
        const std::int64_t passed = std::min<std::int64_t>((now - last_).count(), kSecond);
        last_ = now;
        credit_ = std::min(full(), credit_ + passed * per_second_);
        if (credit_ < kSecond) return false;
        credit_ -= kSecond;
        return true;
    }

  private:
    static constexpr std::int64_t kSecond = 1'000'000;  // a token, in microseconds times the rate
    std::int64_t full() const { return kSecond * per_second_; }

    std::int64_t per_second_;
    std::int64_t credit_;
    TimePoint last_;
};

}  // namespace gaggle
