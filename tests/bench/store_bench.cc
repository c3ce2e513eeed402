// How much a durable write through the store costs beside the disk's own price.
//
//     bench-store [DIRECTORY]        (default: here; it must lie on a real disk)
//
// One and three processes at once, as with one and three local peers, each with its own store,
// append one record after another; beside it the same processes append to a plain file and
// fdatasync it. Both kinds take turns, so that what else the machine does strikes both. Shown are
// medians over the rounds of each round's median time for one write.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gctl/store/store.h"

namespace {

using namespace gaggle;

constexpr int kRounds = 5;
constexpr int kWrites = 400;  // of each writer in each round

using Milliseconds = std::chrono::duration<double, std::milli>;
/// Writes record number `at`; false when that failed.
using Write = std::function<bool(int at)>;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The median time of kWrites calls, in milliseconds; negative when one failed.
double time_writes(const Write& write) {
    std::vector<double> times;
    for (int at = 0; at < kWrites; ++at) {
        const auto begin = std::chrono::steady_clock::now();
        if (!write(at)) return -1;
        times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
    }
    return median(times);
}

double append_to_file(const std::string& directory, std::size_t bytes) {
    const std::string path = directory + "/raw";
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    const Bytes record(bytes, 7);
    const double result = time_writes([&](int) {
        return ::write(fd, record.data(), bytes) == static_cast<ssize_t>(bytes) &&
               ::fdatasync(fd) == 0;
    });
    ::close(fd);
    return result;
}

double append_to_store(const std::string& directory, std::size_t bytes) {
    auto store = store::Store::open(directory + "/store");
    if (!store.ok()) return -1;
    const store::Membership membership{RegionId{{1}}, Epoch{1}, raft::ReplicaId{1}};
    if (!(*store)->begin_replica(membership, {}, {}).ok()) return -1;
    std::uint64_t checksum = 0;
    return time_writes([&](int at) {
        raft::Entry entry{.index = {static_cast<std::uint64_t>(at) + 1},
                          .kind = raft::EntryKind::command,
                          .payload = Bytes(bytes, 7)};
        checksum = entry.checksum = raft::chained(checksum, entry);
        return (*store)->write({.raft = raft::Persist{.append = {entry}}, .keys = {}}).ok();
    });
}

using Writer = double (*)(const std::string& directory, std::size_t bytes);

/// Runs `writer` in `count` processes at once, each in a directory of its own (LevelDB's thread
/// does not live through a fork, so the parent never opens a store). The mean of their medians.
double in_processes(const std::string& root, int count, Writer writer, std::size_t bytes) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) return -1;
    for (int at = 0; at < count; ++at) {
        if (::fork() != 0) continue;
        const std::string directory = root + "/" + std::to_string(at);
        std::filesystem::create_directory(directory);
        const double result = writer(directory, bytes);
        std::filesystem::remove_all(directory);
        ::_exit(::write(pipe[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    ::close(pipe[1]);
    double sum = 0;
    for (int at = 0; at < count; ++at) {
        double result = -1;
        if (::read(pipe[0], &result, sizeof result) != sizeof result || result < 0) sum = -1e9;
        sum += result;
    }
    ::close(pipe[0]);
    while (::wait(nullptr) > 0) {
    }
    return sum / count;
}

bool print_row(const std::string& root, int writers, std::size_t bytes) {
    std::vector<double> raw, stored;
    for (int round = 0; round < kRounds; ++round) {
        raw.push_back(in_processes(root, writers, append_to_file, bytes));
        stored.push_back(in_processes(root, writers, append_to_store, bytes));
        if (raw.back() < 0 || stored.back() < 0) return false;
    }
    const auto [raw_min, raw_max] = std::minmax_element(raw.begin(), raw.end());
    const auto [stored_min, stored_max] = std::minmax_element(stored.begin(), stored.end());
    std::printf("%7d %7zu   %6.3f  (%.3f to %.3f)   ", writers, bytes, median(raw), *raw_min,
                *raw_max);
    std::printf("%6.3f  (%.3f to %.3f)   %5.2f\n", median(stored), *stored_min, *stored_max,
                median(stored) / median(raw));
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::string root = std::string(argc > 1 ? argv[1] : ".") + "/bench-store-XXXXXX";
    if (!::mkdtemp(root.data())) {
        std::perror(("create " + root).c_str());
        return 1;
    }
    std::printf("p50 of one durable append in milliseconds, median (range) of %d rounds of %d\n\n",
                kRounds, kWrites);
    std::printf("%7s %7s   %-25s   %-25s   %5s\n", "writers", "bytes", "write + fdatasync",
                "Store::write", "ratio");
    bool all = true;
    for (const std::size_t bytes : {256, 4096, 65536})
        for (const int writers : {1, 3}) all = all && print_row(root, writers, bytes);
    std::filesystem::remove_all(root);
    if (!all) std::fprintf(stderr, "a write in %s failed: is the disk full?\n", root.c_str());
    return all ? 0 : 1;
}
