#include <leveldb/env.h>

#include "base/log.h"
#include "gctl/store/store.h"
#include "gctl/store/store_impl.h"

namespace gaggle::store {

namespace {

/// Writes the state to a file of its own, durable before the descriptor can name it.
Result<StoredSnapshot> write_snapshot(Store::Impl& store, const raft::Snapshot& snapshot,
                                      std::uint64_t write_number) {
    StoredSnapshot out{.meta = snapshot.meta,
                       .file = "snapshot-" + std::to_string(snapshot.meta.index.value) + "-" +
                               std::to_string(write_number),
                       .bytes = snapshot.state.size(),
                       .hash = hash_of(snapshot.state)};
    INVARIANT(out.bytes <= kSnapshotBytesMax);
    TRY(write_file(store.env, store.snapshot_path(out.file), snapshot.state));
    return out;
}

void erase_entries(Changes& changes, LogIndex from, LogIndex to) {
    for (std::uint64_t index = from.value; index <= to.value; ++index)
        changes.erase(entry_key({index}));
}

/// An empty log goes on behind the snapshot.
void settle_span(Books& books) {
    if (!books.span.empty()) return;
    books.span.last = books.snapshot ? books.snapshot->meta.index : LogIndex{};
    books.span.first = {books.span.last.value + 1};
}

void truncate(Books& books, Changes& changes, LogIndex from) {
    Span& span = books.span;
    if (from > span.last) return;
    const LogIndex first_gone = std::max(from, span.first);
    erase_entries(changes, first_gone, span.last);
    span.last = {first_gone.value - 1};
}

void drop(Books& books, Changes& changes, LogIndex until) {
    Span& span = books.span;
    if (until < span.first) return;
    erase_entries(changes, span.first, std::min(until, span.last));
    span.first = {std::min(until, span.last).value + 1};
}

/// In the order that raft::Persist promises.
Result<void> add_raft(Store::Impl& store, Books& books, Changes& changes,
                      const raft::Persist& raft) {
    if (raft.hard) {
        books.hard = *raft.hard;
        changes.put(std::string(kHardStateKey), encode(books.hard));
    }
    if (raft.snapshot) {
        books.snapshot = TRY(write_snapshot(store, *raft.snapshot, books.span.writes));
        changes.put(std::string(kSnapshotKey), encode(*books.snapshot));
    }
    if (raft.truncate_from) truncate(books, changes, *raft.truncate_from);
    settle_span(books);
    for (const raft::Entry& entry : raft.append) {
        INVARIANT(entry.index.value == books.span.last.value + 1);
        changes.put(entry_key(entry.index), encode(entry));
        books.span.last = entry.index;
    }
    if (raft.drop_until) drop(books, changes, *raft.drop_until);
    settle_span(books);
    return {};
}

void add_keys(Changes& changes, const KeyChanges& keys) {
    for (const auto& [name, value] : keys) {
        if (value)
            changes.put(name_key(name), *value);
        else
            changes.erase(name_key(name));
    }
}

Result<void> note_in_guard(Store::Impl& store) {
    TRY(store.guard.write(store.witness()));
    store.writes_guarded = store.books.span.writes;
    return {};
}

/// The log first and the guard second: a crash between them leaves the guard behind, which is
/// harmless.
Result<void> make_durable(Store::Impl& store, Books next, Changes& changes) {
    changes.put(std::string(kSpanKey), encode(next.span));
    TRY(store.database->write(changes));
    const Books before = std::exchange(store.books, std::move(next));
    if (before.hard != store.books.hard || before.membership != store.books.membership)
        TRY(note_in_guard(store));
    if (before.snapshot && before.snapshot != store.books.snapshot) {
        const std::string old = store.snapshot_path(before.snapshot->file);
        if (!store.env.env()->RemoveFile(old).ok())
            log::warn("store: cannot remove the old {}; the next start will", old);
    }
    return {};
}

Result<void> write_all(Store::Impl& store, const Batch& batch) {
    Books next = store.books;
    // A log with amnesia stays behind the guard however much is written, so that every start sees
    // it.
    if (!store.amnesia) ++next.span.writes;
    Changes changes;
    if (batch.raft) TRY(add_raft(store, next, changes, *batch.raft));
    add_keys(changes, batch.keys);
    return make_durable(store, std::move(next), changes);
}

Result<void> begin(Store::Impl& store, const Membership& membership, const raft::Restored& first,
                   const KeyChanges& keys) {
    Books next = store.books;
    next.span.writes = std::max(next.span.writes, store.writes_guarded) + 1;
    next.membership = membership;
    next.snapshot.reset();
    Changes changes;
    changes.put(std::string(kMembershipKey), encode(membership));
    changes.erase(std::string(kSnapshotKey));
    truncate(next, changes, {});
    const raft::Persist start{
        .hard = first.hard, .snapshot = first.snapshot, .append = first.entries};
    TRY(add_raft(store, next, changes, start));
    add_keys(changes, keys);
    return make_durable(store, std::move(next), changes);
}

/// Remembers the first failure for good.
Result<void> finally(Store::Impl& store, Result<void> result) {
    if (result.ok()) return result;
    store.failure = within("write to data directory " + store.path, std::move(result).error());
    return *store.failure;
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
    // A destructor has nobody to tell; the next start finds the guard a little behind, as after a
    // crash.
    static_cast<void>(refresh_guard());
}

Loaded Store::take_loaded() { return std::exchange(impl_->loaded, {}); }

Result<void> Store::write(const Batch& batch) {
    if (impl_->failure) return *impl_->failure;
    if (batch.raft && impl_->amnesia)
        return Error{Errc::denied, "write to the raft log in " + impl_->path +
                                       ": it has forgotten what it acknowledged; this replica must "
                                       "be replaced"};
    INVARIANT(!batch.raft || impl_->books.membership);
    return finally(*impl_, write_all(*impl_, batch));
}

Result<void> Store::begin_replica(const Membership& membership, const raft::Restored& first,
                                  const KeyChanges& keys) {
    if (impl_->failure) return *impl_->failure;
    INVARIANT(impl_->books.membership != membership);
    auto begun = finally(*impl_, begin(*impl_, membership, first, keys));
    if (begun.ok()) impl_->amnesia = false;
    return begun;
}

Result<void> Store::refresh_guard() {
    if (impl_->failure) return *impl_->failure;
    if (impl_->amnesia || impl_->writes_guarded >= impl_->books.span.writes) return {};
    return finally(*impl_, note_in_guard(*impl_));
}

const std::optional<Error>& Store::failure() const { return impl_->failure; }

Counters Store::counters() const { return impl_->env.counters(); }

}  // namespace gaggle::store
