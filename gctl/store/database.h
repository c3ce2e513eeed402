// The log database: LevelDB, held to few and simple uses.
//
// Every record is sealed (layout.h), every write is synced, no iterator lives while something is
// written (LevelDB 1.23 without google/leveldb commit 13e3c4e may bring old versions of a key back
// to light when one does). Small on purpose: 1 MiB of write buffer, since an idle agent must stay
// small.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "gctl/store/checked_env.h"

namespace gaggle::store {

/// Puts and erasures that become durable together, in order.
class Changes {
  public:
    Changes();
    ~Changes();
    void put(const std::string& key, BytesView value);
    void erase(const std::string& key);

  private:
    friend class Database;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

enum class Existence { may_create, must_exist };

class Database {
  public:
    /// `env` must outlive it. Errc::corrupt when LevelDB finds damage, or nothing where something
    /// must be.
    static Result<std::unique_ptr<Database>> open(CheckedEnv& env, const std::string& path,
                                                  Existence existence);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<std::optional<Bytes>> get(const std::string& key);
    /// Calls `visit(key, value)` for each key from `from` on that begins with `prefix`, until it
    /// fails. Nothing may be written meanwhile.
    Result<void> scan(const std::string& from, const std::string& prefix,
                      const std::function<Result<void>(std::string_view, Bytes)>& visit);
    /// Returns when all of it is on stable storage. A failure is final.
    Result<void> write(const Changes& changes);

  private:
    struct Impl;
    explicit Database(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::store
