// Whose directory to measure next, so that whoever crosses its limit is known soon and idle
// allocations cost next to nothing.
//
// Nobody can have grown by more than the file system under all of them has, and one call tells that
// figure. So an allocation is measured urgently only when something in it changed and the file
// system has grown, since its last measuring began, by what it had left (or when its own speed says
// that it has arrived by now). What the names do not explain, deleted files that are still open and
// mapped memory, is found by looking at the open files of all processes, at most once per such
// growth. All else is kept fresh from a budget of directory entries per second. Measuring comes in
// slices and goes on where it stopped; a few walks may be under way, the shortest first, so that a
// neighbour's million files delay nobody for long. This is arithmetic only: looking, walking and
// reading /proc is DiskWatcher's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "allocrunner/disk_use.h"
#include "allocrunner/input.h"
#include "base/ids.h"
#include "base/time.h"

namespace gaggle::allocrunner {

struct DiskWatchConfig {
    Duration look_every = 500ms;
    Duration look_soonest = 100ms;               ///< while somebody is about to cross
    Duration look_idle = 10s;                    ///< while nothing is watched
    Duration open_files_pause = 500ms;           ///< between two looks at all open files, at least
    std::uint64_t open_files_after = 4U << 20U;  ///< bytes of growth that are not worth one
    Duration renew_touched = 2s;               ///< how old a figure may be, while the budget allows
    Duration renew_all = 10min;                ///< also where nothing was heard of a change
    std::uint64_t entries_per_second = 5'000;  ///< in the long run: less than 1 % of a core
    std::uint64_t entries_saved_max = 1'000'000;  ///< half of it only for what is urgent
    std::uint64_t slice = 20'000;                 ///< entries per Measure: some 20 ms
    std::size_t walks_max = 4;                    ///< under way at once
    int warn_percent = 80;
    int warn_again_below_percent = 70;
};

class DiskWatch {
  public:
    // --- inputs
    struct Tick {};
    /// From now on; again: with another limit. `limit` in bytes, above 0.
    struct Watch {
        AllocId alloc;
        std::uint64_t limit = 0;
    };
    struct Forget {
        AllocId alloc;
    };
    /// Answers Effects::look.
    struct Looked {
        std::uint64_t used = 0;     ///< bytes, of the whole file system
        std::set<AllocId> touched;  ///< where something was written or made since the last look
        bool all_touched = false;   ///< too much happened to say where
        bool notified = false;      ///< `touched` can be relied upon
    };
    /// Answers Effects::measure.
    struct Measured {
        AllocId alloc;
        std::uint64_t entries = 0;  ///< of this slice
        bool done = false;
        /// By the file system's own books, deleted files included. Not covered: a file that its
        /// owner moved to another project (FS_IOC_FSSETXATTR), as a task without a user namespace
        /// of its own may; nothing else looks for that.
        bool exact = false;
        DiskUse use;         ///< when done: all of it, or as much as was more than `enough`
    };
    struct OpenUse {
        std::uint64_t bytes = 0;     ///< of all files in its directory that are open or mapped
        std::uint64_t nameless = 0;  ///< of those, what no name leads to any more
        bool operator==(const OpenUse&) const = default;
    };
    /// Answers Effects::open_files.
    struct OpenFiles {
        std::map<AllocId, OpenUse> found;
        std::uint64_t looked_at = 0;  ///< descriptors
    };
    using Input = std::variant<Tick, Watch, Forget, Looked, Measured, OpenFiles>;

    // --- effects: at most one of the first three, and none before the last one is answered
    struct Measure {
        AllocId alloc;
        bool anew = false;  ///< a new walk; else the one that was begun goes on
        std::uint64_t entries_max = 0;
        std::uint64_t enough = 0;  ///< bytes: a walk that found more may end
    };
    struct Effects {
        bool look = false;
        bool open_files = false;
        std::optional<Measure> measure;
        /// Once at 80 %, once over the limit, and once when it is below 70 % again.
        std::vector<DiskFound> found;
    };

    explicit DiskWatch(DiskWatchConfig config = {}) : config_(config) {}

    /// The only way in. `now` must not go backwards (checked).
    [[nodiscard]] Effects step(TimePoint now, const Input& input);
    /// Latest moment for the next Tick; nullopt while an answer is waited for.
    std::optional<TimePoint> next_wakeup() const;

    std::set<AllocId> watched() const;
    /// As of the last complete measuring; nothing before the first.
    std::optional<DiskUse> use(const AllocId& alloc) const;

  private:
    struct Walk {
        bool urgent = false;
        std::uint64_t entries = 0;
        std::uint64_t grown = 0;  ///< the file system's growth when it began
        TimePoint began{};
    };
    struct Watched {
        std::uint64_t limit = 0;
        std::optional<DiskUse> use;
        std::uint64_t nameless = 0;
        OpenUse open;
        bool exact = false;
        bool touched = true;      ///< since the last walk began
        std::uint64_t grown = 0;  ///< the file system's growth when the last walk began
        TimePoint measured{};     ///< when the last walk began
        std::uint64_t entries = 0;
        double rate = 0;  ///< bytes per second between the last two walks
        std::optional<Walk> walk;
        bool warned = false;
        bool told = false;  ///< that it is over

        std::uint64_t charged() const;
    };

    void on(TimePoint now, const Tick&, Effects& out);
    void on(TimePoint now, const Watch& watch, Effects& out);
    void on(TimePoint now, const Forget& forget, Effects& out);
    void on(TimePoint now, const Looked& looked, Effects& out);
    void on(TimePoint now, const Measured& measured, Effects& out);
    void on(TimePoint now, const OpenFiles& files, Effects& out);

    void decide(TimePoint now, Effects& out);
    void judge(const AllocId& id, Watched& alloc, Effects& out);
    std::uint64_t left(const Watched& alloc) const;
    bool is_urgent(TimePoint now, const Watched& alloc) const;
    bool wants_open_files(TimePoint now) const;
    std::optional<AllocId> urgent(TimePoint now) const;
    std::optional<AllocId> calm(TimePoint now) const;
    void measure(TimePoint now, const AllocId& id, bool urgent, std::uint64_t entries,
                 Effects& out);
    void refill(TimePoint now);
    Duration until_next_look(TimePoint now) const;
    std::size_t walks() const;

    DiskWatchConfig config_;
    TimePoint last_{};
    std::map<AllocId, Watched> watched_;
    bool working_ = false;  ///< an answer is waited for
    TimePoint look_due_{};
    std::optional<std::uint64_t> used_;  ///< of the file system, at the last look
    std::uint64_t grown_ = 0;            ///< sum of what it grew between looks
    bool notified_ = false;
    std::uint64_t grown_at_open_files_ = 0;
    TimePoint open_files_after_{};
    std::int64_t budget_ = 0;  ///< entries; below 0 after what was urgent
    std::optional<TimePoint> refilled_;
    TimePoint urgent_after_{};  ///< while the budget is used up
};

}  // namespace gaggle::allocrunner
