#include "gctl/agent/fingerprint.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "allocrunner/drivers/cgroups.h"

namespace gaggle::agent {

namespace {

/// What our API and job files are compatible with; job files ask for it in constraints.
constexpr const char* kNomadVersion = "1.1.2";
constexpr std::int64_t kUnknownMegaHertz = 1'000;  ///< a core whose speed nobody tells
constexpr std::uint64_t kMegaByte = 1U << 20U;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n\"'");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n\"'") + 1 - first);
}

/// Calls `line(name, value)` for every "name <separator> value".
template <class Line>
void each_line(std::string_view text, char separator, Line line) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t at = one.find(separator);
        if (at != std::string_view::npos)
            line(trimmed(one.substr(0, at)), trimmed(one.substr(at + 1)));
    }
}

struct Processors {
    std::int64_t count = 0;
    std::int64_t mega_hertz = 0;  ///< of the fastest
    std::string model;
};

/// Speeds in cpuinfo are of this moment; cpufreq, where it is there, tells what a core can do.
Processors processors_of(const Readings& readings) {
    Processors out;
    each_line(readings.cpu_info, ':', [&](std::string_view name, std::string_view value) {
        if (name == "processor") ++out.count;
        if (name == "model name" && out.model.empty()) out.model = value;
        if (name == "cpu MHz")
            out.mega_hertz = std::max(
                out.mega_hertz, static_cast<std::int64_t>(std::atof(std::string(value).c_str())));
    });
    out.count = std::max<std::int64_t>(out.count, 1);
    if (readings.max_kilohertz >= 1'000)
        out.mega_hertz = static_cast<std::int64_t>(readings.max_kilohertz / 1'000);
    if (out.mega_hertz <= 0) out.mega_hertz = kUnknownMegaHertz;
    return out;
}

std::uint64_t total_memory(const Readings& readings) {
    std::uint64_t kilobytes = 0;
    each_line(readings.memory_info, ':', [&](std::string_view name, std::string_view value) {
        if (name == "MemTotal")
            std::from_chars(value.data(), value.data() + value.size(), kilobytes);
    });
    return kilobytes * 1'024;
}

/// Go's names, which Nomad's attributes use.
std::string architecture_of(const std::string& machine) {
    if (machine == "x86_64") return "amd64";
    if (machine == "aarch64") return "arm64";
    if (machine.starts_with("armv")) return "arm";
    if (machine == "i686" || machine == "i386") return "386";
    return machine;
}

std::string lower_case(std::string text) {
    for (char& letter : text)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return text;
}

}  // namespace

Result<Fingerprint> fingerprint_of(const Readings& readings) {
    const auto boot = parse_id<BootId>(trimmed(readings.boot_id));
    if (!boot)
        return {Errc::corrupt, "read this machine's boot id: \"" + readings.boot_id +
                                   "\" is no UUID; /proc/sys/kernel/random/boot_id must be there"};
    const Processors processors = processors_of(readings);
    const std::uint64_t memory = total_memory(readings);
    Fingerprint out{.host_name = readings.host_name, .boot = *boot, .total = {}, .attributes = {}};
    out.total = {.cpu = {processors.count * processors.mega_hertz},
                 .memory = {static_cast<std::int64_t>(memory / kMegaByte)},
                 .disk = {static_cast<std::int64_t>(readings.disk_free_bytes / kMegaByte)},
                 .cores = processors.count};
    auto& names = out.attributes;
    const std::string architecture = architecture_of(readings.machine);
    names["arch"] = names["cpu.arch"] = names["kernel.arch"] = architecture;
    names["cpu.numcores"] = std::to_string(processors.count);
    names["cpu.frequency"] = std::to_string(processors.mega_hertz);
    names["cpu.totalcompute"] = std::to_string(out.total.cpu.value);
    names["cpu.modelname"] = processors.model;
    names["kernel.name"] = lower_case(readings.kernel);
    names["kernel.version"] = readings.kernel_release;
    names["kernel.landlock"] =
        readings.landlock > 0 ? "v" + std::to_string(readings.landlock) : "unavailable";
    names["memory.totalbytes"] = std::to_string(memory);
    names["nomad.version"] = kNomadVersion;
    names["gaggle.version"] = GAGGLE_VERSION;
    names["unique.hostname"] = readings.host_name;
    names["unique.storage.bytesfree"] = std::to_string(readings.disk_free_bytes);
    names["unique.storage.bytestotal"] = std::to_string(readings.disk_bytes);
    const allocrunner::Cgroups groups = allocrunner::cgroups_in(readings.mount_info);
    if (groups.any())  // the first is Nomad's name until 1.7, the second its name since
        names["unique.cgroup.version"] = names["os.cgroups.version"] = groups.v2 ? "2" : "1";
    each_line(readings.os_release, '=', [&](std::string_view name, std::string_view value) {
        if (name == "ID") names["os.name"] = value;
        if (name == "VERSION_ID") names["os.version"] = value;
    });
    std::erase_if(names, [](const auto& name_and_value) { return name_and_value.second.empty(); });
    return out;
}

}  // namespace gaggle::agent
