#include "allocrunner/logs.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

constexpr LogStream kOut = LogStream::stdout_stream;

class Logs {
  public:
    Logs() { std::filesystem::create_directories(dir() + "/alloc/logs"); }
    const std::string& dir() const { return scratch_.path(); }
    std::string path(const std::string& name) const { return dir() + "/alloc/logs/" + name; }
    void append(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::app) << text;
    }
    void remove(const std::string& name) const { std::filesystem::remove(path(name)); }
    LogChunk read(LogPlace from, std::size_t max_bytes = 100) const {
        const auto chunk = read_log(dir(), "main", kOut, from, max_bytes);
        REQUIRE(chunk.ok());
        return *chunk;
    }
    std::string all_from(LogPlace from, std::size_t max_bytes) const {
        std::string out;
        for (LogChunk chunk = read(from, max_bytes); !chunk.bytes.empty();
             chunk = read(chunk.next, max_bytes))
            out += to_text(chunk.bytes);
        return out;
    }

  private:
    ScratchDir scratch_;
};

}  // namespace

TEST_CASE("files of one stream are found in order, and nothing else is") {
    const Logs logs;
    for (const char* name : {"main.stdout.10", "main.stdout.9", "main.stderr.0", "main.stdout.x",
                             "main.stdout.", "main2.stdout.0", "main.stdout.1.gz"})
        logs.append(name, "abc");
    std::filesystem::create_symlink("/etc/passwd", logs.path("main.stdout.11"));
    mkfifo(logs.path("main.stdout.12").c_str(), 0600);
    const auto files = log_files(logs.dir(), "main", kOut);
    REQUIRE(files.ok());
    REQUIRE(files->size() == 2);
    CHECK((*files)[0].number == 9);
    CHECK((*files)[1].number == 10);
    CHECK((*files)[1].bytes == 3);
}

TEST_CASE("a start keeps the newest numbers and says where to append") {
    const auto left_of = [](std::uint64_t files_max) {
        const Logs logs;
        for (const char* name : {"main.stdout.3", "main.stdout.9", "main.stdout.10",
                                 "main.stdout.12", "main.stderr.0", "other.stdout.1"})
            logs.append(name, "abc");
        CHECK(trim_logs(logs.dir(), "main", kOut, files_max) == 12);
        std::string left;
        const auto files = log_files(logs.dir(), "main", kOut);
        for (const LogFile& file : *files) left += std::to_string(file.number) + " ";
        CHECK(log_files(logs.dir(), "main", LogStream::stderr_stream)->size() == 1);
        CHECK(log_files(logs.dir(), "other", kOut)->size() == 1);
        return left;
    };
    CHECK(left_of(1) == "12 ");
    CHECK(left_of(3) == "10 12 ");
    CHECK(left_of(4) == "9 10 12 ");
    CHECK(left_of(10) == "3 9 10 12 ");
    CHECK(trim_logs(Logs().dir(), "main", kOut, 2) == 0);
}

TEST_CASE("a folder of logs that the task put elsewhere is left alone") {
    const Logs logs;
    const ScratchDir elsewhere;
    std::ofstream(elsewhere.path() + "/main.stdout.0") << "a stranger's";
    std::ofstream(elsewhere.path() + "/main.stdout.9") << "a stranger's";
    std::filesystem::remove(logs.dir() + "/alloc/logs");
    std::filesystem::create_directory_symlink(elsewhere.path(), logs.dir() + "/alloc/logs");
    trim_logs(logs.dir(), "main", kOut, 1);
    CHECK(std::filesystem::exists(elsewhere.path() + "/main.stdout.0"));
    for (const bool whole : {false, true}) {  // `logs` is a link, or `alloc` with `logs` in it
        CAPTURE(whole);
        if (whole) {
            std::filesystem::remove_all(logs.dir() + "/alloc");
            std::filesystem::create_directory(elsewhere.path() + "/logs");
            std::ofstream(elsewhere.path() + "/logs/main.stdout.0") << "a stranger's";
            std::filesystem::create_directory_symlink(elsewhere.path(), logs.dir() + "/alloc");
        }
        const auto chunk = read_log(logs.dir(), "main", kOut, {}, 100);
        REQUIRE_FALSE(chunk.ok());
        CHECK(chunk.error().detail.find("a task put something else in its place") !=
              std::string::npos);
    }
}

