// Sizes and speeds that cannot be mixed up, in the units of a job file.
#pragma once

#include <compare>
#include <cstdint>

namespace gaggle {

template <class Tag>
struct Quantity {
    std::int64_t value = 0;
    constexpr auto operator<=>(const Quantity&) const = default;
    constexpr Quantity& operator+=(Quantity other) {
        value += other.value;
        return *this;
    }
    constexpr Quantity& operator-=(Quantity other) {
        value -= other.value;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
};

using MegaBytes = Quantity<struct MegaBytesTag>;  ///< 2^20 bytes, as Nomad counts them
using MegaHertz = Quantity<struct MegaHertzTag>;  ///< processor speed, summed over cores

}  // namespace gaggle
