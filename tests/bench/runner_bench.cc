// How long one peer takes to run N raw_exec allocations of `sleep`, without the rest of an agent,
// and how long the next agent takes to find them again. Prints seconds and what a shim costs in
// memory.
//
//     scons bench && build/bin/bench-runner [allocations] [directory]
#include <unistd.h>

#include <fstream>
#include <map>

#include "allocrunner/setup/secrets.h"
#include "tests/bench/bench_peer.h"

namespace {

using namespace gaggle;
using namespace gaggle::bench;

std::int64_t kib_of(const std::string& pid, const std::string& field) {
    std::ifstream rollup("/proc/" + pid + "/smaps_rollup");
    std::int64_t kib = 0;
    for (std::string word; rollup >> word;)
        if (word == field) rollup >> kib;
    return kib;
}

std::pair<std::int64_t, std::int64_t> shims_and_their_kib() {
    std::int64_t shims = 0;
    std::int64_t kib = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::string name;
        std::ifstream(entry.path() / "comm") >> name;
        if (name != "gctl-shim") continue;
        ++shims;
        kib += kib_of(entry.path().filename(), "Private_Dirty:");
    }
    return {shims, kib};
}

std::map<AllocId, std::int64_t> pids(const Peer& peer) {
    std::map<AllocId, std::int64_t> out;
    for (const AllocId& alloc : peer.runner.allocs())
        out[alloc] = peer.runner.status(alloc)->tasks.at("task").pid;
    return out;
}

void stop_all(Peer& peer) {
    const TimePoint begin = boot_clock();
    peer.feed({WallTime{}, Orders{}});
    peer.until([&] { return peer.runner.live().empty(); });
    fmt::print("all stopped after {}\n", for_people(boot_clock() - begin));
    peer.tasks->stop();
}

/// The agent starts again: 0, or 1 when a task was not found as it was left.
int take_over(const std::string& root, const std::map<AllocId, std::int64_t>& before) {
    Peer peer(root);
    const TimePoint begin = boot_clock();
    if (const auto error = peer.open()) return fmt::print("{}\n", *error), 1;
    fmt::print("{} allocations taken over by the next agent after {}\n",
               peer.count(ClientStatus::running), for_people(boot_clock() - begin));
    const auto after = pids(peer);
    std::size_t same = 0;
    for (const auto& [alloc, pid] : before)
        same += after.contains(alloc) && after.at(alloc) == pid ? 1 : 0;
    fmt::print("{} of {} are the same processes\n", same, before.size());
    stop_all(peer);
    return same == before.size() ? 0 : 1;
}

int run(const std::string& root, std::uint32_t wanted) {
    std::map<AllocId, std::int64_t> before;
    {
        Peer peer(root);
        if (const auto error = peer.open()) return fmt::print("{}\n", *error), 1;
        std::vector<Order> orders;
        for (std::uint32_t number = 0; number < wanted; ++number)
            orders.push_back(
                order_of(number, {"sleep", "600"}, {.files_max = 1, .file_size = MegaBytes{1}}));
        const TimePoint begin = boot_clock();
        peer.feed({WallTime{}, Orders{orders}});
        peer.until([&] {
            return peer.count(ClientStatus::failed) > 0 ||
                   peer.count(ClientStatus::running) == wanted;
        });
        if (peer.count(ClientStatus::failed) > 0)
            return fmt::print("an allocation failed to start: is gctl-shim beside this?\n"), 1;
        fmt::print("{} allocations running after {}\n", wanted, for_people(boot_clock() - begin));
        const auto [shims, kib] = shims_and_their_kib();
        fmt::print("private dirty memory per shim: {} KiB (mean of {})\n", kib / shims, shims);
        fmt::print("this process: {} KiB resident, {} KiB private dirty\n", kib_of("self", "Rss:"),
                   kib_of("self", "Private_Dirty:"));
        before = pids(peer);
        peer.tasks->stop();
    }
    return take_over(root, before);
}

}  // namespace

int main(int argc, char** argv) {
    const auto wanted = static_cast<std::uint32_t>(argc > 1 ? std::stoul(argv[1]) : 1'000);
    std::string root = std::string(argc > 2 ? argv[2] : "/tmp") + "/gaggle-bench-XXXXXX";
    if (mkdtemp(root.data()) == nullptr) return 1;
    const int result = run(root, wanted);
    const auto unmounted = gaggle::setup::unmount_below(root);  // the tasks' secrets
    if (!unmounted.ok()) fmt::print("{}\n", unmounted.error().detail);
    std::filesystem::remove_all(root);
    return result;
}
