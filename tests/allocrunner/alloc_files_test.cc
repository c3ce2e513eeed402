#include "allocrunner/alloc_files.h"

#include <doctest/doctest.h>

#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

/// An allocation's directory as a task may have left it.
class Dir {
  public:
    Dir() {
        for (const char* folder : {"alloc/data", "alloc/logs", "web/local", "web/secrets", "exit"})
            std::filesystem::create_directories(path(folder));
        write("alloc/data/page.html", "<p>hello</p>\n");
        write("web/secrets/token", "very secret");
        write("order", "sealed");
        write_at(scratch_.path() + "/outside", "not yours");
    }
    std::string dir() const { return scratch_.path() + "/allocation"; }
    std::string path(const std::string& name) const { return dir() + "/" + name; }
    void write(const std::string& name, const std::string& text) const {
        write_at(path(name), text);
    }
    void link(const std::string& name, const std::string& target) const {
        std::filesystem::create_symlink(target, path(name));
    }
    std::string read(const std::string& name) const {
        const auto chunk = read_file_part(dir(), name, {}, 1'000);
        return chunk.ok() ? to_text(chunk->data) : "error: " + chunk.error().detail;
    }
    std::string names(const std::string& name) const {
        const auto files = list_files(dir(), name, 1'000);
        if (!files.ok()) return "error: " + files.error().detail;
        std::string out;
        for (const FileInfo& file : *files) out += file.name + (file.is_folder ? "/ " : " ");
        return out;
    }
    std::string outside() const { return scratch_.path() + "/outside"; }

  private:
    static void write_at(const std::string& path, const std::string& text) {
        std::ofstream(path, std::ios::binary) << text;
    }
    ScratchDir scratch_;
};

}  // namespace

TEST_CASE("paths are taken as they lie in the allocation's directory") {
    struct Row {
        const char* path;
        const char* inside;  ///< nullptr: refused
    };
    for (const Row& row : {
             Row{"", "."},
             Row{"/", "."},
             Row{"alloc/logs/", "alloc/logs"},
             Row{"//alloc//logs", "alloc/logs"},
             Row{"/alloc/./data", "alloc/data"},
             Row{"alloc/logs/../data", "alloc/logs/../data"},
             Row{"web/local", "web/local"},
             Row{"alloc/secrets", "alloc/secrets"},
             Row{"alloc/..", "."},
             Row{"..", nullptr},
             Row{"/..", nullptr},
             Row{"alloc/../..", nullptr},
             Row{"../allocation", nullptr},
             Row{"web/secrets", nullptr},
             Row{"web/secrets/token", nullptr},
             Row{"web/local/../secrets/token", nullptr},
             Row{"web/private/key", nullptr},
             Row{"order", nullptr},
             Row{"/state", nullptr},
             Row{"exit/web", nullptr},
             Row{"shim", nullptr},
         }) {
        CAPTURE(row.path);
        const auto inside = path_inside(row.path);
        CHECK(inside.ok() == (row.inside != nullptr));
        if (!inside.ok()) CHECK(inside.error().code == Errc::denied);
        if (inside.ok() && row.inside != nullptr && std::string(row.path) != "alloc/..")
            CHECK(*inside == row.inside);
    }
    CHECK_FALSE(path_inside(std::string("a\0b", 3)).ok());
}

TEST_CASE("what is there is listed by name, without the runner's own files") {
    const Dir dir;
    CHECK(dir.names("/") == "alloc/ web/ ");
    CHECK(dir.names("alloc/..") == "alloc/ web/ ");
    CHECK(dir.names("web") == "local/ secrets/ ");
    CHECK(dir.names("alloc/data") == "page.html ");
    CHECK(dir.names("alloc/data/page.html").find("no directory") != std::string::npos);
    CHECK(dir.names("alloc/none").find("no such file") != std::string::npos);
    CHECK(list_files(dir.dir() + "-gone", "/", 9).error().code == Errc::not_found);
}

TEST_CASE("a file is shown with size, mode and type") {
    const Dir dir;
    const auto page = stat_file(dir.dir(), "/alloc/data/page.html");
    REQUIRE(page.ok());
    CHECK(page->name == "page.html");
    CHECK(page->size == 13);
    CHECK(page->mode.starts_with("-rw-"));
    CHECK(page->content_type == "text/html; charset=utf-8");
    CHECK(page->modified.nanoseconds > 0);
    const auto folder = stat_file(dir.dir(), "alloc/");
    REQUIRE(folder.ok());
    CHECK(folder->name == "alloc");
    CHECK(folder->is_folder);
    CHECK(folder->content_type.empty());
}

TEST_CASE("a file is read from any place, and no further than it goes") {
    const Dir dir;
    dir.write("alloc/data/ten", "0123456789");
    struct Row {
        FilePlace from;
        std::size_t bytes_max;
        const char* text;
        std::uint64_t at;
    };
    for (const Row& row :
         {Row{{false, 0}, 4, "0123", 0}, Row{{false, 8}, 4, "89", 8}, Row{{false, 10}, 4, "", 10},
          Row{{false, 99}, 4, "", 99}, Row{{true, 3}, 9, "789", 7}, Row{{true, 99}, 2, "01", 0},
          Row{{true, 0}, 9, "", 10}}) {
        CAPTURE(row.at);
        const auto chunk = read_file_part(dir.dir(), "alloc/data/ten", row.from, row.bytes_max);
        REQUIRE(chunk.ok());
        CHECK(to_text(chunk->data) == row.text);
        CHECK(chunk->from == row.at);
        CHECK(chunk->size == 10);
    }
}

TEST_CASE("no link leads out, to a secret, or to the runner's files") {
    const Dir dir;
    dir.link("alloc/data/up", "../../../outside");
    dir.link("alloc/data/absolute", dir.outside());
    dir.link("alloc/data/etc", "/etc");
    dir.link("alloc/data/secret", "../../web/secrets/token");
    dir.link("alloc/data/secrets", "../../web/secrets");
    dir.link("alloc/data/order", "../../order");
    dir.link("alloc/data/loop", "loop");
    dir.link("alloc/data/proc", "/proc/self/root/etc/passwd");
    dir.link("alloc/data/fine", "page.html");
    CHECK(dir.read("alloc/data/fine") == "<p>hello</p>\n");
    for (const char* path :
         {"alloc/data/up", "alloc/data/absolute", "alloc/data/etc/passwd", "alloc/data/secret",
          "alloc/data/secrets/token", "alloc/data/order", "alloc/data/loop", "alloc/data/proc",
          "web/secrets/token", "order", "alloc/data/secrets/../../order"}) {
        CAPTURE(path);
        const auto chunk = read_file_part(dir.dir(), path, {}, 1'000);
        REQUIRE_FALSE(chunk.ok());
        CHECK(chunk.error().code == Errc::denied);
    }
    CHECK(list_files(dir.dir(), "alloc/data/secrets", 9).error().code == Errc::denied);
    CHECK(list_files(dir.dir(), "alloc/data/etc", 9).error().code == Errc::denied);
    CHECK(stat_file(dir.dir(), "alloc/data/etc")->mode.starts_with("L"));
}

TEST_CASE("pipes and devices are neither waited for nor read") {
    const Dir dir;
    REQUIRE(mkfifo(dir.path("alloc/data/pipe").c_str(), 0666) == 0);
    CHECK(dir.read("alloc/data/pipe").find("no plain file") != std::string::npos);
    CHECK(dir.read("alloc/data").find("a directory") != std::string::npos);
    CHECK(stat_file(dir.dir(), "alloc/data/pipe")->mode == "prw-r--r--");
}

TEST_CASE("modes and types as Go and its clients know them") {
    CHECK(mode_text(0100644) == "-rw-r--r--");
    CHECK(mode_text(0040755) == "drwxr-xr-x");
    CHECK(mode_text(0041777) == "dtrwxrwxrwx");
    CHECK(mode_text(0120777) == "Lrwxrwxrwx");
    CHECK(mode_text(0104755) == "urwxr-xr-x");
    CHECK(content_type_of("a.json", {}) == "application/json");
    CHECK(content_type_of("noext", as_bytes("plain\n")) == "text/plain; charset=utf-8");
    CHECK(content_type_of("noext", as_bytes(std::string_view("\0\1", 2))) ==
          "application/octet-stream");
}

}  // namespace gaggle::allocrunner
