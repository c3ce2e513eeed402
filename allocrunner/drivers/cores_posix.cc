#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/spec_file.h"
#include "base/names_in.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

using Shares = std::map<std::string, std::vector<int>>;  ///< a task's file -> its processors

std::mutex taking;  // guards what follows, from looking to taking
/// By alloc root. They are read once, for that goes through every allocation's folder, which each
/// start of a task would do; later ones are added as they are written.
std::map<std::string, Shares> shares;

std::string file_of(const TaskLocation& at) { return driver_dir(at) + "/cores"; }

/// Empty where there is no such file.
Result<std::vector<int>> read_share(const std::string& path) {
    constexpr std::size_t kTextMax = 64U << 10U;
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::vector<int>();
    std::string text(kTextMax, '\0');
    const ssize_t got = fd ? read(fd.get(), text.data(), text.size()) : -1;
    if (got < 0) return Error{Errc::io, "read " + path + ": " + std::strerror(errno)};
    return cpus_in(std::string_view(text).substr(0, static_cast<std::size_t>(got)));
}

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

bool is_gone(const std::string& path) {
    return access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/// What cannot be read is an error and not a free processor.
Result<Shares> find_shares(const std::string& alloc_root) {
    Shares out;
    const auto names = [](const std::string& folder) -> Result<std::vector<std::string>> {
        if (is_gone(folder + "/")) return std::vector<std::string>();
        return names_in(folder);
    };
    for (const std::string& alloc : TRY(names(alloc_root))) {
        const std::string tasks = alloc_root + "/" + alloc + "/driver";
        for (const std::string& task : TRY(names(tasks))) {
            const std::string file = tasks + "/" + task + "/cores";
            if (std::vector<int> cpus = TRY(read_share(file)); !cpus.empty())
                out[file] = std::move(cpus);
        }
    }
    return out;
}

/// Caller holds `taking`. A share whose file is gone counts no more: it was given back, or its
/// allocation was collected.
Result<Shares*> shares_below(const std::string& alloc_root) {
    auto known = shares.find(alloc_root);
    if (known == shares.end())
        known = shares.emplace(alloc_root, TRY(find_shares(alloc_root))).first;
    std::erase_if(known->second, [](const auto& share) { return is_gone(share.first); });
    return &known->second;
}

/// Those of the machine that are in no share.
std::vector<int> free_cpus(const std::vector<int>& all, const Shares& taken) {
    std::set<int> out(all.begin(), all.end());
    for (const auto& [file, cpus] : taken)
        for (const int cpu : cpus) out.erase(cpu);
    return {out.begin(), out.end()};
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
    const std::string file = file_of(at);
    Shares& taken = *TRY(shares_below(alloc_root));
    const auto before = taken.find(file);
    if (count > 0 && before != taken.end() &&
        before->second.size() == static_cast<std::size_t>(count))
        return text_of_cpus(before->second);
    unlink(file.c_str());
    taken.erase(file);
    if (count <= 0) return std::string();
    const std::vector<int> all = machine_cpus();
    std::vector<int> free = free_cpus(all, taken);
    if (free.size() < static_cast<std::size_t>(count))
        return {Errc::unavailable,
                "take " + std::to_string(count) + " cores: of this peer's " +
                    std::to_string(all.size()) + ", " + std::to_string(free.size()) +
                    " belong to no other task; ask for fewer, or for cpu instead of cores"};
    free.resize(static_cast<std::size_t>(count));
    const std::string text = text_of_cpus(free);
    TRY(write_driver_file(file, as_bytes(text)));
    taken[file] = std::move(free);
    return text;
}

Result<CpuPool> cpu_pool(const std::string& alloc_root) {
    const std::lock_guard lock(taking);
    const Shares& taken = *TRY(shares_below(alloc_root));
    const std::vector<int> all = machine_cpus();
    const std::vector<int> free = free_cpus(all, taken);
    return CpuPool{text_of_cpus(free.empty() ? all : free), !taken.empty()};
}

Result<std::string> cpus_for(const std::string& alloc_root, const TaskLocation& at,
                             std::int64_t count) {
    const std::string own = TRY(take_cores(alloc_root, at, count));
    if (count > 0) return own;
    const CpuPool pool = TRY(cpu_pool(alloc_root));
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

std::vector<int> own_cores(const std::string& alloc_dir, const std::string& task) {
    const auto share = read_share(file_of({.alloc = {}, .alloc_dir = alloc_dir, .task = task}));
    return share.ok() ? *share : std::vector<int>();
}

bool give_back_cores(const TaskLocation& at) { return unlink(file_of(at).c_str()) == 0; }

}  // namespace gaggle::allocrunner
