#include "base/rng.h"

#include <bit>

namespace gaggle {

Rng::Rng(std::uint64_t seed) : state_{} {
    for (auto& word : state_) {
        seed += 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        word = mixed ^ (mixed >> 31U);
    }
}

std::uint64_t Rng::next() {
    const std::uint64_t out = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return out;
}

std::uint64_t Rng::below(std::uint64_t bound) {
    INVARIANT(bound > 0);
    const std::uint64_t biased = -bound % bound;  // draws below this would favour small results
    for (;;) {
        const std::uint64_t draw = next();
        if (draw >= biased) return draw % bound;
    }
}

std::int64_t Rng::between(std::int64_t low, std::int64_t high) {
    INVARIANT(low <= high);
    const std::uint64_t width =
        static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
    const std::uint64_t offset = width == 0 ? next() : below(width);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

double Rng::unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

bool Rng::chance(double p) { return unit() < p; }

Rng Rng::fork() { return Rng(next()); }

}  // namespace gaggle
