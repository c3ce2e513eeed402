// What the books accept at all, so that no sum in apply() can overflow whatever a command says.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "placement/fit/capacity.h"
#include "placement/jobspec/job.h"

namespace gaggle::ledger {

inline constexpr std::int64_t kAmountMax = std::int64_t{1}
                                           << 40;   ///< MHz, MiB; a million times a large machine
inline constexpr std::int64_t kCoresMax = 1 << 16;  ///< times kAmountMax is still a number
inline constexpr std::int64_t kCountMax = 100'000;  ///< of a group
inline constexpr std::size_t kTasksMax = 1'000;     ///< of a group
inline constexpr std::size_t kStatusBytesMax = 64U << 10U;  ///< of an allocation's reported status
inline constexpr std::size_t kServicesBytesMax = 32U << 10U;  ///< of its instances of services
inline constexpr Duration kSpanMax = std::chrono::hours(24 * 3660);

/// Each between 0 and kAmountMax, cores kCoresMax.
bool reasonable(const Amounts& amounts);
/// Why the books cannot take this job, or nothing. The parsers judge far more; this guards the
/// arithmetic.
std::optional<std::string> unbookable(const Job& job);
/// `from` + `span`, with the span cut to [0, kSpanMax] and the sum to the end of time.
LogTime later(LogTime from, Duration span);
WallTime later(WallTime from, Duration span);

}  // namespace gaggle::ledger
