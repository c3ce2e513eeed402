// What a test needs of the machine, and what happens where that is missing.
//
// A developer without root or a package is told what was not run. tests/run, as root and with all
// packages, sets GAGGLE_TESTS_MUST_RUN where the machine allows namespaces: then nothing may be
// missing, so that no test is green because it did nothing. What only another kernel has says "not
// run:" and is counted as skipped; tests/e2e/test_kernels.py runs it under such a kernel.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace gaggle::allocrunner {

/// Whether the rest of the test can be run. `need` says for people what is missing.
inline bool is_met(bool met, const std::string& need) {
    if (met) return true;
    if (std::getenv("GAGGLE_TESTS_MUST_RUN") != nullptr)
        FAIL_CHECK("must run and cannot: " << need);
    else
        MESSAGE("not run: " << need);
    return false;
}

inline bool is_root() { return is_met(geteuid() == 0, "it needs root"); }

}  // namespace gaggle::allocrunner
