// What the disk watcher costs and how fast it is: 100 idle allocations of 10,000 files, then a
// writer of 200 MB/s in one of them, first to a file with a name, then to a deleted one.
//
//     scons bench && build/bin/bench-disk [allocations] [files] [directory]
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "allocrunner/disk_watcher.h"
#include "base/unique_fd.h"

namespace {

using namespace gaggle;
using namespace gaggle::allocrunner;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kMega = 1'000'000;
constexpr std::uint64_t kLimit = 300U << 20U;

AllocId alloc_id(std::uint32_t number) {
    AllocId id;
    for (int byte = 0; byte < 4; ++byte)
        id.bytes[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(number >> (8 * byte));
    return id;
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Of this process, user and system.
double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

struct Heard {
    std::mutex mutex;
    std::vector<DiskFound> over;
    std::size_t count() {
        const std::lock_guard lock(mutex);
        return over.size();
    }
};

void make_files(const std::string& dir, std::uint32_t files) {
    for (std::uint32_t at = 0; at < files; ++at) {
        const std::string folder = dir + "/alloc/data/" + std::to_string(at / 100);
        if (at % 100 == 0) std::filesystem::create_directories(folder);
        UniqueFd(open((folder + "/" + std::to_string(at)).c_str(), O_CREAT | O_WRONLY, 0644));
    }
}

/// 200 MB/s without end, after a byte to `crossing` once the limit is crossed. In a process of its
/// own, as a task is.
[[noreturn]] void write_on(const std::string& path, bool deleted, int crossing) {
    const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (deleted) unlink(path.c_str());
    static char bytes[kMega];
    const auto begin = Clock::now();
    bool crossed = false;
    for (std::uint64_t written = 0; written < 20 * kLimit; written += kMega) {
        if (!crossed && written > kLimit) crossed = write(crossing, "x", 1) == 1;
        if (write(fd, bytes, sizeof bytes) < 0) break;
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(5) * (written / kMega));
    }
    _exit(0);
}

/// Seconds from crossing the limit until the watcher says so.
double notice(Heard& heard, const std::string& dir, bool deleted) {
    const std::string path = dir + "/alloc/data/large";
    int crossing[2];
    if (pipe(crossing) != 0) return -1;
    const std::size_t before = heard.count();
    const pid_t writer = fork();
    if (writer == 0) write_on(path, deleted, crossing[1]);
    char byte = 0;
    const bool crossed = read(crossing[0], &byte, 1) == 1;
    const auto begin = Clock::now();
    while (crossed && heard.count() == before && seconds_since(begin) < 30)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double late = seconds_since(begin);
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    close(crossing[0]);
    close(crossing[1]);
    unlink(path.c_str());
    return late;
}

/// Nanoseconds per write of 4 KiB to a file of this file system.
double write_cost(const std::string& dir) {
    const UniqueFd fd(open((dir + "/cost").c_str(), O_CREAT | O_WRONLY, 0644));
    const std::vector<char> bytes(4096, 'x');
    constexpr int kWrites = 100'000;
    const auto begin = Clock::now();
    for (int at = 0; at < kWrites; ++at)
        if (pwrite(fd.get(), bytes.data(), bytes.size(), at % 256 * 4096) < 0) return -1;
    return seconds_since(begin) * 1e9 / kWrites;
}

}  // namespace

int main(int argc, char** argv) {
    const auto allocs = static_cast<std::uint32_t>(argc > 1 ? std::stoul(argv[1]) : 100);
    const auto files = static_cast<std::uint32_t>(argc > 2 ? std::stoul(argv[2]) : 10'000);
    std::string root = std::string(argc > 3 ? argv[3] : "/tmp") + "/gaggle-bench-XXXXXX";
    if (mkdtemp(root.data()) == nullptr) return 1;
    for (std::uint32_t at = 0; at < allocs; ++at)
        make_files(root + "/" + to_string(alloc_id(at)), files);
    const double plain = write_cost(root);
    Heard heard;
    auto opened = DiskWatcher::open(root, [&](Input input) {
        const auto* found = std::get_if<DiskFound>(&input.what);
        if (found == nullptr || found->used <= found->limit) return;
        const std::lock_guard lock(heard.mutex);
        heard.over.push_back(*found);
    });
    if (!opened) return fmt::print("{}\n", opened.error().detail), 1;
    DiskWatcher& watcher = **opened;
    fmt::print("{} allocations of {} files, by {}\n", allocs, files, watcher.method());
    double cpu = cpu_seconds();
    auto begin = Clock::now();
    for (std::uint32_t at = 0; at < allocs; ++at) {
        watcher.set_limit(alloc_id(at), kLimit);
        watcher.watch(alloc_id(at));
    }
    const auto unknown = [&] {
        for (std::uint32_t at = 0; at < allocs; ++at)
            if (!watcher.use(alloc_id(at))) return true;
        return false;
    };
    while (unknown()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    fmt::print("first measuring of all: {:.1f} s, {:.1f} s of processor\n", seconds_since(begin),
               cpu_seconds() - cpu);
    std::this_thread::sleep_for(std::chrono::seconds(5));
    cpu = cpu_seconds();
    begin = Clock::now();
    std::this_thread::sleep_for(std::chrono::seconds(30));
    fmt::print("idle: {:.2f} % of a core\n", (cpu_seconds() - cpu) / seconds_since(begin) * 100);
    fmt::print("4 KiB written: {:.0f} ns, {:.0f} ns while watched\n", plain, write_cost(root));
    for (std::uint32_t at : {0U, 1U, 2U})
        fmt::print("writer of 200 MB/s noticed {:.2f} s after crossing\n",
                   notice(heard, root + "/" + to_string(alloc_id(at)), false));
    for (std::uint32_t at : {3U, 4U, 5U})
        fmt::print("the same to a deleted file: {:.2f} s\n",
                   notice(heard, root + "/" + to_string(alloc_id(at)), true));
    watcher.stop();
    std::filesystem::remove_all(root);
    return 0;
}
