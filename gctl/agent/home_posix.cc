#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "allocrunner/setup/secrets.h"
#include "base/log.h"
#include "gctl/agent/home.h"

namespace gaggle::agent {

namespace {

Result<std::string> temporary_directory() {
    const char* set = ::getenv("TMPDIR");
    std::string name =
        std::string(set != nullptr && *set == '/' ? set : "/tmp") + "/gaggle-dev-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
        return Error{Errc::io, "make a temporary data directory " + name + ": " +
                                   std::strerror(errno) + "; say where with --data-dir"};
    return name;
}

Listen listen_of(const AgentOptions& options) {
    const Listen defaults;
    return {.bind = options.bind.value_or(defaults.bind),
            .port = options.port.value_or(defaults.port),
            .advertise = options.advertise.value_or("")};
}

/// A kept --dev directory goes on as it is; an empty one is founded.
Result<ClusterFile> develop(const std::string& data_dir, const AgentOptions& options) {
    auto kept = load_cluster(data_dir);
    if (kept.ok() || kept.error().code != Errc::not_found) return kept;
    const Founded founded = TRY(init_cluster({.data_dir = data_dir,
                                              .region = options.region.value_or("global"),
                                              .datacenter = options.datacenter.value_or("dc1"),
                                              .name = options.name.value_or(""),
                                              .listen = listen_of(options)}));
    return founded.file;
}

Result<ClusterFile> join(const std::string& data_dir, const AgentOptions& options) {
    const std::string invitation = TRY(read_invitation_file(options.invitation_file));
    return join_cluster({.data_dir = data_dir,
                         .invitation = invitation,
                         .datacenter = options.datacenter.value_or(""),
                         .name = options.name.value_or(""),
                         .listen = listen_of(options)});
}

Result<void> check_options(const AgentOptions& options) {
    if (options.dev && !options.invitation_file.empty())
        return {Errc::invalid,
                "--dev is a region of its own and joins none: leave out either --dev "
                "or --invitation-file"};
    if (!options.dev && options.data_dir.empty())
        return {Errc::invalid,
                "--data-dir is missing: say where this peer keeps its data, or try "
                "one out with --dev"};
    if (!options.dev && options.region)
        return {Errc::invalid,
                "--region is for --dev and for `gctl cluster init`: a peer's region "
                "is that of its data directory"};
    return {};
}

Result<ClusterFile> cluster_in(const std::string& data_dir, const AgentOptions& options) {
    if (options.dev) return develop(data_dir, options);
    if (!options.invitation_file.empty()) return join(data_dir, options);
    return load_cluster(data_dir);
}

Result<Home> fill(Home home, const AgentOptions& options) {
    home.cluster = TRY(with_options(TRY(cluster_in(home.data_dir, options)), options));
    return home;
}

}  // namespace

Result<Home> home_for(const AgentOptions& options) {
    TRY(check_options(options));
    Home home{.data_dir = options.data_dir, .cluster = {}, .temporary = options.data_dir.empty()};
    if (home.temporary) home.data_dir = TRY(temporary_directory());
    home.data_dir = std::filesystem::absolute(home.data_dir).lexically_normal().string();
    if (home.data_dir.size() > 1 && home.data_dir.back() == '/') home.data_dir.pop_back();
    auto filled = fill(home, options);
    if (!filled.ok()) leave(home);
    return filled;
}

void leave(const Home& home) {
    if (!home.temporary) return;
    const auto unmounted = setup::unmount_below(home.data_dir);  // of tasks that would not end
    if (!unmounted.ok()) log::warn("{}", unmounted.error().detail);
    std::error_code failed;
    std::filesystem::remove_all(home.data_dir, failed);
    if (failed)
        log::warn("remove the temporary data directory {}: {}", home.data_dir, failed.message());
}

Result<std::string> find_shim() {
    std::error_code failed;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", failed);
    const std::string path = (own.parent_path() / "gctl-shim").string();
    if (!failed && ::access(path.c_str(), X_OK) == 0) return path;
    return {Errc::not_found, "find gctl-shim, which supervises tasks: " + path +
                                 " is no program that may be run; install it beside gctl"};
}

}  // namespace gaggle::agent
