#include "base/mount_table.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace gaggle {

TEST_CASE("a line of mountinfo says what of its file system is mounted where") {
    const auto line = parse_mount_line(
        R"(36 35 98:0 /mnt\0401 /a\134b\040c rw,noatime master:1 - ext3 /dev/root rw)");
    REQUIRE(line.has_value());
    CHECK(line->id == 36);
    CHECK(line->root == "/mnt 1");
    CHECK(line->point == "/a\\b c");
    CHECK_FALSE(parse_mount_line("36 35 98:0 /mnt1").has_value());
    CHECK_FALSE(parse_mount_line("x 35 98:0 / / rw").has_value());
    CHECK_FALSE(parse_mount_line("").has_value());
}

TEST_CASE("a path that a process sees is found on its file system") {
    struct Row {
        const char* root;
        const char* point;
        const char* path;
        const char* there;
    };
    for (const Row& row : {Row{"/", "/", "/x/y", "/x/y"},
                           Row{"/data/one", "/", "/x", "/data/one/x"},
                           Row{"/data/one", "/alloc", "/alloc/x", "/data/one/x"},
                           Row{"/data/one", "/alloc", "/allocation/x", "/data/one"},
                           Row{"/data/one", "/alloc", "/elsewhere", "/data/one"},
                           Row{"/", "/mnt", "/mnt/x", "/x"}, Row{"/", "/mnt", "/mnt", "/"}}) {
        CAPTURE(row.path);
        const MountLine line{.id = 1, .root = row.root, .point = row.point};
        CHECK(line.on_file_system(row.path) == row.there);
    }
}

TEST_CASE("no line of mountinfo does harm, whatever its bytes") {
    Rng rng(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string line = R"(36 35 98:0 /mnt\040 /a\134b rw)";
        for (int flips = 0; flips < 4; ++flips)
            line[rng.below(line.size())] = "0\\ /x7\n"[rng.below(7)];
        const auto parsed = parse_mount_line(line);
        if (parsed) CHECK(parsed->root.size() + parsed->point.size() < line.size());
    }
}

}  // namespace gaggle
