#include "base/small_file.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace gaggle {

TEST_CASE("a small file is read whole, up to a limit; what cannot be read says nothing") {
    char name[] = "/tmp/gaggle-test-XXXXXX";
    const std::string folder = mkdtemp(name);
    const std::string path = folder + "/file";
    const std::string text = std::string(10'000, 'x') + '\0' + "\nend";
    std::ofstream(path, std::ios::binary) << text;
    CHECK(small_file(path) == text);
    CHECK(small_file(path, 5'000) == text.substr(0, 5'000));
    CHECK(small_file(path, 0).empty());
    CHECK(small_file("/proc/self/comm") != "");  // a file that says that it has no bytes
    CHECK(small_file(folder + "/none").empty());
    CHECK(small_file(folder).empty());
    std::filesystem::remove_all(folder);
}

}  // namespace gaggle
