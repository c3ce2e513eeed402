#include "allocrunner/setup/secrets.h"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/scratch.h"

using namespace gaggle;
using namespace gaggle::setup;

namespace {

bool is_tmpfs(const std::string& path) {
    struct statfs about {};
    return statfs(path.c_str(), &about) == 0 && about.f_type == 0x01021994;
}

}  // namespace

TEST_CASE("secrets are memory, taken up again by the next agent, and gone with the allocation") {
    const allocrunner::ScratchDir scratch;
    const std::string path = scratch.path() + "/a task/secrets";
    std::filesystem::create_directories(path);
    const SecretsDir what{.path = path, .size = MegaBytes{2}};
    const auto mounted = mount_secrets(what);
    REQUIRE(mounted.ok());
    struct stat about {};
    REQUIRE(stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777U) == 0700);
    // Without root's rights it stays a plain directory.
    if (!allocrunner::is_met(*mounted, "it needs root, to mount")) return;
    CHECK(is_tmpfs(path));
    std::ofstream(path + "/key") << "secret";
    CHECK(*mount_secrets(what));  // as a restarted agent does
    CHECK(allocrunner::text_of(path + "/key") == "secret");
    REQUIRE(unmount_below(scratch.path()).ok());
    CHECK_FALSE(is_tmpfs(path));
    CHECK(std::filesystem::is_empty(path));
    CHECK(unmount_below(scratch.path()).ok());
}

TEST_CASE("secrets belong to the task's user, and to nobody who does not exist") {
    const allocrunner::ScratchDir scratch;
    const std::string path = scratch.path() + "/secrets";
    std::filesystem::create_directories(path);
    const auto mounted = mount_secrets({.path = path, .user = "nobody"});
    REQUIRE(mounted.ok());
    struct stat about {};
    REQUIRE(stat(path.c_str(), &about) == 0);
    if (geteuid() == 0) CHECK(about.st_uid != 0);
    CHECK(unmount_below(scratch.path()).ok());
    CHECK_FALSE(mount_secrets({.path = path, .user = "no such user"}).ok());
    CHECK(unmount_below(scratch.path()).ok());
}

TEST_CASE("nothing is mounted where a link in the place of secrets leads") {
    const allocrunner::ScratchDir scratch;
    const std::string victim = scratch.path() + "/victim";
    std::filesystem::create_directories(victim);
    std::filesystem::create_directory_symlink(victim, scratch.path() + "/secrets");
    const auto mounted = mount_secrets({.path = scratch.path() + "/secrets"});
    CHECK_FALSE(mounted.ok());
    CHECK_FALSE(is_tmpfs(victim));
}

TEST_CASE("a mount is seen wherever it is, also one of the same disk, and a link is none") {
    const allocrunner::ScratchDir scratch;
    const std::string deep = scratch.path() + "/task/local/deep";
    std::filesystem::create_directories(deep);
    std::filesystem::create_directories(scratch.path() + "/other");
    std::filesystem::create_directory_symlink("/proc", scratch.path() + "/task/link");
    CHECK_FALSE(may_hold_mounts(scratch.path()));
    CHECK(may_hold_mounts(scratch.path() + "/none"));
    if (!allocrunner::is_root()) return;
    const std::string other = scratch.path() + "/other";
    REQUIRE(mount(other.c_str(), deep.c_str(), nullptr, MS_BIND, nullptr) == 0);
    CHECK(may_hold_mounts(scratch.path()));
    CHECK(may_hold_mounts(scratch.path() + "/task"));
    CHECK_FALSE(may_hold_mounts(scratch.path() + "/other"));
    REQUIRE(unmount_below(scratch.path()).ok());
    CHECK_FALSE(may_hold_mounts(scratch.path()));
}
