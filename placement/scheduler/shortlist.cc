#include "placement/scheduler/shortlist.h"

#include <algorithm>
#include <span>

#include "placement/scheduler/metrics.h"

namespace gaggle {

namespace {

bool better(const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : a.tie < b.tie;
}

}  // namespace

std::vector<std::size_t> draw_candidates(std::vector<Ranked>& ranked, Rng& rng) {
    const std::size_t share =
        std::clamp(ranked.size() / kShortlistShare, kCandidatesPlanned, kShortlistMax);
    const std::size_t shortlist = std::min(ranked.size(), share);
    const std::size_t in_order = std::min(ranked.size(), std::max(shortlist, kScoresKept));
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(in_order),
                      ranked.end(), better);

    std::vector<Ranked> drawn(ranked.begin(),
                              ranked.begin() + static_cast<std::ptrdiff_t>(shortlist));
    if (drawn.empty()) return {};
    if (drawn.size() > kCandidatesPlanned) {
        rng.shuffle(std::span(drawn));
        drawn.resize(kCandidatesPlanned);
        std::sort(drawn.begin(), drawn.end(), better);
    }
    const double best = drawn.front().score;
    const auto near = std::count_if(drawn.begin(), drawn.end(), [&](const Ranked& one) {
        return one.score > best - kNearEqual;
    });
    std::swap(drawn.front(), drawn[rng.below(static_cast<std::uint64_t>(near))]);
    std::vector<std::size_t> options;
    for (const Ranked& one : drawn) options.push_back(one.option);
    return options;
}

}  // namespace gaggle
