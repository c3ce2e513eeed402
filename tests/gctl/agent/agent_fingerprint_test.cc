#include <doctest/doctest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "gctl/agent/fingerprint.h"

namespace gaggle::agent {

namespace {

constexpr const char* kBootId = "5d3cbf38-9a1c-4a0f-8a9e-8a2d5f0c1b2a\n";

Readings small_server() {
    return {.host_name = "barn",
            .kernel = "Linux",
            .kernel_release = "6.1.0-18-amd64",
            .machine = "x86_64",
            .cpu_info =
                "processor\t: 0\nmodel name\t: Sparrow 7\ncpu MHz\t\t: 2399.998\n\n"
                "processor\t: 1\nmodel name\t: Sparrow 7\ncpu MHz\t\t: 1200.1\n\n",
            .memory_info = "MemTotal:        2048000 kB\nMemFree:          10 kB\n",
            .os_release = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\nVERSION_ID=\"12\"\n",
            .mount_info = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            .boot_id = kBootId,
            .landlock = 3,
            .disk_bytes = 40ULL << 30U,
            .disk_free_bytes = 10ULL << 30U};
}

}  // namespace

TEST_CASE("a machine is told by Nomad's attribute names") {
    const auto print = fingerprint_of(small_server());
    REQUIRE(print.ok());
    CHECK(print->host_name == "barn");
    CHECK(to_string(print->boot) == "5d3cbf38-9a1c-4a0f-8a9e-8a2d5f0c1b2a");
    CHECK(print->total.cpu == MegaHertz{2 * 2399});
    CHECK(print->total.memory == MegaBytes{2000});
    CHECK(print->total.disk == MegaBytes{10'240});
    const std::map<std::string, std::string> expected = {
        {"arch", "amd64"},
        {"cpu.arch", "amd64"},
        {"cpu.frequency", "2399"},
        {"cpu.modelname", "Sparrow 7"},
        {"cpu.numcores", "2"},
        {"cpu.totalcompute", "4798"},
        {"gaggle.version", GAGGLE_VERSION},
        {"kernel.arch", "amd64"},
        {"kernel.landlock", "v3"},
        {"kernel.name", "linux"},
        {"kernel.version", "6.1.0-18-amd64"},
        {"memory.totalbytes", "2097152000"},
        {"nomad.version", "1.1.2"},
        {"os.cgroups.version", "2"},
        {"os.name", "debian"},
        {"os.version", "12"},
        {"unique.cgroup.version", "2"},
        {"unique.hostname", "barn"},
        {"unique.storage.bytesfree", "10737418240"},
        {"unique.storage.bytestotal", "42949672960"},
    };
    CHECK(print->attributes == expected);
}

TEST_CASE("what a machine does not tell is guessed low or left out") {
    struct Row {
        const char* machine;
        const char* cpu_info;
        std::uint64_t max_kilohertz;
        std::int64_t mega_hertz;
        const char* arch;
    };
    for (const Row& row : {
             Row{"aarch64", "processor\t: 0\nBogoMIPS\t: 100\nprocessor\t: 1\n", 0, 2'000, "arm64"},
             Row{"aarch64", "processor\t: 0\n", 1'800'000, 1'800, "arm64"},
             Row{"armv7l", "", 0, 1'000, "arm"},
             Row{"x86_64", "processor : 0\ncpu MHz : nonsense\n", 0, 1'000, "amd64"},
             Row{"riscv64", "processor : 0\n", 0, 1'000, "riscv64"},
         }) {
        CAPTURE(row.machine);
        CAPTURE(row.cpu_info);
        Readings readings = small_server();
        readings.machine = row.machine;
        readings.cpu_info = row.cpu_info;
        readings.max_kilohertz = row.max_kilohertz;
        readings.os_release = "no equals sign\n=\nVERSION_ID=\n";
        readings.memory_info = "";
        readings.landlock = 0;
        const auto print = fingerprint_of(readings);
        REQUIRE(print.ok());
        CHECK(print->total.cpu == MegaHertz{row.mega_hertz});
        CHECK(print->total.memory == MegaBytes{0});
        CHECK(print->attributes.at("arch") == row.arch);
        CHECK_FALSE(print->attributes.contains("os.name"));
        CHECK_FALSE(print->attributes.contains("os.version"));
        CHECK(print->attributes.at("kernel.landlock") == "unavailable");
    }
}

TEST_CASE("without a boot id a reboot could not be told from a restart, so there is no peer") {
    for (const char* wrong : {"", "\n", "5d3cbf38", "zzzzzzzz-9a1c-4a0f-8a9e-8a2d5f0c1b2a"}) {
        Readings readings = small_server();
        readings.boot_id = wrong;
        const auto print = fingerprint_of(readings);
        REQUIRE_FALSE(print.ok());
        CHECK(print.error().code == Errc::corrupt);
        CHECK(print.error().detail.find("boot id") != std::string::npos);
    }
}

TEST_CASE("this machine can be read") {
    const auto readings = read_machine("/tmp");
    REQUIRE(readings.ok());
    const auto print = fingerprint_of(*readings);
    REQUIRE(print.ok());
    CHECK(print->total.cpu.value > 0);
    CHECK(print->total.memory.value > 0);
    CHECK(print->attributes.at("kernel.name") == "linux");
    CHECK(print->boot == fingerprint_of(*read_machine("/tmp"))->boot);

    landlock_ruleset_attr rules{};
    rules.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE;
    const UniqueFd made(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0)));
    CHECK((print->attributes.at("kernel.landlock") != "unavailable") == bool(made));

    const auto missing = read_machine("/no/such/place");
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().detail.find("/no/such/place") != std::string::npos);
}

}  // namespace gaggle::agent
