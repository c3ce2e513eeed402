#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "allocrunner/replica/file_tree_posix.h"
#include "allocrunner/replica/worker_posix.h"
#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica {

using namespace test;
namespace fs = std::filesystem;

namespace {

struct TempDir {
    std::string path;
    TempDir() {
        std::string name = (fs::temp_directory_path() / "gaggle-copies-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~TempDir() { fs::remove_all(path); }
};

void write_file(const std::string& path, const std::string& content) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << content;
}

std::string read_all(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A worker on a real directory, asked one thing at a time.
struct Bench {
    std::string root;
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Input> answer;
    std::unique_ptr<CopyWorker> worker;

    explicit Bench(std::string path) : root(std::move(path)) {
        worker = must(CopyWorker::open({.root = root}, [this](Input input) {
            const std::lock_guard lock(mutex);
            answer = std::move(input);
            changed.notify_all();
        }));
    }
    template <class Answer>
    Answer ask(Work work) {
        worker->carry_out(std::move(work));
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return answer.has_value(); });
        Answer out = std::get<Answer>(*answer);
        answer.reset();
        return out;
    }
};

/// Has `to` hold what is scanned of `alloc` at `from`. The error, or nothing.
std::string copy_over(Bench& from, Bench& to, const AllocId& alloc, std::uint64_t n) {
    const auto scanned = from.ask<Scanned>(ScanTree{1, kLineage, alloc});
    if (!scanned.error.empty()) return scanned.error;
    const SignedHeader version = sign(keys_of(peer(1)), {.lineage = kLineage,
                                                         .version = {Generation{1}, n},
                                                         .source = peer(1),
                                                         .root = scanned.root,
                                                         .tree_bytes = scanned.tree_bytes,
                                                         .bytes = scanned.bytes,
                                                         .taken_at = scanned.taken_at});
    const auto tree = from.ask<TreeRead>(
        ReadTree{2, Side::source, kLineage, scanned.root, 0, scanned.tree_bytes});
    const auto staged = to.ask<TreeStaged>(StageTree{3, version, tree.bytes});
    if (!staged.error.empty()) return staged.error;
    const auto read =
        from.ask<BlocksRead>(ReadBlocks{4, Side::source, kLineage, scanned.root, staged.missing});
    if (read.changed) return "changed";
    const auto stored = to.ask<BlocksStaged>(StageBlocks{5, kLineage, scanned.root, read.blocks});
    if (!stored.error.empty()) return stored.error;
    const auto committed = to.ask<TreeCommitted>(CommitTree{6, version});
    return committed.missing.empty() ? committed.error : "missing";
}

struct stat look(const std::string& path) {
    struct stat out {};
    REQUIRE(::lstat(path.c_str(), &out) == 0);
    return out;
}

}  // namespace

