// Who may read a task's secrets, by its driver and user.
#include "allocrunner/secret_dirs.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

struct stat look(const std::string& path) {
    struct stat about {};
    REQUIRE(stat(path.c_str(), &about) == 0);
    return about;
}

}  // namespace

TEST_CASE(
    "secrets are the task's user's alone, and nobody's on the host where only an image knows it") {
    if (!is_root()) return;
    constexpr uid_t kNobody = 65534;
    struct Row {
        const char* driver;
        const char* user;
        uid_t owner;
        bool open_inside;
    };
    for (const auto& row :
         {Row{"raw_exec", "", 0, false}, Row{"raw_exec", "nobody", kNobody, false},
          Row{"raw_exec", "1234", 1234, false}, Row{"raw_exec", "${meta.user}", 0, false},
          Row{"exec", "", kNobody, false}, Row{"exec", "1234:77", 1234, false},
          Row{"exec", "${meta.user}", 0, false}, Row{"docker", "1234:77", 1234, false},
          Row{"docker", "1234", 1234, false}, Row{"docker", "", 0, true},
          Row{"docker", "only-the-image-knows", 0, true}}) {
        CAPTURE(row.driver);
        CAPTURE(row.user);
        const ScratchDir scratch;
        const std::string task_dir = scratch.path() + "/main";
        std::filesystem::create_directories(task_dir + "/secrets");
        chmod(task_dir.c_str(), 0755);
        TaskGroup group;
        group.tasks.push_back({});
        group.tasks[0].name = "main";
        group.tasks[0].driver = row.driver;
        group.tasks[0].user = row.user;
        const auto mounted = mount_secret_dirs(scratch.path(), group);
        INFO((mounted.ok() ? std::string() : mounted.error().detail));
        REQUIRE(mounted.ok());
        CHECK(look(task_dir + "/secrets").st_uid == row.owner);
        CHECK((look(task_dir + "/secrets").st_mode & 07777U) == (row.open_inside ? 0777U : 0700U));
        CHECK((look(task_dir).st_mode & 07777U) == (row.open_inside ? 0700U : 0755U));
        CHECK(unmount_secret_dirs(scratch.path()).ok());
    }
}

}  // namespace gaggle::allocrunner
