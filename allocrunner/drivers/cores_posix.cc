#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/spec_file.h"
#include "base/names_in.h"
#include "base/small_file.h"

namespace gaggle::allocrunner {

namespace {

std::mutex taking;  // held from looking to taking
/// Files of shares, by alloc root. They are looked for once, for that reads every allocation's
/// folder, which each start of a task would do; later ones are added as they are written.
std::map<std::string, std::set<std::string>> shares;

std::string file_of(const TaskLocation& at) { return driver_dir(at) + "/cores"; }

/// Those that the agent itself may use.
std::vector<int> machine_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> out;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return out;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) out.push_back(cpu);
    return out;
}

std::set<std::string> find_shares(const std::string& alloc_root) {
    std::set<std::string> out;
    const auto names_or_none = [](const std::string& folder) {
        Result<std::vector<std::string>> names = names_in(folder);
        return names ? std::move(*names) : std::vector<std::string>();
    };
    for (const std::string& alloc : names_or_none(alloc_root)) {
        const std::string tasks = alloc_root + "/" + alloc + "/driver";
        for (const std::string& task : names_or_none(tasks))
            if (std::string file = tasks + "/" + task + "/cores"; !small_file(file).empty())
                out.insert(std::move(file));
    }
    return out;
}

/// Caller holds `taking`.
std::set<std::string>& shares_below(const std::string& alloc_root) {
    const auto known = shares.find(alloc_root);
    if (known != shares.end()) return known->second;
    return shares.emplace(alloc_root, find_shares(alloc_root)).first->second;
}

/// Caller holds `taking`. A share whose file is gone counts no more: it was given back, or its
/// allocation was collected.
std::set<int> taken_cpus(const std::string& alloc_root) {
    std::set<int> out;
    std::set<std::string>& files = shares_below(alloc_root);
    for (auto file = files.begin(); file != files.end();) {
        const std::vector<int> cpus = cpus_in(small_file(*file));
        out.insert(cpus.begin(), cpus.end());
        file = cpus.empty() ? files.erase(file) : std::next(file);
    }
    return out;
}

}  // namespace

std::string text_of_cpus(const std::vector<int>& cpus) {
    std::string out;
    for (std::size_t at = 0; at < cpus.size();) {
        std::size_t last = at;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
        if (!out.empty()) out += ",";
        out += std::to_string(cpus[at]);
        if (last > at) out += "-" + std::to_string(cpus[last]);
        at = last + 1;
    }
    return out;
}

std::vector<int> cpus_in(std::string_view text) {
    constexpr int kCpusMax = 8'192;
    std::vector<int> out;
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view part = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        int first = 0;
        const char* const end = part.data() + part.size();
        const auto begun = std::from_chars(part.data(), end, first);
        int last = first;
        bool right = begun.ec == std::errc();
        if (right && begun.ptr != end) {
            const auto ended = std::from_chars(begun.ptr + 1, end, last);
            right = *begun.ptr == '-' && ended.ec == std::errc() && ended.ptr == end;
        }
        if (!right || first < 0 || last < first || last >= kCpusMax) return {};
        for (int cpu = first; cpu <= last; ++cpu) out.push_back(cpu);
    }
    return out;
}

Result<std::string> take_cores(const std::string& alloc_root, const TaskLocation& at,
                               std::int64_t count) {
    const std::lock_guard lock(taking);
    const std::string before = small_file(file_of(at));
    if (count > 0 && cpus_in(before).size() == static_cast<std::size_t>(count)) return before;
    unlink(file_of(at).c_str());
    if (count <= 0) return std::string();
    const std::set<int> taken = taken_cpus(alloc_root);
    std::vector<int> free;
    const std::vector<int> all = machine_cpus();
    for (const int cpu : all)
        if (taken.count(cpu) == 0) free.push_back(cpu);
    if (free.size() < static_cast<std::size_t>(count))
        return {Errc::unavailable,
                "take " + std::to_string(count) + " cores: of this peer's " +
                    std::to_string(all.size()) + ", " + std::to_string(free.size()) +
                    " belong to no other task; ask for fewer, or for cpu instead of cores"};
    free.resize(static_cast<std::size_t>(count));
    const std::string text = text_of_cpus(free);
    TRY(write_driver_file(file_of(at), as_bytes(text)));
    shares_below(alloc_root).insert(file_of(at));
    return text;
}

CpuPool cpu_pool(const std::string& alloc_root) {
    const std::lock_guard lock(taking);
    const std::set<int> taken = taken_cpus(alloc_root);
    const std::vector<int> all = machine_cpus();
    std::vector<int> free;
    for (const int cpu : all)
        if (taken.count(cpu) == 0) free.push_back(cpu);
    return {text_of_cpus(free.empty() ? all : free), !taken.empty()};
}

Result<std::string> cpus_for(const std::string& alloc_root, const TaskLocation& at,
                             std::int64_t count) {
    const std::string own = TRY(take_cores(alloc_root, at, count));
    if (count > 0) return own;
    const CpuPool pool = cpu_pool(alloc_root);
    return pool.reserved ? pool.shared : std::string();
}

Result<std::map<std::string, std::string>> cores_environment(const std::string& alloc_root,
                                                             const TaskLocation& at,
                                                             const TaskSpec& spec) {
    std::map<std::string, std::string> out;
    const std::string own = TRY(take_cores(alloc_root, at, spec.resources.cores));
    if (!own.empty()) out["NOMAD_CPU_CORES"] = own;
    return out;
}

void give_back_cores(const TaskLocation& at) { unlink(file_of(at).c_str()); }

}  // namespace gaggle::allocrunner
