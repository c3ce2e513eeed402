// A second witness, outside the database, of what was acknowledged.
//
// LevelDB cannot tell a log that lost its end from one that never had it (a truncated or missing
// file opens as if nothing had been there; consensus.md 2.10). The guard knows how far the log had
// come. It lies in two slots of 4 KiB, each a file of its own, written in turn with a counter and a
// checksum: a crash can harm the one that is being written, never both. It is always written after
// the log, so a guard ahead of the log means that the log has forgotten: amnesia.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "base/result.h"
#include "gctl/store/layout.h"
#include "gctl/store/store.h"

namespace gaggle::store {

constexpr std::size_t kGuardSlotBytes = 4096;

struct Witness {
    std::uint64_t counter = 0;  ///< of the guard's own writes; the higher slot counts
    Span span;                  ///< the log had all of this
    std::optional<Membership> membership;
    raft::HardState hard;

    bool operator==(const Witness&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.counter, s.span, s.membership, s.hard);
    }
};

/// Exactly kGuardSlotBytes.
Bytes encode_slot(const Witness& witness);
/// Nothing when the slot is damaged.
std::optional<Witness> decode_slot(BytesView slot);

/// Why a log that shows `log` has amnesia, seen from `guard`; nothing when it has not.
std::optional<std::string> amnesia(const std::optional<Witness>& guard, const Witness& log);

/// The two slots in a directory. `env` must outlive it.
class Guard {
  public:
    Guard(CheckedEnv& env, std::string directory);

    /// The newer good slot; nothing when both are missing or damaged. Errc::io when the disk fails.
    Result<std::optional<Witness>> read();
    /// Writes both slots anew, for an empty log.
    Result<void> create();
    /// Writes the older slot; the counter is set here.
    Result<void> write(Witness witness);

  private:
    std::string slot_path(std::uint64_t counter) const;

    CheckedEnv& env_;
    const std::string directory_;
    std::uint64_t counter_ = 0;
};

}  // namespace gaggle::store
