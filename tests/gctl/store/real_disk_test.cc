// The same store on the machine's own file system.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gctl/store/store.h"
#include "tests/gctl/store/model.h"

namespace gaggle::store {

namespace {

namespace fs = std::filesystem;

/// A directory that goes away with it.
class Scratch {
  public:
    Scratch() {
        std::string pattern = (fs::temp_directory_path() / "gaggle-store-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()));
        path = pattern + "/data";
        root_ = pattern;
    }
    ~Scratch() { fs::remove_all(root_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::string path;

  private:
    fs::path root_;
};

/// No file of this process may grow beyond `bytes` while it lives: a full disk, for our purpose.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        const rlimit limit{bytes, before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    rlimit before_{};
};

std::unique_ptr<Store> open_real(const std::string& path) {
    auto store = Store::open(path);
    REQUIRE_MESSAGE(store.ok(), store.error().detail);
    return std::move(*store);
}

Batch entries(const Model& model, Rng& rng, std::size_t bytes) {
    return {.raft = raft::Persist{.append = next_entries(model, rng, 2, bytes)}, .keys = {}};
}

}  // namespace

TEST_CASE("a store on a real disk comes back, with compactions on LevelDB's own thread") {
    const Scratch scratch;
    Rng rng(51);
    Model model;
    for (int start = 0; start < 3; ++start) {
        CAPTURE(start);
        const auto store = open_real(scratch.path + "/");  // a slash at the end is nothing special
        if (start == 0)
            model = begin(*store);
        else
            REQUIRE(model.difference(store->take_loaded()) == "");
        for (int at = 0; at < 60; ++at) write_both(*store, model, next_batch(model, rng));
    }
    CHECK(model.difference(open_real(scratch.path)->take_loaded()) == "");
}

TEST_CASE("a second agent is told the first one's process number") {
    const Scratch scratch;
    const auto first = open_real(scratch.path);
    const auto second = Store::open(scratch.path);
    REQUIRE(!second.ok());
    CHECK(second.error().code == Errc::unavailable);
    CHECK(second.error().detail == "data directory " + scratch.path +
                                       " is used by another agent (pid " +
                                       std::to_string(::getpid()) +
                                       "): stop that agent, or give this one its own --data-dir");
}

TEST_CASE("a killed agent leaves no lock, and nothing acknowledged is gone") {
    const Scratch scratch;
    const pid_t child = ::fork();
    if (child == 0) {
        auto store = Store::open(scratch.path);
        if (!store.ok() || !(*store)->begin_replica(member(1), {}, {}).ok()) ::_exit(1);
        if (!(*store)->write({.raft = {}, .keys = {{"orders", to_bytes("run")}}}).ok()) ::_exit(2);
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const Loaded loaded = open_real(scratch.path)->take_loaded();
    CHECK(loaded.membership == member(1));
    CHECK(loaded.keys == Keys{{"orders", to_bytes("run")}});
    CHECK(!loaded.amnesia);
}

TEST_CASE("a file that may not grow fails the store, and nothing acknowledged is gone") {
    const Scratch scratch;
    Rng rng(52);
    Model model;
    {
        const auto store = open_real(scratch.path);
        model = begin(*store);
        const FileSizeLimit limit(300'000);
        Result<void> written;
        for (int at = 0; at < 100 && written.ok(); ++at) {
            const Batch batch = entries(model, rng, 40'000);
            written = store->write(batch);
            if (written.ok()) model.apply(batch);
        }
        REQUIRE(!written.ok());
        CHECK(written.error().code == Errc::io);
        CHECK(written.error().detail.starts_with("write to data directory " + scratch.path));
        CHECK(model.raft.entries.size() > 5);
    }
    const auto store = open_real(scratch.path);
    CHECK(model.difference(store->take_loaded()) == "");
    write_both(*store, model, entries(model, rng, 100));
}

TEST_CASE("a truncated log on a real disk is amnesia") {
    const Scratch scratch;
    Rng rng(53);
    {
        const auto store = open_real(scratch.path);
        Model model = begin(*store);
        for (int at = 0; at < 5; ++at) write_both(*store, model, entries(model, rng, 1000));
    }
    for (const auto& file : fs::directory_iterator(scratch.path + "/log"))
        if (file.path().extension() == ".log") fs::resize_file(file, fs::file_size(file) / 2);
    CHECK(open_real(scratch.path)->take_loaded().amnesia);
}

TEST_CASE("a data directory without a parent, or that is a file, is an error that names it") {
    const Scratch scratch;
    std::ofstream(scratch.path) << "a file";
    for (const std::string& path : {scratch.path, scratch.path + "/a/b"}) {
        CAPTURE(path);
        const auto store = Store::open(path);
        REQUIRE(!store.ok());
        CHECK(store.error().code == Errc::io);
        CHECK(store.error().detail.find(path) != std::string::npos);
    }
}

}  // namespace gaggle::store
