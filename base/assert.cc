#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace gaggle {

void invariant_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "invariant broken: %s at %s:%d (this is a bug in gaggle)\n", condition,
                 file, line);
    std::fflush(stderr);
    std::abort();
}

}  // namespace gaggle
