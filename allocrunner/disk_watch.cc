#include "allocrunner/disk_watch.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace gaggle::allocrunner {

namespace {

/// Beyond its budget, urgent measuring takes at most a twentieth of the time; an entry costs about
/// a microsecond.
constexpr std::uint64_t kPauseFactor = 20;
/// Microseconds of pause for each descriptor looked at, which costs two.
constexpr std::uint64_t kOpenFilePause = 100;

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

std::uint64_t DiskWatch::Watched::charged() const {
    return (use ? use->charged() : 0) + (exact ? 0 : nameless);
}

DiskWatch::Effects DiskWatch::step(TimePoint now, const Input& input) {
    INVARIANT(now >= last_);
    last_ = now;
    refill(now);
    Effects out;
    std::visit([&](const auto& what) { on(now, what, out); }, input);
    decide(now, out);
    return out;
}

void DiskWatch::refill(TimePoint now) {
    const auto most = static_cast<std::int64_t>(config_.entries_saved_max);
    if (!refilled_) {
        budget_ = most;
        refilled_ = now;
    }
    const auto per_second = static_cast<std::int64_t>(config_.entries_per_second);
    const std::int64_t gained = (now - *refilled_).count() * per_second / 1'000'000;
    if (gained == 0) return;
    *refilled_ += Duration(gained * 1'000'000 / per_second);
    budget_ = std::min(most, budget_ + gained);
}

void DiskWatch::on(TimePoint, const Tick&, Effects&) {}

void DiskWatch::on(TimePoint now, const Watch& watch, Effects& out) {
    INVARIANT(watch.limit > 0);
    const auto [found, is_new] = watched_.try_emplace(watch.alloc);
    Watched& alloc = found->second;
    if (is_new) {
        alloc.grown = grown_;
        alloc.measured = now;
        look_due_ = std::min(look_due_, now + config_.look_every);
    }
    if (alloc.limit != watch.limit) alloc.warned = alloc.told = false;
    alloc.limit = watch.limit;
    if (alloc.use) judge(watch.alloc, alloc, out);
}

void DiskWatch::on(TimePoint, const Forget& forget, Effects&) { watched_.erase(forget.alloc); }

void DiskWatch::on(TimePoint now, const Looked& looked, Effects&) {
    working_ = false;
    if (used_ && looked.used > *used_) grown_ += looked.used - *used_;
    used_ = looked.used;
    notified_ = looked.notified;
    for (auto& [id, alloc] : watched_)
        if (looked.all_touched || looked.touched.contains(id)) alloc.touched = true;
    look_due_ = now + until_next_look(now);
}

void DiskWatch::on(TimePoint now, const Measured& measured, Effects& out) {
    working_ = false;
    budget_ -= static_cast<std::int64_t>(std::max<std::uint64_t>(measured.entries, 1));
    const auto found = watched_.find(measured.alloc);
    if (found == watched_.end() || !found->second.walk) return;  // forgotten meanwhile
    Watched& alloc = found->second;
    alloc.walk->entries += measured.entries;
    if (!measured.done) return;
    const Walk walk = *std::exchange(alloc.walk, std::nullopt);
    if (walk.urgent) urgent_after_ = now + Duration(walk.entries * kPauseFactor);
    const std::uint64_t before = alloc.use ? alloc.use->bytes : measured.use.bytes;
    const Duration since = walk.began - alloc.measured;
    const bool grew = measured.use.bytes > before;
    if (since > Duration::zero())
        alloc.rate = grew ? static_cast<double>(measured.use.bytes - before) / seconds(since) : 0.0;
    alloc.use = measured.use;
    alloc.exact = measured.exact;
    alloc.grown = walk.grown;
    alloc.measured = walk.began;
    alloc.entries = walk.entries;
    // Without notification, what grew is taken to go on growing.
    if (grew && !notified_) alloc.touched = true;
    judge(measured.alloc, alloc, out);
    look_due_ = std::min(look_due_, now + until_next_look(now));
}

void DiskWatch::on(TimePoint now, const OpenFiles& files, Effects& out) {
    working_ = false;
    budget_ -= static_cast<std::int64_t>(files.looked_at);
    open_files_after_ =
        now + std::max(config_.open_files_pause, Duration(files.looked_at * kOpenFilePause));
    for (auto& [id, alloc] : watched_) {
        const auto found = files.found.find(id);
        const OpenUse open = found == files.found.end() ? OpenUse{} : found->second;
        if (open.bytes != alloc.open.bytes) alloc.touched = true;
        alloc.open = open;
        alloc.nameless = open.nameless;
        if (alloc.use) judge(id, alloc, out);
    }
}

/// Says what crossed a threshold, once each.
void DiskWatch::judge(const AllocId& id, Watched& alloc, Effects& out) {
    const std::uint64_t used = alloc.charged();
    const auto percent = [&](int share) {
        return alloc.limit / 100 * static_cast<std::uint64_t>(share);
    };
    const bool calm = alloc.warned && used < percent(config_.warn_again_below_percent);
    const bool over = used > alloc.limit && !alloc.told;
    const bool warn = used >= percent(config_.warn_percent) && !alloc.warned && !alloc.told;
    if (!over && !warn && !calm) return;
    alloc.warned = !calm;
    alloc.told = alloc.told || over;
    out.found.push_back({id, used, alloc.limit});
}

/// Bytes until the next threshold; at least 1.
std::uint64_t DiskWatch::left(const Watched& alloc) const {
    const std::uint64_t warn_at =
        alloc.limit / 100 * static_cast<std::uint64_t>(config_.warn_percent);
    const std::uint64_t next = alloc.warned ? alloc.limit : warn_at;
    const std::uint64_t used = alloc.charged();
    return used >= next ? 1 : next - used;
}

bool DiskWatch::is_urgent(TimePoint now, const Watched& alloc) const {
    if (alloc.told) return false;
    if (alloc.walk) return alloc.walk->urgent;
    if (!alloc.touched && !alloc.exact) return false;
    if (grown_ - alloc.grown >= left(alloc)) return true;
    const double on_its_way = alloc.rate * seconds(now - alloc.measured);
    return alloc.rate > 0 && on_its_way >= static_cast<double>(left(alloc));
}

/// The file system grew by what somebody had left, and that somebody was not seen to write.
bool DiskWatch::wants_open_files(TimePoint now) const {
    const std::uint64_t grown = grown_ - grown_at_open_files_;
    if (now < open_files_after_ || grown < config_.open_files_after) return false;
    return std::any_of(watched_.begin(), watched_.end(), [&](const auto& one) {
        const Watched& alloc = one.second;
        return !alloc.told && !alloc.exact && grown >= left(alloc);
    });
}

std::size_t DiskWatch::walks() const {
    return static_cast<std::size_t>(
        std::count_if(watched_.begin(), watched_.end(),
                      [](const auto& one) { return one.second.walk.has_value(); }));
}

/// Of the urgent ones the walk that has taken least so far, of the new ones the fastest grower.
std::optional<AllocId> DiskWatch::urgent(TimePoint now) const {
    const bool may_begin = walks() < config_.walks_max && (budget_ > 0 || now >= urgent_after_);
    const std::pair<const AllocId, Watched>* best = nullptr;
    const auto taken = [](const Watched& alloc) { return alloc.walk ? alloc.walk->entries : 0; };
    for (const auto& one : watched_) {
        const Watched& alloc = one.second;
        if (!is_urgent(now, alloc) || (!alloc.walk && !may_begin)) continue;
        const bool better = best == nullptr || taken(alloc) < taken(best->second) ||
                            (taken(alloc) == taken(best->second) && alloc.rate > best->second.rate);
        if (better) best = &one;
    }
    return best == nullptr ? std::nullopt : std::optional(best->first);
}

/// What is under way, else what was never measured, else the figure that is most out of date.
std::optional<AllocId> DiskWatch::calm(TimePoint now) const {
    const auto half = static_cast<std::int64_t>(config_.entries_saved_max / 2);
    const bool may_begin = walks() < config_.walks_max;
    std::optional<AllocId> best;
    Duration longest = Duration::zero();
    for (const auto& [id, alloc] : watched_) {
        if (budget_ <= (alloc.use ? half : 0)) continue;
        if (alloc.walk) return id;
        if (!may_begin) continue;
        const bool suspect = alloc.touched || !notified_;
        const Duration age = now - alloc.measured;
        const Duration late = !alloc.use
                                  ? Duration::max()
                                  : age - (suspect ? config_.renew_touched : config_.renew_all);
        if (late <= longest) continue;
        longest = late;
        best = id;
    }
    return best;
}

void DiskWatch::measure(TimePoint now, const AllocId& id, bool urgent, std::uint64_t entries,
                        Effects& out) {
    Watched& alloc = watched_.at(id);
    const bool anew = !alloc.walk;
    if (anew) {
        alloc.walk = Walk{.urgent = urgent, .entries = 0, .grown = grown_, .began = now};
        alloc.touched = false;
    }
    working_ = true;
    const std::uint64_t hidden = alloc.exact ? 0 : alloc.nameless;
    out.measure = Measure{.alloc = id,
                          .anew = anew,
                          .entries_max = entries,
                          .enough = alloc.limit > hidden ? alloc.limit - hidden : 0};
}

void DiskWatch::decide(TimePoint now, Effects& out) {
    if (working_) return;
    if (now >= look_due_) {
        working_ = out.look = true;
        return;
    }
    // First, for it has a pace of its own; a writer whose walks explain nothing, and who is
    // suspected again after each, would else never have his open files looked at.
    if (wants_open_files(now)) {
        grown_at_open_files_ = grown_;
        working_ = out.open_files = true;
        return;
    }
    if (const auto id = urgent(now)) return measure(now, *id, true, config_.slice, out);
    const auto id = calm(now);
    if (!id) return;
    const auto half = static_cast<std::int64_t>(config_.entries_saved_max / 2);
    const bool first = !watched_.at(*id).use;
    const auto entries = static_cast<std::uint64_t>(first ? budget_ : budget_ - half);
    measure(now, *id, false, std::min(entries, config_.slice), out);
}

Duration DiskWatch::until_next_look(TimePoint now) const {
    if (watched_.empty()) return config_.look_idle;
    Duration next = config_.look_every;
    for (const auto& [id, alloc] : watched_) {
        const bool stopped = !alloc.touched && now - alloc.measured > config_.look_every;
        if (alloc.told || alloc.rate <= 0 || stopped) continue;
        const double crossing = static_cast<double>(left(alloc)) / alloc.rate;
        if (crossing < seconds(next))
            next =
                std::max(config_.look_soonest, Duration(static_cast<std::int64_t>(crossing * 1e6)));
    }
    return next;
}

std::optional<TimePoint> DiskWatch::next_wakeup() const {
    if (working_) return std::nullopt;
    return look_due_;
}

std::set<AllocId> DiskWatch::watched() const {
    std::set<AllocId> out;
    for (const auto& [id, alloc] : watched_) out.insert(id);
    return out;
}

std::optional<DiskUse> DiskWatch::use(const AllocId& alloc) const {
    const auto found = watched_.find(alloc);
    if (found == watched_.end() || !found->second.use) return std::nullopt;
    DiskUse use = *found->second.use;
    if (!found->second.exact) use.bytes += found->second.nameless;
    return use;
}

}  // namespace gaggle::allocrunner
