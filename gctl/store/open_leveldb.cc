#include <leveldb/env.h>

#include "base/log.h"
#include "gctl/store/store_impl.h"

namespace gaggle::store {

namespace {

constexpr std::size_t kFormatBytesMax = 64;

std::string trimmed(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

std::string shown(std::string text) {
    for (char& letter : text)
        if (letter < ' ' || letter > '~') letter = '.';
    return "'" + text + "'";
}

enum class Found { nothing, ours };

/// Whether `path` is a data directory of ours. Changes nothing.
Result<Found> look_at_format(CheckedEnv& env, const std::string& path) {
    auto format = read_file(env, path + "/FORMAT", kFormatBytesMax);
    if (!format.ok() && format.error().code != Errc::corrupt) return std::move(format).error();
    if (format.ok() && !*format) return Found::nothing;
    if (format.ok() && as_text(**format) == kFormat) return Found::ours;
    if (format.ok() && as_text(**format) == kFirstFormat)
        return Error{Errc::invalid,
                     "data directory " + path +
                         " was written by an earlier version of this program, in a format that "
                         "this one does not read: join the region anew with an empty --data-dir "
                         "(`gctl cluster invite` on another peer), or go on with the version that "
                         "wrote it"};
    return Error{Errc::invalid,
                 "data directory " + path + " has the format " +
                     (format.ok() ? shown(to_text(**format)) : "of some other program") +
                     ", this program knows only " + shown(std::string(kFormat)) +
                     ": use the program that wrote it, or another --data-dir"};
}

/// FORMAT comes last: where it stands, the guard has been written.
Result<void> create(Store::Impl& store) {
    if (store.env.env()->FileExists(store.path + "/log"))
        return Error{Errc::corrupt,
                     "data directory " + store.path +
                         " has a log but no FORMAT file: put the file back if it was removed, or "
                         "use another --data-dir"};
    TRY(make_directory(store.env, store.path + "/state"));
    TRY(store.guard.create());
    return replace_file(store.env, store.path + "/FORMAT", as_bytes(kFormat));
}

/// Nothing when the key is not there.
template <class Record>
Result<std::optional<Record>> load(Database& database, std::string_view key,
                                   std::string_view what) {
    const auto bytes = TRY(database.get(std::string(key)));
    if (!bytes) return std::optional<Record>();
    return std::optional<Record>(TRY(decode<Record>(*bytes, what, kRecordLimits)));
}

Result<std::vector<raft::Entry>> load_entries(Database& database, const Span& span) {
    std::vector<raft::Entry> out;
    // From the first entry that is known: before it lie the tombstones of the dropped ones.
    const auto take = [&](std::string_view key, Bytes value) -> Result<void> {
        auto entry = TRY(decode<raft::Entry>(value, "log entry", kRecordLimits));
        const LogIndex wanted{span.first.value + out.size()};
        if (entry.index != wanted || key != entry_key(wanted))
            return Error{Errc::corrupt,
                         "log entry " + std::to_string(wanted.value) + " is missing; entry " +
                             std::to_string(entry.index.value) + " lies in its place"};
        out.push_back(std::move(entry));
        return {};
    };
    TRY(database.scan(entry_key(span.first), std::string(kEntryPrefix), take));
    const std::uint64_t wanted = span.last.value + 1 - span.first.value;
    if (out.size() != wanted)
        return Error{Errc::corrupt, "the log has " + std::to_string(out.size()) +
                                        " entries where it says that it has " +
                                        std::to_string(wanted)};
    return out;
}

Result<raft::Snapshot> load_snapshot(Store::Impl& store, const StoredSnapshot& stored) {
    const std::string path = store.snapshot_path(stored.file);
    auto state = TRY(read_file(store.env, path, kSnapshotBytesMax));
    if (!state) return Error{Errc::corrupt, "snapshot " + path + " is missing"};
    if (state->size() != stored.bytes || hash_of(*state) != stored.hash)
        return Error{Errc::corrupt, "snapshot " + path +
                                        " is damaged: " + std::to_string(state->size()) + " of " +
                                        std::to_string(stored.bytes) + " bytes, with another hash"};
    return raft::Snapshot{stored.meta, std::move(*state)};
}

Result<void> load_all(Store::Impl& store) {
    Database& database = *store.database;
    Books& books = store.books;
    Loaded& loaded = store.loaded;
    books.span = TRY(load<Span>(database, kSpanKey, "span")).value_or(Span{});
    books.membership = TRY(load<Membership>(database, kMembershipKey, "membership"));
    books.hard = TRY(load<raft::HardState>(database, kHardStateKey, "hard state"))
                     .value_or(raft::HardState{});
    books.snapshot = TRY(load<StoredSnapshot>(database, kSnapshotKey, "snapshot descriptor"));
    loaded.membership = books.membership;
    loaded.raft.hard = books.hard;
    loaded.raft.entries = TRY(load_entries(database, books.span));
    if (books.snapshot) loaded.raft.snapshot = TRY(load_snapshot(store, *books.snapshot));
    TRY(raft::verify(loaded.raft));
    const auto take = [&](std::string_view key, Bytes value) -> Result<void> {
        loaded.keys.emplace(key.substr(kNamePrefix.size()), std::move(value));
        return {};
    };
    return database.scan(std::string(kNamePrefix), std::string(kNamePrefix), take);
}

/// What a crash between writing a snapshot and switching to it, or after, has left.
void remove_strays(Store::Impl& store) {
    std::vector<std::string> files;
    if (!store.env.env()->GetChildren(store.path + "/state", &files).ok()) return;
    for (const std::string& file : files) {
        if (!file.starts_with("snapshot-")) continue;
        if (store.books.snapshot && store.books.snapshot->file == file) continue;
        log::info("store: removing the unused {}", store.snapshot_path(file));
        static_cast<void>(store.env.env()->RemoveFile(store.snapshot_path(file)));
    }
}

Error advise(const std::string& path, Error error) {
    if (error.code == Errc::corrupt)
        error.detail += "; nothing was changed: keep " + path +
                        " for inspection and let this peer join anew with an empty data directory";
    return within("open data directory " + path, std::move(error));
}

Result<void> open_all(Store::Impl& store, Disk& disk) {
    if (TRY(look_at_format(store.env, store.path)) == Found::nothing)
        TRY(make_directory(store.env, store.path));
    store.lock = TRY(disk.lock(store.path));
    if (TRY(look_at_format(store.env, store.path)) == Found::nothing) TRY(create(store));
    const auto guard = TRY(store.guard.read());
    // The guard hears of a write after the database has it, so a guard that has heard of none may
    // stand beside nothing.
    const bool fresh = guard && guard->span.writes == 0;
    if (fresh) TRY(make_directory(store.env, store.path + "/log"));
    store.database = TRY(Database::open(store.env, store.path + "/log",
                                        fresh ? Existence::may_create : Existence::must_exist));
    TRY(load_all(store));
    store.loaded.amnesia = amnesia(guard, store.witness());
    store.amnesia = store.loaded.amnesia.has_value();
    if (guard) store.writes_guarded = guard->span.writes;
    remove_strays(store);
    return {};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const Options& options) {
    Disk& disk = options.disk ? *options.disk : real_disk();
    auto impl = std::make_unique<Impl>(disk, trimmed(path));
    auto opened = open_all(*impl, disk);
    if (!opened.ok()) {
        Error error = std::move(opened).error();
        if (error.code == Errc::unavailable || error.code == Errc::invalid) return error;
        return advise(impl->path, std::move(error));
    }
    return std::unique_ptr<Store>(new Store(std::move(impl)));  // NOLINT: private constructor
}

}  // namespace gaggle::store
