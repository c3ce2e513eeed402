#include "placement/raft/log.h"

#include <algorithm>

#include "base/assert.h"

namespace gaggle::raft {

namespace {

/// What an entry weighs in all limits: its payload and what comes with it on disk and wire.
std::uint64_t weight(const Entry& entry) { return entry.payload.size() + 32; }

}  // namespace

Log::Log(const Restored& restored) {
    configurations_[LogIndex{0}] = {};
    auto entry = restored.entries.begin();
    if (restored.snapshot) {
        reset(restored.snapshot->meta);
        if (entry != restored.entries.end() && entry->index <= base_) {
            base_ = entry->index;
            base_term_ = entry->term;
            base_checksum_ = entry->checksum;
            ++entry;
        }
    }
    for (; entry != restored.entries.end(); ++entry) append(*entry);
}

Term Log::last_term() const { return entries_.empty() ? base_term_ : entries_.back().entry.term; }

std::uint64_t Log::last_checksum() const {
    return entries_.empty() ? base_checksum_ : entries_.back().entry.checksum;
}

std::optional<Term> Log::term_at(LogIndex index) const {
    if (index < base_ || index > last()) return std::nullopt;
    return index == base_ ? base_term_ : held(index).entry.term;
}

const Entry& Log::at(LogIndex index) const {
    INVARIANT(index >= first() && index <= last());
    return held(index).entry;
}

std::vector<Entry> Log::slice(LogIndex from, std::size_t bytes, std::size_t count) const {
    std::vector<Entry> out;
    std::uint64_t taken = 0;
    for (LogIndex index = from; index <= last() && out.size() < count; ++index.value) {
        const Entry& entry = at(index);
        taken += weight(entry);
        if (!out.empty() && taken > bytes) break;
        out.push_back(entry);
    }
    return out;
}

std::uint64_t Log::bytes_between(LogIndex after, LogIndex up_to) const {
    after = std::max(after, base_);
    up_to = std::min(up_to, last());
    if (after >= up_to) return 0;
    const std::uint64_t begin = held({after.value + 1}).bytes_before;
    return (up_to == last() ? bytes_end_ : held({up_to.value + 1}).bytes_before) - begin;
}

bool Log::up_to_date(LogIndex index, Term term) const {
    return term > last_term() || (term == last_term() && index >= last());
}

LogIndex Log::last_possible_match(LogIndex index, Term term) const {
    LogIndex at = std::min(index, last());
    while (at > base_ && *term_at(at) > term) --at.value;
    return at;
}

void Log::append(Entry entry) {
    INVARIANT(entry.index.value == last().value + 1);
    INVARIANT(entry.term >= last_term());
    INVARIANT(entry.checksum == chained(last_checksum(), entry));
    if (entry.kind == EntryKind::configuration) {
        auto configuration = decode_configuration(entry.payload);
        INVARIANT(configuration.ok());
        configurations_[entry.index] = std::move(*configuration);
    }
    const std::uint64_t before = bytes_end_;
    bytes_end_ += weight(entry);
    entries_.push_back({std::move(entry), before});
}

void Log::truncate(LogIndex from) {
    INVARIANT(from >= first());
    while (last() >= from) {
        bytes_end_ = entries_.back().bytes_before;
        entries_.pop_back();
    }
    configurations_.erase(configurations_.lower_bound(from), configurations_.end());
    INVARIANT(!configurations_.empty());
}

void Log::cut(LogIndex until) {
    INVARIANT(until <= last());
    while (base_ < until) {
        const Entry& entry = entries_.front().entry;
        base_term_ = entry.term;
        base_checksum_ = entry.checksum;
        entries_.pop_front();
        ++base_.value;
    }
    // The one in force at the base stays: it says who belonged to the group there.
    const auto after = configurations_.upper_bound(base_);
    if (after != configurations_.begin())
        configurations_.erase(configurations_.begin(), std::prev(after));
}

void Log::reset(const SnapshotMeta& meta) {
    entries_.clear();
    configurations_.clear();
    configurations_[meta.configuration_index] = meta.configuration;
    base_ = meta.index;
    base_term_ = meta.term;
    base_checksum_ = meta.checksum;
    bytes_end_ = 0;
}

std::pair<LogIndex, Configuration> Log::configuration_at(LogIndex index) const {
    const auto after = configurations_.upper_bound(index);
    INVARIANT(after != configurations_.begin());
    return *std::prev(after);
}

SnapshotMeta Log::describe(LogIndex index) const {
    INVARIANT(index >= base_ && index <= last());
    const auto [configuration_index, configuration] = configuration_at(index);
    return {.index = index,
            .term = *term_at(index),
            .configuration = configuration,
            .configuration_index = configuration_index,
            .checksum = index == base_ ? base_checksum_ : held(index).entry.checksum};
}

}  // namespace gaggle::raft
