#include <dirent.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "allocrunner/drivers/shim.h"

namespace gaggle::allocrunner {

namespace {

struct ProcessFacts {
    pid_t session = 0;
    std::uint64_t start_ticks = 0;  ///< since boot, in clock ticks
};

/// Fields 6 and 22 of /proc/<pid>/stat; nothing when there is no such process (proc(5)).
std::optional<ProcessFacts> facts_of(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "re"), fclose);
    char line[1024];
    if (!file || fgets(line, sizeof line, file.get()) == nullptr) return std::nullopt;
    const char* after_name = strrchr(line, ')');  // the name itself may hold anything
    if (after_name == nullptr) return std::nullopt;
    ProcessFacts facts;
    int session = 0;
    unsigned long long ticks = 0;
    const int got = sscanf(after_name + 1,
                           " %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                           "%*d %*d %llu",
                           &session, &ticks);
    if (got != 2) return std::nullopt;
    facts.session = session;
    facts.start_ticks = ticks;
    return facts;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> out;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
    for (const dirent* entry = proc ? readdir(proc.get()) : nullptr; entry != nullptr;
         entry = readdir(proc.get()))
        if (const int pid = atoi(entry->d_name); pid > 0) out.push_back(pid);
    return out;
}

std::int64_t nanoseconds_of(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/// When the machine was booted, by the wall clock as it is set now, in nanoseconds.
std::int64_t boot_wall() { return nanoseconds_of(CLOCK_REALTIME) - nanoseconds_of(CLOCK_BOOTTIME); }

std::int64_t since_boot(const ProcessFacts& facts) {
    const std::int64_t tick = 1'000'000'000LL / sysconf(_SC_CLK_TCK);
    return static_cast<std::int64_t>(facts.start_ticks) * tick;
}

/// The words of its command line, each ended by a zero byte; empty when there is no such process.
std::string command_line_of(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/cmdline";
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "re"), fclose);
    char line[1024];
    return std::string(line, file ? fread(line, 1, sizeof line, file.get()) : 0);
}

/// The session that the record's task left behind; nothing when none of it can be there.
std::optional<pid_t> session_of(const shim::Record& record) {
    if (record.state != shim::RecordState::running || record.pid <= 1) return std::nullopt;
    // Better to let one of ours live than to kill a stranger's: after a reboot, or when the wall
    // clock was set meanwhile, numbers prove nothing.
    constexpr std::int64_t kClockSlack = 2'000'000'000;
    const std::int64_t started_since_boot = record.started - boot_wall();
    if (started_since_boot < 0) return std::nullopt;
    // The first process leads a session of its own, and as long as one of the session lives, its
    // number is given to nobody else. So either the leader is gone, or it is ours, or the number
    // has a new owner and nobody of ours is left.
    const auto leader = static_cast<pid_t>(record.pid);
    if (const auto facts = facts_of(leader)) {
        const std::int64_t apart = since_boot(*facts) - started_since_boot;
        if (facts->session != leader || apart > kClockSlack || apart < -kClockSlack)
            return std::nullopt;
    }
    return leader;
}

}  // namespace

void kill_shims(const std::set<std::string>& titles) {
    if (titles.empty()) return;
    // Whoever else calls itself so can only be somebody who wants to be killed in its place.
    std::set<std::string> wanted;
    for (const std::string& title : titles)
        wanted.insert(std::string("gctl-shim") + '\0' + title + '\0');
    for (const pid_t pid : all_processes())
        if (wanted.contains(command_line_of(pid))) kill(pid, SIGKILL);
}

void kill_left_behind(const std::vector<shim::Record>& records) {
    std::set<pid_t> sessions;
    for (const shim::Record& record : records)
        if (const auto session = session_of(record)) sessions.insert(*session);
    if (sessions.empty()) return;
    for (const pid_t pid : all_processes()) {
        const auto facts = facts_of(pid);
        if (facts && sessions.contains(facts->session)) kill(pid, SIGKILL);
    }
}

}  // namespace gaggle::allocrunner
