// What LevelDB does by itself, on the simulated disk, and what our environment makes of it.
//
// The experiments of reference consensus.md 2.10 as tests: if a later LevelDB behaves otherwise,
// the rules that they justify can be looked at again.
#include <doctest/doctest.h>
#include <leveldb/db.h>
#include <leveldb/env.h>

#include <deque>

#include "gctl/store/checked_env.h"
#include "tests/sim/disk.h"

namespace gaggle::store {

namespace {

const std::string kPath = "/db";

/// A plain environment: only the background work is held back, as a simulation must.
class PlainEnv final : public leveldb::EnvWrapper {
  public:
    explicit PlainEnv(sim::SimDisk& disk) : EnvWrapper(disk.files()) {}
    void Schedule(void (*function)(void*), void* argument) override {
        scheduled_.emplace_back(function, argument);
    }
    void settle() {
        for (; !scheduled_.empty(); scheduled_.pop_front())
            scheduled_.front().first(scheduled_.front().second);
    }

  private:
    std::deque<std::pair<void (*)(void*), void*>> scheduled_;
};

template <class AnyEnv>
std::unique_ptr<leveldb::DB> open(AnyEnv& env, leveldb::Env* files) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = files;
    options.write_buffer_size = 64 << 10;
    leveldb::DB* db = nullptr;
    REQUIRE(leveldb::DB::Open(options, kPath, &db).ok());
    env.settle();
    return std::unique_ptr<leveldb::DB>(db);
}

template <class AnyEnv>
leveldb::Status put(AnyEnv& env, leveldb::DB& db, int number, bool sync) {
    leveldb::WriteOptions options;
    options.sync = sync;
    const auto status = db.Put(options, std::to_string(number), std::string(900, 'x'));
    env.settle();
    return status;
}

int present(leveldb::DB& db, int count) {
    int found = 0;
    std::string value;
    for (int number = 0; number < count; ++number)
        found += db.Get({}, std::to_string(number), &value).ok() ? 1 : 0;
    return found;
}

constexpr int kUnsynced = 70;  ///< enough for one switch of a memtable of 64 KiB

/// How many of kUnsynced puts and a synced one after them are there when the power came back. It
/// goes before the switched memtable has become a table.
template <class AnyEnv>
int after_power_cut(sim::SimDisk& disk, AnyEnv& env, leveldb::Env* files) {
    auto db = open(env, files);
    leveldb::WriteOptions plain, synced;
    synced.sync = true;
    for (int number = 0; number <= kUnsynced; ++number) {
        const auto& options = number == kUnsynced ? synced : plain;
        REQUIRE(db->Put(options, std::to_string(number), std::string(900, 'x')).ok());
    }
    // This is about bytes, not names.
    for (const auto* directory : {"/", "/db"}) REQUIRE(disk.sync_directory(directory).ok());
    Rng rng(5);
    disk.crash(rng);
    env.settle();  // the held compaction finds a dead disk
    db.reset();
    PlainEnv next(disk);
    return present(*open(next, &next), kUnsynced + 1);
}

}  // namespace

TEST_CASE("LevelDB closes a log unsynced, so a later synced write does not carry earlier ones") {
    sim::SimDisk disk;
    PlainEnv env(disk);
    CHECK(after_power_cut(disk, env, &env) < kUnsynced);
}

TEST_CASE("our environment syncs a log before it is closed") {
    sim::SimDisk disk;
    CheckedEnv env(disk);
    CHECK(after_power_cut(disk, env, env.env()) == kUnsynced + 1);
}

TEST_CASE("after a half append LevelDB acknowledges what it cannot read again") {
    sim::SimDisk disk;
    PlainEnv env(disk);
    int acknowledged = 0;
    {
        const auto db = open(env, &env);
        REQUIRE(put(env, *db, 0, true).ok());
        disk.fail_after(0, sim::Fault::no_space);
        CHECK(!put(env, *db, 1, true).ok());
        disk.heal();
        for (int number = 2; number < 30; ++number)
            acknowledged += put(env, *db, number, true).ok() ? 1 : 0;
    }
    CHECK(acknowledged == 28);
    CHECK(present(*open(env, &env), 30) < 1 + acknowledged);
}

TEST_CASE("after a half append our environment acknowledges nothing more") {
    sim::SimDisk disk;
    {
        CheckedEnv env(disk);
        const auto db = open(env, env.env());
        REQUIRE(put(env, *db, 0, true).ok());
        disk.fail_after(0, sim::Fault::no_space);
        CHECK(!put(env, *db, 1, true).ok());
        disk.heal();
        for (int number = 2; number < 30; ++number) CHECK(!put(env, *db, number, true).ok());
        REQUIRE(env.failure());
        CHECK(env.failure()->detail.find("no space left") != std::string::npos);
    }
    CheckedEnv env(disk);
    CHECK(present(*open(env, env.env()), 30) >= 1);
}

}  // namespace gaggle::store
