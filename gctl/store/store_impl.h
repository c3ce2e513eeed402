// What open_leveldb.cc builds and store_leveldb.cc writes with.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gctl/store/database.h"
#include "gctl/store/guard.h"
#include "gctl/store/layout.h"
#include "gctl/store/store.h"

namespace gaggle::store {

/// What the database says of itself, kept in memory: one write turns one of these into the next.
struct Books {
    Span span;
    std::optional<Membership> membership;
    raft::HardState hard;
    std::optional<StoredSnapshot> snapshot;
};

struct Store::Impl {
    Impl(Disk& on, std::string at) : env(on), path(std::move(at)), guard(env, path) {}

    std::string snapshot_path(const std::string& file) const { return path + "/state/" + file; }
    Witness witness() const {
        return {.span = books.span, .membership = books.membership, .hard = books.hard};
    }

    CheckedEnv env;
    const std::string path;
    std::unique_ptr<DirectoryLock> lock;
    Guard guard;
    std::unique_ptr<Database> database;
    Books books;
    Loaded loaded;
    bool amnesia = false;
    std::uint64_t writes_guarded = 0;  ///< how far the guard has seen
    std::optional<Error> failure;
};

}  // namespace gaggle::store
