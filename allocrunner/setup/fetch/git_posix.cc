#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "allocrunner/setup/fetch/git.h"
#include "base/bytes.h"
#include "base/unique_fd.h"

namespace gaggle::setup {

namespace {

constexpr std::size_t kWordsMax = 2000;  // of what git says when it fails

/// Runs git to its end; Errc::unavailable with the end of what it said.
Result<void> run_git(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment, int folder) {
    std::vector<const char*> argv{"git"}, envp;
    for (const std::string& one : arguments) argv.push_back(one.c_str());
    for (const std::string& one : environment) envp.push_back(one.c_str());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return {Errc::io, std::string("run git: ") + strerror(errno)};
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    const pid_t pid = fork();
    if (pid < 0) return {Errc::io, std::string("run git: ") + strerror(errno)};
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int nothing = open("/dev/null", O_RDWR);
        if (fchdir(folder) != 0 || dup2(nothing, STDIN_FILENO) < 0 ||
            dup2(theirs.get(), STDOUT_FILENO) < 0 || dup2(theirs.get(), STDERR_FILENO) < 0)
            _exit(126);
        execvpe("git", const_cast<char**>(argv.data()), const_cast<char**>(envp.data()));
        _exit(127);
    }
    theirs.reset();
    std::string said;
    char part[1024];
    for (ssize_t got = 0;
         (got = read(ours.get(), part, sizeof part)) > 0 || (got < 0 && errno == EINTR);) {
        if (got < 0) continue;
        said.append(part, static_cast<std::size_t>(got));
        if (said.size() > kWordsMax) said.erase(0, said.size() - kWordsMax);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return {Errc::invalid, "run git: it is not installed on this machine (package git)"};
    while (!said.empty() && said.back() == '\n') said.pop_back();
    for (char& c : said)
        if (c == '\n') c = ' ';
    return {Errc::unavailable, "git: " + said};
}

Result<std::string> write_key(const std::string& key, const std::string& home) {
    const auto bytes = from_base64(key);
    if (!bytes) return Error{Errc::invalid, "sshkey is not the base64 text of a private key"};
    const std::string path = home + "/key";
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const auto size = static_cast<ssize_t>(bytes->size());
    if (!fd || write(fd.get(), bytes->data(), bytes->size()) != size)
        return Error{Errc::io, "write " + path + ": " + std::strerror(errno)};
    return path;
}

bool is_commit(const std::string& ref) {
    return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::string ssh_command(const SshSource& source) {
    // ssh asks the system, and not $HOME, for its user's home: nothing of that is to be used.
    return "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none"
           " -o StrictHostKeyChecking=accept-new -o ServerAliveCountMax=1 -o ConnectTimeout=" +
           source.stall + " -o ServerAliveInterval=" + source.stall + " -o 'IdentityFile=\"" +
           source.key_file + "\"' -o 'UserKnownHostsFile=\"" + source.home + "/known_hosts\"'";
}

Result<void> clone(const GitSource& source, int parent, const std::string& name,
                   const std::string& home) {
    std::vector<std::string> environment{"HOME=" + home,
                                         "GIT_TERMINAL_PROMPT=0",
                                         "GIT_CONFIG_NOSYSTEM=1",
                                         "GIT_ASKPASS=/bin/false",
                                         "PATH=/usr/local/bin:/usr/bin:/bin",
                                         "LC_ALL=C"};
    const std::string stall = std::to_string(std::max<std::int64_t>(
        1, std::chrono::duration_cast<std::chrono::seconds>(source.stall).count()));
    const std::string key =
        source.ssh_key.empty() ? std::string("none") : TRY(write_key(source.ssh_key, home));
    environment.push_back("GIT_SSH_COMMAND=" +
                          ssh_command({.key_file = key, .home = home, .stall = stall}));
    // No hook runs, no program is started for an address, nothing links out of the work tree.
    std::vector<std::string> call{
        "-c", "core.hooksPath=/dev/null",  "-c", "protocol.ext.allow=never",
        "-c", "protocol.file.allow=never", "-c", "advice.detachedHead=false",
        "-c", "http.lowSpeedLimit=1",      "-c", "http.lowSpeedTime=" + stall};
    const auto with = [&](std::initializer_list<std::string> more) {
        std::vector<std::string> out = call;
        out.insert(out.end(), more);
        return out;
    };
    std::vector<std::string> cloning = with({"clone", "--quiet", "--no-hardlinks"});
    if (source.depth > 0) cloning.push_back("--depth=" + std::to_string(source.depth));
    const bool by_commit = is_commit(source.ref);
    if (!source.ref.empty() && !by_commit) cloning.push_back("--branch=" + source.ref);
    cloning.insert(cloning.end(), {"--", source.url, name});
    TRY(run_git(cloning, environment, parent));
    if (!by_commit) return {};
    call.insert(call.end(), {"-C", name});
    if (source.depth > 0)
        TRY(run_git(with({"fetch", "--quiet", "--depth=" + std::to_string(source.depth), "origin",
                          source.ref}),
                    environment, parent));
    return run_git(with({"checkout", "--quiet", "--detach", source.ref}), environment, parent);
}

}  // namespace gaggle::setup
