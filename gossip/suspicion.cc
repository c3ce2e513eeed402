#include "gossip/suspicion.h"

#include <algorithm>
#include <cmath>

namespace gaggle::gossip {

Duration suspicion_time(int confirmations, int wanted, SuspicionBounds bounds) {
    if (confirmations >= wanted) return bounds.min;
    const double share = std::log(confirmations + 1.0) / std::log(wanted + 1.0);
    const auto span = static_cast<double>((bounds.max - bounds.min).count());
    const Duration shrunk = bounds.max - Duration(static_cast<Duration::rep>(share * span));
    return std::max(bounds.min, Duration(std::chrono::floor<std::chrono::milliseconds>(shrunk)));
}

SuspicionBounds scaled_bounds(SuspicionBounds base, std::size_t members) {
    const double factor = std::max(1.0, std::log10(static_cast<double>(members)) / 2);
    const auto scaled = [&](Duration span) {
        return Duration(static_cast<Duration::rep>(static_cast<double>(span.count()) * factor));
    };
    return {.min = scaled(base.min), .max = scaled(base.max)};
}

}  // namespace gaggle::gossip
