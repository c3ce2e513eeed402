#include "allocrunner/drivers/shim/stream_posix.h"

namespace gaggle::allocrunner::shim {

namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kWindow = 10 * kMillisecond;
constexpr std::int64_t kRestMax = 100 * kMillisecond;
constexpr std::uint32_t kReadsMin = 3;       // in a window: below, it is heard at once
constexpr std::int64_t kBytesPerMsMin = 16;  // while it rests: below, it is heard at once again
constexpr std::size_t kFillPart = 4;

}  // namespace

bool Pace::heard(std::int64_t now, std::size_t bytes, std::size_t capacity) {
    if (reads_ == 0 && window_start_ == 0) window_start_ = now;
    bytes_ += bytes;
    ++reads_;
    rest_until_ = 0;
    const std::int64_t elapsed = now - window_start_;
    if (!resting_ && elapsed < kWindow) return false;
    const auto got = static_cast<std::int64_t>(bytes_);
    const bool talks = resting_ ? got * kMillisecond >= kBytesPerMsMin * elapsed
                                : reads_ >= kReadsMin && elapsed < kReadsMin * kWindow;
    bool larger = false;
    if (talks && got > 0) {
        const std::int64_t until_part =
            elapsed * static_cast<std::int64_t>(capacity / kFillPart) / got;
        larger = until_part < kRestMax;
        const std::int64_t rest = until_part < kRestMax ? until_part : kRestMax;
        if (rest >= kMillisecond) rest_until_ = now + rest;
    }
    resting_ = rest_until_ != 0;
    window_start_ = now;
    bytes_ = 0;
    reads_ = 0;
    return larger;
}

}  // namespace gaggle::allocrunner::shim
