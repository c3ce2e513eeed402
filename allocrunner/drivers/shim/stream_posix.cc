#include "allocrunner/drivers/shim/stream_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace gaggle::allocrunner::shim {

namespace {

constexpr std::size_t kCopyBytes = 128U << 10U;
constexpr int kReadsPerTurn = 16;  // then the agents and the other stream have theirs
constexpr int kPipeBytes = 1 << 20;

char copied[kCopyBytes];  // zeroed pages: those that are never touched cost nothing

}  // namespace

std::int64_t monotonic_now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

int Stream::rest_ms(std::int64_t now) const {
    if (pipe < 0 || now >= pace_.rest_until()) return -1;
    return static_cast<int>((pace_.rest_until() - now + 999'999) / 1'000'000);
}

bool Stream::copy() {
    if (pipe < 0) return false;
    if (capacity_ == 0) {
        const int size = fcntl(pipe, F_GETPIPE_SZ);
        capacity_ = size > 0 ? static_cast<std::size_t>(size) : kCopyBytes;
    }
    std::size_t total = 0;
    for (int turn = 0; turn < kReadsPerTurn; ++turn) {
        const ssize_t got = read(pipe, copied, sizeof copied);
        if (got <= 0) {
            const bool later = got < 0 && (errno == EINTR || errno == EAGAIN);
            if (!later) {
                close(pipe);
                pipe = -1;
            }
            break;
        }
        log.write(copied, static_cast<std::size_t>(got));
        total += static_cast<std::size_t>(got);
        if (static_cast<std::size_t>(got) < sizeof copied) break;
    }
    const bool larger = pace_.heard(monotonic_now(), total, capacity_);
    if (larger && may_grow_ && pipe >= 0) {
        may_grow_ = false;  // the system says no to one who has many already
        const int size = fcntl(pipe, F_SETPIPE_SZ, kPipeBytes);
        if (size > 0) capacity_ = static_cast<std::size_t>(size);
    }
    return total > 0;
}

}  // namespace gaggle::allocrunner::shim