TEST_CASE("a real directory comes back with its modes, times, links, holes and odd names") {
    TempDir source_dir, holder_dir;
    const std::string from = source_dir.path + "/alloc/" + to_string(kAlloc);
    const std::string data = from + "/alloc/data";
    write_file(data + "/plain", "hello");
    write_file(data + "/sub/deeper/x", std::string(200'000, 'x'));
    write_file(from + "/web/local/conf", "a = 1");
    write_file(from + "/web/secrets/key", "not copied");
    write_file(from + "/alloc/logs/web.stdout.0", "not copied");
    const std::string odd = "odd \n\t\xff\xfe \"'\\ *? -rf";
    write_file(data + "/" + odd, "odd");
    fs::create_directories(data + "/empty");
    REQUIRE(::symlink("/etc/passwd", (data + "/soft").c_str()) == 0);
    REQUIRE(::symlink("nowhere", (from + "/web/local/dangling").c_str()) == 0);
    REQUIRE(::link((data + "/plain").c_str(), (from + "/web/local/hard").c_str()) == 0);
    REQUIRE(::mkfifo((data + "/pipe").c_str(), 0600) == 0);
    write_file(data + "/sparse", "");
    REQUIRE(::truncate((data + "/sparse").c_str(), 64 << 20) == 0);
    {
        std::fstream file(data + "/sparse", std::ios::in | std::ios::out);
        file.seekp(32 << 20);
        file << "middle";
    }
    REQUIRE(::chmod((data + "/plain").c_str(), 04751) == 0);
    REQUIRE(::chmod((data + "/empty").c_str(), 01700) == 0);
    const bool has_xattrs = ::setxattr((data + "/plain").c_str(), "user.note", "42", 2, 0) == 0;
    if (::geteuid() == 0) REQUIRE(::lchown((data + "/sub/deeper/x").c_str(), 1234, 4321) == 0);
    const timespec times[2] = {{.tv_sec = 5, .tv_nsec = 7}, {.tv_sec = 99, .tv_nsec = 123456789}};
    REQUIRE(::utimensat(AT_FDCWD, (data + "/sub").c_str(), times, 0) == 0);

    Bench source(source_dir.path), holder(holder_dir.path);
    REQUIRE(copy_over(source, holder, kAlloc, 1) == "");
    const AllocId fresh{{2}};
    const std::string to = holder_dir.path + "/alloc/" + to_string(fresh);
    fs::create_directories(to + "/alloc/data");
    fs::create_directories(to + "/web/local");
    const std::string note = must(holder.worker->restore(kLineage, fresh));
    CHECK(note.find("by rename") != std::string::npos);

    CHECK(read_all(to + "/alloc/data/plain") == "hello");
    CHECK(read_all(to + "/alloc/data/sub/deeper/x") == std::string(200'000, 'x'));
    CHECK(read_all(to + "/alloc/data/" + odd) == "odd");
    CHECK(read_all(to + "/web/local/conf") == "a = 1");
    CHECK(!fs::exists(to + "/web/secrets"));
    CHECK(!fs::exists(to + "/alloc/logs"));
    CHECK(!fs::exists(fs::symlink_status(to + "/alloc/data/pipe")));
    CHECK(fs::read_symlink(to + "/alloc/data/soft") == "/etc/passwd");
    CHECK(fs::read_symlink(to + "/web/local/dangling") == "nowhere");
    CHECK(look(to + "/alloc/data/plain").st_ino == look(to + "/web/local/hard").st_ino);
    CHECK((look(to + "/alloc/data/plain").st_mode & 07777) == 0751);  // without setuid
    CHECK((look(to + "/alloc/data/empty").st_mode & 07777) == 01700);
    CHECK(look(to + "/alloc/data/sub").st_mtim.tv_sec == 99);
    CHECK(look(to + "/alloc/data/sub").st_mtim.tv_nsec == 123456789);
    CHECK(look(to + "/alloc/data/sparse").st_size == 64 << 20);
    CHECK(look(to + "/alloc/data/sparse").st_blocks * 512 < 1 << 20);
    CHECK(read_all(to + "/alloc/data/sparse").substr(32 << 20, 6) == "middle");
    if (::geteuid() == 0) {
        CHECK(look(to + "/alloc/data/sub/deeper/x").st_uid == 1234);
        CHECK(look(to + "/alloc/data/sub/deeper/x").st_gid == 4321);
    }
    if (has_xattrs) {
        char value[8] = {};
        CHECK(::getxattr((to + "/alloc/data/plain").c_str(), "user.note", value, 8) == 2);
        CHECK(std::string(value) == "42");
    }
    // The very same manifest, but for the setuid bit that was left behind.
    auto files = must(open_file_tree(holder_dir.path));
    auto files_there = must(open_file_tree(source_dir.path));
    CHECK(scan_of(*files, "alloc/" + to_string(fresh)).root ==
          scan_of(*files_there, "alloc/" + to_string(kAlloc)).root);
}

TEST_CASE("a second version on a real disk changes the tree in place") {
    TempDir source_dir, holder_dir;
    const std::string data = source_dir.path + "/alloc/" + to_string(kAlloc) + "/alloc/data";
    write_file(data + "/big", std::string(500'000, 'a'));
    write_file(data + "/old/file", "old");
    Bench source(source_dir.path), holder(holder_dir.path);
    REQUIRE(copy_over(source, holder, kAlloc, 1) == "");
    const std::string tree =
        holder_dir.path + "/copies/" + folder_of(kLineage) + "/tree/alloc/data";
    const auto inode = look(tree + "/big").st_ino;
    {
        std::fstream file(data + "/big", std::ios::in | std::ios::out);
        file.seekp(300'000);
        file << "changed";
    }
    fs::remove_all(data + "/old");
    write_file(data + "/old", "now a file");
    fs::permissions(data + "/big", fs::perms::owner_read);
    REQUIRE(copy_over(source, holder, kAlloc, 2) == "");
    CHECK(look(tree + "/big").st_ino == inode);
    CHECK(read_all(tree + "/big") == read_all(data + "/big"));
    CHECK((look(tree + "/big").st_mode & 0777) == 0400);
    CHECK(read_all(tree + "/old") == "now a file");
    // And once more onto a file that may not be written.
    fs::permissions(data + "/big", fs::perms::owner_all);
    write_file(data + "/big", "short");
    REQUIRE(copy_over(source, holder, kAlloc, 3) == "");
    CHECK(read_all(tree + "/big") == "short");

    holder.worker->stop();
    Bench again(holder_dir.path);
    const auto found = again.worker->recover();
    REQUIRE(found.copies.size() == 1);
    CHECK(found.copies[0].header.version == Version{Generation{1}, 3});
}

TEST_CASE("nothing outside the tree is reached, whatever is planted in it") {
    TempDir dir, outside;
    write_file(outside.path + "/secret", "secret");
    fs::create_directories(dir.path + "/a");
    REQUIRE(::symlink(outside.path.c_str(), (dir.path + "/a/out").c_str()) == 0);
    REQUIRE(::symlink((outside.path + "/secret").c_str(), (dir.path + "/a/file").c_str()) == 0);
    auto files = must(open_file_tree(dir.path));
    for (const char* path : {"a/out/secret", "../x", "a/../../x", "a/./x", "/etc/passwd", "a//x"}) {
        CAPTURE(path);
        CHECK(!files->stat(path));
        CHECK(!files->read(path, 0, 9));
        CHECK(!files->make_file(path, 0));
        CHECK(!files->make_dir(path));
        CHECK(!files->make_symlink(path, "x"));
        CHECK(!files->remove(path));
        CHECK(!files->rename("a/file", path));
    }
    CHECK(!files->read("a/file", 0, 9));
    CHECK(!files->write("a/file", 0, Bytes(3, 1)));
    CHECK(!files->make_file("a/file", 0));
    CHECK(!files->list("a/out"));
    must(files->set_attributes("a/file", {.mode = 0777}));
    CHECK((look(outside.path + "/secret").st_mode & 0777) != 0777);
    must(remove_all(*files, "a"));
    CHECK(read_all(outside.path + "/secret") == "secret");
}

TEST_CASE("a pipe or socket in place of a file does not block anybody") {
    TempDir dir;
    REQUIRE(::mkfifo((dir.path + "/pipe").c_str(), 0600) == 0);
    auto files = must(open_file_tree(dir.path));
    CHECK(must(files->stat("pipe")).type == Stat::Type::other);
    CHECK(!files->read("pipe", 0, 1));
    CHECK(!files->write("pipe", 0, Bytes(1)));
    CHECK(!files->make_file("pipe", 0));
}

TEST_CASE("copying a directory that is not there says which") {
    TempDir dir;
    Bench bench(dir.path);
    const auto scanned = bench.ask<Scanned>(ScanTree{1, kLineage, kAlloc});
    CHECK(scanned.error.find("default/redis.cache[0]") != std::string::npos);
    CHECK(scanned.error.find(to_string(kAlloc)) != std::string::npos);
    const auto worker = CopyWorker::open({.root = dir.path + "/missing"}, [](Input) {});
    REQUIRE(!worker);
    CHECK(worker.error().detail.find("missing") != std::string::npos);
}

}  // namespace gaggle::replica
