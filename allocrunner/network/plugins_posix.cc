#include <algorithm>
#include <chrono>

#include "allocrunner/network/cni_result.h"
#include "allocrunner/network/plugins.h"
#include "allocrunner/network/program.h"
#include "base/names_in.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kAskAllFor = 2s;
constexpr std::size_t kFilesAskedMax = 64;

Error no_plugin(const NetworkSettings& settings, const std::string& type) {
    return {Errc::not_found, "find CNI plugin " + type + ": it is not in " + settings.cni_path +
                                 "; install Debian's containernetworking-plugins, or give the "
                                 "plugins' folder with --cni-path"};
}

std::vector<std::string> folders_of(const std::string& path) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t colon = std::min(path.find(':', at), path.size());
        if (colon > at) out.push_back(path.substr(at, colon - at));
        at = colon + 1;
    }
    return out;
}

/// Names of the files in the folders, each once, sorted.
std::vector<std::string> files_in(const std::string& path) {
    std::vector<std::string> out;
    for (const std::string& folder : folders_of(path)) {
        const Result<std::vector<std::string>> names = names_in(folder);
        if (!names) continue;
        for (const std::string& name : *names)
            if (out.size() < kFilesAskedMax) out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::string last_word(std::string_view line) {
    const std::size_t at = line.find_last_of(' ');
    return std::string(at == std::string_view::npos ? line : line.substr(at + 1));
}

}  // namespace

Result<std::string> find_plugin(const NetworkSettings& settings, const std::string& type) {
    Result<std::string> found = find_in_path(type, settings.cni_path);
    if (!found.ok()) return no_plugin(settings, type);
    return found;
}

CniRunner plugin_runner(const NetworkSettings& settings, const PluginSubject& subject,
                        const std::string& network) {
    return [settings, subject, network](const CniCall& call) -> Result<std::string> {
        const std::string program = TRY(find_plugin(settings, call.type));
        const ProgramEnd end = TRY(run_program({.argv = {program},
                                                .env = {{"CNI_COMMAND", call.command},
                                                        {"CNI_CONTAINERID", subject.alloc},
                                                        {"CNI_NETNS", subject.netns},
                                                        {"CNI_IFNAME", "eth0"},
                                                        {"CNI_ARGS", "IgnoreUnknown=true"},
                                                        {"CNI_PATH", settings.cni_path}},
                                                .input = call.input,
                                                .timeout = settings.plugin_timeout}));
        if (end.ok()) return end.out;
        const std::string said = cni_complaint(end.out, end.err);
        return {end.timed_out ? Errc::timeout : Errc::io,
                "CNI plugin " + program + " (" + call.command + ") of network \"" + network +
                    "\" " + describe(end, settings.plugin_timeout) +
                    (said.empty() ? "" : ": " + said)};
    };
}

std::string version_in(std::string_view about) {
    const std::string first = last_word(about.substr(0, about.find('\n')));
    if (first.starts_with("v") && first.find('.') != std::string::npos) return first;
    const std::size_t protocols = about.find("protocol versions supported:");
    if (protocols == std::string_view::npos) return "";
    const std::string_view line = about.substr(protocols);
    return last_word(line.substr(0, line.find('\n')));
}

std::map<std::string, std::string> plugin_versions(const NetworkSettings& settings) {
    std::map<std::string, std::string> out;
    const auto deadline = std::chrono::steady_clock::now() + kAskAllFor;
    for (const std::string& type : files_in(settings.cni_path)) {
        const auto left =
            std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
        if (left <= 0s) break;
        const auto program = find_in_path(type, settings.cni_path);
        if (!program.ok()) continue;
        const auto end = run_program({.argv = {*program}, .env = {}, .input = {}, .timeout = left});
        if (!end.ok() || end->timed_out) continue;
        const std::string version = version_in(end->err.empty() ? end->out : end->err);
        if (!version.empty()) out[type] = version;
    }
    return out;
}

}  // namespace gaggle::allocrunner
