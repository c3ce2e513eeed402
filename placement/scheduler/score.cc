#include "placement/scheduler/score.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "placement/scheduler/constraint.h"

namespace gaggle {

namespace {

constexpr double kBinpackMax = 18;  // of 20 - (10^free_cpu + 10^free_memory)

constexpr std::array<const char*, Scores::kNames> kScoreNames = {
    "binpack",       "job-anti-affinity", "node-reschedule-penalty",
    "node-affinity", "allocation-spread", "copy"};

double free_share(std::int64_t offered, std::int64_t used) {
    return offered <= 0 ? 0 : 1 - static_cast<double>(used) / static_cast<double>(offered);
}

}  // namespace

double binpack_score(const Amounts& offered, const Amounts& used) {
    const double free_cpu = free_share(offered.cpu.value, compute_of(offered, used).value);
    const double free_memory = free_share(offered.memory.value, used.memory.value);
    const double raw = 20 - (std::pow(10, free_cpu) + std::pow(10, free_memory));
    return std::clamp(raw, 0.0, kBinpackMax) / kBinpackMax;
}

double anti_affinity_score(std::int64_t here, std::int64_t desired) {
    return -static_cast<double>(here + 1) / static_cast<double>(std::max<std::int64_t>(1, desired));
}

double affinity_score(const std::vector<Affinity>& affinities, const PeerView& peer) {
    std::int64_t matched = 0, magnitude = 0;
    for (const Affinity& affinity : affinities) {
        magnitude += std::abs(affinity.weight);
        if (holds(affinity, peer)) matched += affinity.weight;
    }
    return magnitude == 0 ? 0 : static_cast<double>(matched) / static_cast<double>(magnitude);
}

void Scores::set(Name name, double value) {
    values_[name] = value;
    contributes_[name] = true;
}

void Scores::clear(Name name) {
    values_[name] = 0;
    contributes_[name] = false;
}

double Scores::normalized() const {
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < kNames; ++i) {
        sum += values_[i];
        count += contributes_[i] ? 1 : 0;
    }
    return count == 0 ? 0 : sum / count;
}

std::map<std::string, double> Scores::named() const {
    std::map<std::string, double> out;
    for (std::size_t i = 0; i < kNames; ++i) {
        if (contributes_[i]) out.emplace(kScoreNames[i], values_[i]);
    }
    return out;
}

}  // namespace gaggle
