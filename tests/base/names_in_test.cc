#include "base/names_in.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace gaggle {

TEST_CASE("the names in a folder are sorted, and what cannot be read is an error in words") {
    char name[] = "/tmp/gaggle-names-XXXXXX";
    const std::string folder = mkdtemp(name);
    for (const char* file : {"b", "a", ".c"}) std::ofstream(folder + "/" + file) << "x";
    const auto names = names_in(folder);
    REQUIRE(names.ok());
    CHECK(*names == std::vector<std::string>{".c", "a", "b"});
    CHECK(names_in(folder + "/none").error().code == Errc::not_found);
    const auto file = names_in(folder + "/a");
    CHECK(file.error().code == Errc::io);
    CHECK(file.error().detail == "read directory " + folder + "/a: Not a directory");
    std::filesystem::remove_all(folder);
}

}  // namespace gaggle
