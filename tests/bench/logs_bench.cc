// What a task's output costs on its way through gctl-shim into rotated files, beside what one would
// write by hand: the same producer straight into a file, and through `cat` into one.
//
//     scons mode=release bench && build-release/bin/bench-logs [directory]
//
// First as fast as it goes (a producer of 64 KiB writes: who blocks it, and for how long), then at
// ten megabytes a second in lines of a hundred bytes (what the reader takes of a core).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/bench/bench_peer.h"

namespace {

using namespace gaggle;
using namespace gaggle::bench;

constexpr std::uint64_t kFastBytes = 2ULL << 30U;
constexpr std::uint64_t kSlowBytesPerSecond = 10'000'000;
constexpr int kSlowSeconds = 10;
constexpr std::size_t kLine = 100;
constexpr LogConfig kLogs{.files_max = 4, .file_size = MegaBytes{64}, .disabled = false};

// ---- the producer: this very program, started with `produce`

void put(const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t part = write(1, bytes, size);
        if (part <= 0) _exit(1);
        bytes += part;
        size -= static_cast<std::size_t>(part);
    }
}

int produce_fast() {
    std::string block;
    while (block.size() + kLine <= 65'536) block += std::string(kLine - 1, 'x') + "\n";
    for (std::uint64_t sent = 0; sent < kFastBytes; sent += block.size())
        put(block.data(), block.size());
    return 0;
}

/// One line a write, a millisecond's worth at a time.
int produce_slow() {
    const std::string line = std::string(kLine - 1, 'x') + "\n";
    const TimePoint begin = boot_clock();
    const std::uint64_t wanted = kSlowBytesPerSecond * kSlowSeconds;
    for (std::uint64_t sent = 0; sent < wanted;) {
        const auto elapsed = (boot_clock() - begin).count();
        const std::uint64_t due =
            kSlowBytesPerSecond / 1'000'000 * static_cast<std::uint64_t>(elapsed);
        if (sent >= due) {
            usleep(1'000);
            continue;
        }
        put(line.data(), line.size());
        sent += line.size();
    }
    return 0;
}

// ---- the readers

double seconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

/// CPU time of a process so far, user and system.
double cpu_of(const std::string& pid) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string word, text(std::istreambuf_iterator<char>(stat), {});
    std::size_t at = text.rfind(')');
    for (int field = 2; at != std::string::npos && field < 14; ++field) at = text.find(' ', at + 1);
    if (at == std::string::npos) return 0;
    char* next = nullptr;
    const unsigned long user = strtoul(text.c_str() + at, &next, 10);
    const unsigned long system = strtoul(next, nullptr, 10);
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string parent_of(std::int64_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string word, parent;
    while (status >> word)
        if (word == "PPid:") status >> parent;
    return parent;
}

struct Cost {
    double elapsed = 0;
    double reader_cpu = 0;  ///< 0: there is no reader
};

Cost by_shim(const std::string& root, const std::string& self, const char* how,
             std::uint32_t number) {
    Peer peer(root);
    if (const auto error = peer.open()) {
        fmt::print("{}\n", *error);
        std::exit(1);
    }
    const Order order = order_of(number, {self, "produce", how}, kLogs);
    const TimePoint begin = boot_clock();
    peer.feed({WallTime{}, Orders{{order}}});
    std::string shim;
    Cost cost;
    peer.until([&] {
        const AllocStatus* status = peer.runner.status(order.alloc);
        const TaskState& task = status->tasks.at("task");
        if (shim.empty() && task.pid > 0) shim = parent_of(task.pid);
        if (!shim.empty()) cost.reader_cpu = std::max(cost.reader_cpu, cpu_of(shim));
        return is_terminal(status->client);
    });
    cost.elapsed = seconds(boot_clock() - begin);
    peer.feed({WallTime{}, Orders{}});
    peer.tasks->stop();
    return cost;
}

Cost by_shell(const std::string& command) {
    const TimePoint begin = boot_clock();
    const pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    Cost cost;
    int status = 0;
    waitpid(pid, &status, 0);
    if (status != 0) fmt::print("`{}` failed\n", command);
    cost.elapsed = seconds(boot_clock() - begin);
    return cost;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2 && std::string(argv[1]) == "produce")
        return std::string(argv[2]) == "fast" ? produce_fast() : produce_slow();
    std::string root = std::string(argc > 1 ? argv[1] : "/tmp") + "/gaggle-bench-XXXXXX";
    if (mkdtemp(root.data()) == nullptr) return 1;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string file = root + "/file";
    const double megabytes = static_cast<double>(kFastBytes) / 1e6;

    fmt::print("as fast as it goes, {:.0f} MB (median of 3):\n", megabytes);
    struct Way {
        const char* name;
        std::vector<double> rates;
    };
    Way ways[] = {{"gctl-shim, 4 files of 64 MB", {}}, {"straight into a file", {}},
                  {"| cat > file", {}}};
    for (std::uint32_t round = 0; round < 3; ++round) {
        ways[0].rates.push_back(megabytes / by_shim(root, self, "fast", round).elapsed);
        ways[1].rates.push_back(megabytes / by_shell(self + " produce fast > " + file).elapsed);
        std::filesystem::remove(file);
        ways[2].rates.push_back(megabytes /
                                by_shell(self + " produce fast | cat > " + file).elapsed);
        std::filesystem::remove(file);
    }
    for (Way& way : ways) {
        std::sort(way.rates.begin(), way.rates.end());
        fmt::print("  {:<30} {:8.0f} MB/s\n", way.name, way.rates[1]);
    }
    const Cost slow = by_shim(root, self, "slow", 100);
    fmt::print("ten megabytes a second in lines of {} bytes, {} s:\n", kLine, kSlowSeconds);
    fmt::print("  gctl-shim takes {:.1f} % of a core; the producer took {:.2f} s\n",
               100 * slow.reader_cpu / slow.elapsed, slow.elapsed);
    std::filesystem::remove_all(root);
    return 0;
}
