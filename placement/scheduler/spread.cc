#include "placement/scheduler/spread.h"

#include <algorithm>

#include "placement/scheduler/constraint.h"

namespace gaggle {

namespace {

constexpr const char* kRest = "*";  // the implicit target, when the percentages do not reach 100

std::map<std::string, double> desired_counts(const Spread& spread, std::int64_t count) {
    std::map<std::string, double> desired;
    double sum = 0;
    for (const SpreadTarget& target : spread.targets) {
        const double share = static_cast<double>(target.percent) / 100 * static_cast<double>(count);
        desired[target.value] = share;
        sum += share;
    }
    if (sum > 0 && sum < static_cast<double>(count))
        desired.emplace(kRest, static_cast<double>(count) - sum);
    return desired;
}

}  // namespace

std::optional<CountRange> range_of(const ValueCounts& counts) {
    std::optional<CountRange> range;
    for (const auto& [value, count] : counts) {
        if (!range) range = CountRange{count, count};
        range->least = std::min(range->least, count);
        range->most = std::max(range->most, count);
    }
    return range;
}

double even_spread_boost(const std::optional<CountRange>& range, std::int64_t used) {
    if (!range) return 0;
    const auto least = static_cast<double>(range->least);
    if (used != range->least) return least == 0 ? -1 : (least - static_cast<double>(used)) / least;
    if (range->least == range->most) return -1;
    return least == 0 ? 1 : (static_cast<double>(range->most) - least) / least;
}

double target_spread_boost(double desired, std::int64_t used, double weight_share, double& lowest) {
    if (desired == 0) return lowest;
    const double boost = (desired - static_cast<double>(used + 1)) / desired * weight_share;
    lowest = std::min(lowest, boost);
    return boost;
}

SpreadScorer::SpreadScorer(const Wanted& wanted) {
    std::int64_t weights = 0;
    const auto add = [&](const std::vector<Spread>& spreads) {
        for (const Spread& spread : spreads) {
            weights += spread.weight;
            blocks_.push_back({&spread,
                               static_cast<double>(spread.weight),
                               desired_counts(spread, wanted.group.count),
                               {},
                               {}});
        }
    };
    add(wanted.job.spreads);
    add(wanted.group.spreads);
    for (Block& block : blocks_) {
        block.weight_share = weights == 0 ? 0 : block.weight_share / static_cast<double>(weights);
    }
}

void SpreadScorer::count(const PeerView& peer) {
    for (Block& block : blocks_) {
        const auto value = resolve_target(block.spread->attribute, peer);
        if (!value) continue;
        ++block.counts[*value];
        block.range = range_of(block.counts);
        block.boosts.clear();
    }
}

double SpreadScorer::boost(const PeerView& peer) {
    double sum = 0;
    for (Block& block : blocks_) sum += boost_of(block, peer);
    return sum;
}

double SpreadScorer::boost_of(Block& block, const PeerView& peer) {
    const auto value = resolve_target(block.spread->attribute, peer);
    if (!value) return -1;
    const auto known = block.boosts.find(*value);
    if (known != block.boosts.end()) return known->second;

    const auto counted = block.counts.find(*value);
    const std::int64_t used = counted == block.counts.end() ? 0 : counted->second;
    double boost = -1;  // a value that no target names
    if (block.desired.empty()) {
        boost = even_spread_boost(block.range, used);
    } else {
        auto target = block.desired.find(*value);
        if (target == block.desired.end()) target = block.desired.find(kRest);
        if (target != block.desired.end())
            boost = target_spread_boost(target->second, used, block.weight_share, lowest_);
    }
    block.boosts.emplace(*value, boost);
    return boost;
}

}  // namespace gaggle
