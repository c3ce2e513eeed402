// Control groups: by the form of their files, and by the kernel where it has what we need.
#include "allocrunner/drivers/cgroups.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

/// A group of this machine's with one process in it, which shell runs a script.
class RealGroup {
  public:
    explicit RealGroup(const std::string& script)
        : name_("/gaggle-test-" + std::to_string(getpid())),
          dir_(holding_dir(read_cgroups(), name_)) {
        std::filesystem::create_directory(dir_);
        pid_ = fork();
        if (pid_ != 0) return;
        std::ofstream(dir_ + "/cgroup.procs") << getpid();
        execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
        _exit(127);
    }
    ~RealGroup() {
        end_group(dir_).ok();
        wait();
    }
    RealGroup(const RealGroup&) = delete;
    RealGroup& operator=(const RealGroup&) = delete;
    const std::string& name() const { return name_; }
    const std::string& dir() const { return dir_; }
    bool killed() { return wait() && WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL; }

  private:
    bool wait() {
        if (pid_ > 0 && waitpid(pid_, &status_, 0) == pid_) pid_ = 0;
        return pid_ == 0;
    }
    std::string name_;
    std::string dir_;
    pid_t pid_ = 0;
    int status_ = 0;
};

}  // namespace

TEST_CASE("what kind of control groups a machine has is read from its mounts") {
    const std::string v1 =
        "30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
        "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    const std::string v2 = "32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    CHECK(cgroups_in(v2) == Cgroups{.v2 = true, .unified = "/sys/fs/cgroup/unified", .trees = {}});
    const Cgroups both = cgroups_in(v1 + v2);
    CHECK_FALSE(both.v2);
    CHECK(both.trees.at("cpuacct") == "/sys/fs/cgroup/cpu,cpuacct");
    CHECK(oom_file(both, "/gaggle/x") == "/sys/fs/cgroup/memory/gaggle/x/memory.oom_control");
    CHECK(oom_file(cgroups_in(v2), "/g") == "/sys/fs/cgroup/unified/g/memory.events");
    CHECK_FALSE(cgroups_in("1 2 3:4 / / rw - ext4 /dev/vda rw\nnonsense\n").any());
}

TEST_CASE("what is known of control groups stays known while no file can be opened") {
    const Cgroups before = read_cgroups();
    rlimit files{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
    const rlimit none{0, files.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const Cgroups found = look_for_cgroups();
    REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
    CHECK(found == before);
    CHECK(read_cgroups() == before);
}

TEST_CASE("a control group is kept to processors in either kind of tree") {
    const ScratchDir scratch;
    std::filesystem::create_directories(scratch.path() + "/gaggle/x");
    const std::string file = scratch.path() + "/gaggle/x/cpuset.cpus";
    for (const Cgroups& cgroups :
         {Cgroups{.v2 = true, .unified = scratch.path(), .trees = {}},
          Cgroups{.v2 = false, .unified = {}, .trees = {{"cpuset", scratch.path()}}}}) {
        CAPTURE(cgroups.v2);
        std::ofstream(file) << "";
        REQUIRE(set_cpus(cgroups, "/gaggle/x", "1-2").ok());
        CHECK(text_of(file) == "1-2");
        CHECK(set_cpus(cgroups, "/gaggle/gone", "1").error().code == Errc::not_found);
        std::filesystem::remove(file);
        CHECK(set_cpus(cgroups, "/gaggle/x", "1").error().code == Errc::unavailable);
    }
    const Cgroups none{.v2 = false, .unified = {}, .trees = {{"memory", scratch.path()}}};
    CHECK(set_cpus(none, "/gaggle/x", "1").error().code == Errc::unavailable);
}

TEST_CASE("a group of version 2 ends with all that it forks, and leaves nothing") {
    if (read_cgroups().unified.empty() || geteuid() != 0) {
        MESSAGE("not run: it needs root and a mount of cgroup2");
        return;
    }
    RealGroup group("setsid sh -c 'while :; do sleep 1000 & sleep 0.01; done' & wait");
    REQUIRE(eventually([&] {
        const std::string pids = text_of(group.dir() + "/cgroup.procs");
        return std::count(pids.begin(), pids.end(), '\n') >= 10;
    }));
    CHECK(end_group(group.dir()).ok());
    CHECK(group.killed());
    CHECK_FALSE(std::filesystem::exists(group.dir()));
    CHECK(end_group(group.dir()).ok());  // again: there is none
}

TEST_CASE("a group of version 2 is measured and told of want of memory by this kernel") {
    const Cgroups cgroups = read_cgroups();
    if (!cgroups.v2 || geteuid() != 0) {
        MESSAGE("not run: it needs root and control groups of version 2 alone");
        return;
    }
    RealGroup group("x=$(seq 200000); sleep 1000 & while :; do :; done");
    const auto used = [&] { return *usage_of_group(cgroups, group.name()); };
    CHECK(eventually([&] { return used().rss > (1U << 20U) && used().processes == 2; }));
    CHECK(eventually([&] { return used().user_nanoseconds > 100'000'000; }));
    CHECK(used().used >= used().rss);
    const bool divides = std::filesystem::exists(group.dir() + "/cpuset.cpus");
    const auto kept = set_cpus(cgroups, group.name(), "0");
    CHECK(kept.ok() == divides);
    if (!divides) CHECK(kept.error().code == Errc::unavailable);

    const std::string told = oom_file(cgroups, group.name());
    CHECK(text_of(told).find("oom_kill 0\n") != std::string::npos);
    std::ofstream(group.dir() + "/memory.max") << (256 << 10);
    CHECK(eventually([&] { return text_of(told).find("oom_kill 0\n") == std::string::npos; }));
    CHECK(end_group(group.dir()).ok());
    CHECK(group.killed());
    CHECK(usage_of_group(cgroups, group.name()).error().code == Errc::not_found);
    CHECK(set_cpus(cgroups, group.name(), "0").error().code == Errc::not_found);
}

TEST_CASE("control groups that are mounted after the first look are found by the next" *
          doctest::skip(geteuid() != 0)) {
    const ScratchDir scratch;
    const pid_t child = fork();
    if (child == 0) {
        const Cgroups first = read_cgroups();
        if (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            _exit(2);
        if (!first.unified.empty()) umount2(first.unified.c_str(), MNT_DETACH);
        for (const auto& [tree, place] : first.trees) umount2(place.c_str(), MNT_DETACH);
        if (read_cgroups() != first || look_for_cgroups() != Cgroups() || read_cgroups().any())
            _exit(3);
        if (mount("none", scratch.path().c_str(), "cgroup2", 0, nullptr) != 0) _exit(4);
        look_for_cgroups();
        _exit(read_cgroups().unified == scratch.path() ? 0 : 5);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

}  // namespace gaggle::allocrunner
