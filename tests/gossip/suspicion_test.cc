#include "gossip/suspicion.h"

#include <doctest/doctest.h>

namespace gaggle::gossip {

TEST_CASE("a suspect's time shrinks with each independent accuser") {
    struct Row {
        int confirmations, wanted;
        Duration time;
    };
    // max - (max - min) * ln(n + 1) / ln(k + 1), Lifeguard section IV-B; 4 s to 40 s.
    for (const auto& row : {Row{0, 3, 40s}, Row{1, 3, 22s}, Row{2, 3, 11'470ms}, Row{3, 3, 4s},
                            Row{4, 3, 4s}, Row{0, 2, 40s}, Row{1, 2, 17'286ms}, Row{2, 2, 4s}}) {
        CAPTURE(row.confirmations);
        CAPTURE(row.wanted);
        CHECK(suspicion_time(row.confirmations, row.wanted, {.min = 4s, .max = 40s}) == row.time);
    }
}

TEST_CASE("where nobody can confirm, a suspect has the least time") {
    CHECK(suspicion_time(0, 0, {.min = 4s, .max = 40s}) == 4s);
}

TEST_CASE("the bounds grow with the cluster only beyond a hundred members") {
    struct Row {
        std::size_t members;
        Duration min;
    };
    for (const auto& row :
         {Row{1, 8s}, Row{20, 8s}, Row{100, 8s}, Row{1'000, 12s}, Row{10'000, 16s}}) {
        CAPTURE(row.members);
        const auto bounds = scaled_bounds({.min = 8s, .max = 24s}, row.members);
        CHECK(bounds.min == row.min);
        CHECK(bounds.max == 3 * row.min);
    }
}

}  // namespace gaggle::gossip