TEST_CASE("reading goes on across files, whatever the portion") {
    const Logs logs;
    logs.append("main.stdout.3", "first\n");
    logs.append("main.stdout.4", "second\n");
    for (const std::size_t portion : {1U, 3U, 6U, 100U}) {
        CAPTURE(portion);
        CHECK(logs.all_from({3, 0}, portion) == "first\nsecond\n");
    }
    CHECK(logs.read({3, 0}).file_name == "alloc/logs/main.stdout.3");
}

TEST_CASE("following sees what is appended and what comes in the next file") {
    const Logs logs;
    logs.append("main.stdout.0", "a");
    LogChunk chunk = logs.read({0, 0});
    CHECK(to_text(chunk.bytes) == "a");
    chunk = logs.read(chunk.next);
    CHECK(chunk.bytes.empty());
    logs.append("main.stdout.0", "b");
    logs.append("main.stdout.1", "c");
    chunk = logs.read(chunk.next);
    CHECK(to_text(chunk.bytes) == "b");
    chunk = logs.read(chunk.next);
    CHECK(to_text(chunk.bytes) == "c");
    CHECK_FALSE(chunk.skipped);
}

TEST_CASE("a reader that is too slow is told that it missed something") {
    const Logs logs;
    logs.append("main.stdout.0", "old");
    LogChunk chunk = logs.read({0, 0}, 1);
    logs.remove("main.stdout.0");
    logs.append("main.stdout.2", "new");
    chunk = logs.read(chunk.next);
    CHECK(chunk.skipped);
    CHECK(to_text(chunk.bytes) == "new");
}

TEST_CASE("a place is counted from the start or from the end of all that is kept") {
    const Logs logs;
    logs.append("main.stdout.5", "01234");
    logs.append("main.stdout.6", "56789");
    struct Row {
        LogOrigin origin;
        std::uint64_t offset;
        LogPlace place;
    };
    for (const auto& row : {Row{LogOrigin::start, 0, {5, 0}}, Row{LogOrigin::start, 7, {6, 2}},
                            Row{LogOrigin::start, 99, {6, 5}}, Row{LogOrigin::end, 0, {6, 5}},
                            Row{LogOrigin::end, 5, {6, 0}}, Row{LogOrigin::end, 6, {5, 4}},
                            Row{LogOrigin::end, 99, {5, 0}}}) {
        CAPTURE(row.offset);
        const auto place = log_place(logs.dir(), "main", kOut, row.origin, row.offset);
        REQUIRE(place.ok());
        CHECK(place->file == row.place.file);
        CHECK(place->offset == row.place.offset);
    }
}

TEST_CASE("a task that never wrote has no logs, and a strange name gets none") {
    const Logs logs;
    CHECK(log_files(logs.dir(), "main", kOut)->empty());
    CHECK(logs.read({0, 0}).bytes.empty());
    for (const char* name : {"", "..", "../x", "a/b"}) {
        CAPTURE(name);
        CHECK(log_files(logs.dir(), name, kOut).error().code == Errc::invalid);
    }
    CHECK(log_files("/no/such/allocation", "main", kOut).error().code == Errc::not_found);
}

TEST_CASE("a log that is rolled over while it is read loses no line and doubles none") {
    const Logs logs;
    constexpr int kLines = 3'000;
    std::thread writer([&] {
        std::ofstream file(logs.path("main.stdout.0"), std::ios::app);
        for (int line = 0, number = 0; line < kLines; ++line) {
            if (line % 7 == 6)
                file = std::ofstream(logs.path("main.stdout." + std::to_string(++number)));
            file << line << "\n" << std::flush;
        }
    });
    std::string text;
    LogPlace place;
    const std::string last = std::to_string(kLines - 1) + "\n";
    CHECK(eventually([&] {
        for (bool more = true; more;) {
            // The oldest go, as the supervisor removes them; this reader is never so far behind.
            if (place.file > 0) logs.remove("main.stdout." + std::to_string(place.file - 1));
            const LogChunk chunk = logs.read(place, 64);
            text += to_text(chunk.bytes);
            place = chunk.next;
            more = !chunk.bytes.empty();
        }
        return text.ends_with("\n" + last);
    }));
    writer.join();
    std::string wanted;
    for (int line = 0; line < kLines; ++line) wanted += std::to_string(line) + "\n";
    CHECK(text == wanted);
}

}  // namespace gaggle::allocrunner
