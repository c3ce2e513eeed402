// Chance, from a seed.
//
// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021),
// seeded through splitmix64. All draws are our own arithmetic: the standard distributions differ
// between libraries, and the same seed must give the same trace everywhere. Not for secrets: keys
// come from libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "base/assert.h"

namespace gaggle {

class Rng {
  public:
    explicit Rng(std::uint64_t seed);

    /// 64 uniform bits.
    std::uint64_t next();
    /// Uniform in [0, bound). Requires bound > 0.
    std::uint64_t below(std::uint64_t bound);
    /// Uniform in [low, high]. Requires low <= high.
    std::int64_t between(std::int64_t low, std::int64_t high);
    /// Uniform in [0, 1).
    double unit();
    /// True with probability `p`.
    bool chance(double p);
    /// An independent stream; the parent moves on by one draw.
    Rng fork();

    /// Fisher-Yates.
    template <class T>
    void shuffle(std::span<T> items) {
        for (std::size_t left = items.size(); left > 1; --left)
            std::swap(items[left - 1], items[below(left)]);
    }
    /// One of them. Requires a non-empty span.
    template <class T>
    T& pick(std::span<T> items) {
        INVARIANT(!items.empty());
        return items[below(items.size())];
    }

  private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace gaggle
