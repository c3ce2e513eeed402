#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "crypto/identity.h"
#include "crypto/secret_file.h"
#include "gctl/agent/cluster.h"
#include "gctl/agent/token_file.h"

namespace gaggle {

namespace {

constexpr std::size_t kTextBytesMax = 64U << 10U;
constexpr std::size_t kTokenFilesMax = 4'096;
constexpr int kPublishTries = 10;

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return "";
    const auto last = text.find_last_not_of(" \t\r\n");
    return text.substr(first, last - first + 1);
}

/// The directories to look in, best first; the first that works is the one to publish in.
std::vector<std::string> directories() {
    std::vector<std::string> out;
    if (::geteuid() == 0) out.emplace_back("/run/gaggle");
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime == '/')
        out.push_back(std::string(runtime) + "/gaggle");
    out.push_back("/tmp/gaggle-" + std::to_string(::geteuid()));
    return out;
}

/// A directory in /tmp may have been made by somebody else, who would then give us his token.
Result<void> check_private(const std::string& path) {
    struct stat about {};
    if (::lstat(path.c_str(), &about) != 0)
        return Error{errno == ENOENT ? Errc::not_found : Errc::io,
                     "look at " + path + ": " + std::strerror(errno)};
    if (!S_ISDIR(about.st_mode) || about.st_uid != ::geteuid() ||
        (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return Error{Errc::denied, path +
                                       " is not a directory that only this user may enter; "
                                       "remove it, or pass the token with --token-file"};
    return {};
}

std::string file_name(const std::string& host, std::uint16_t port) {
    std::string plain = host == "localhost" ? "127.0.0.1" : host;
    std::replace(plain.begin(), plain.end(), '/', '-');
    return "/" + plain + "_" + std::to_string(port) + ".token";
}

/// Whether the file that is open is still the one at that path.
bool is_at(int fd, const std::string& path) {
    struct stat open {};
    struct stat there {};
    return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &there) == 0 &&
           open.st_dev == there.st_dev && open.st_ino == there.st_ino;
}

UniqueFd open_token(const std::string& path) {
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

void remove_stale(const std::string& directory) {
    std::error_code failed;
    std::filesystem::directory_iterator at(directory, failed);
    for (std::size_t looked = 0; !failed && looked < kTokenFilesMax && at != end(at); ++looked) {
        const std::string path = at->path().string();
        at.increment(failed);
        if (!path.ends_with(".token")) continue;
        const UniqueFd file = open_token(path);
        if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_at(file.get(), path))
            ::unlink(path.c_str());
    }
}

/// Written and locked; somebody who tidies up may be between the two, and then it is written again.
Result<UniqueFd> write_locked(const std::string& path, const std::string& text) {
    for (int tries = 0; tries < kPublishTries; ++tries) {
        TRY(write_secret_file(path, as_bytes(text)));
        UniqueFd file = open_token(path);
        if (file && ::flock(file.get(), LOCK_EX) == 0 && is_at(file.get(), path)) return file;
    }
    return Error{Errc::io, "lock " + path + ": it is removed again and again"};
}

Result<std::string> read_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return Error{errno == ENOENT ? Errc::not_found : Errc::denied,
                     "read " + path + ": " + std::strerror(errno)};
    std::string text(kTextBytesMax, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

}  // namespace

Result<std::string> load_or_make_token(const std::string& data_dir) {
    const std::string path = data_dir + "/http-token";
    const auto kept = read_secret_file(path);
    if (!kept.ok() && kept.error().code != Errc::not_found) return kept.error();
    if (kept.ok() && !trimmed(to_text(*kept)).empty()) return trimmed(to_text(*kept));
    const std::string token = to_base64url(random_secret());
    TRY(write_secret_file(path, as_bytes(token + "\n")));
    return token;
}

Result<PublishedToken> PublishedToken::publish(const std::string& host, std::uint16_t port,
                                               const std::string& token) {
    Error last;
    for (const std::string& directory : directories()) {
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
            last = {Errc::io, "create " + directory + ": " + std::strerror(errno)};
            continue;
        }
        const auto ours = check_private(directory);
        if (ours.ok()) remove_stale(directory);
        const std::string path = directory + file_name(host, port);
        auto locked = ours.ok() ? write_locked(path, token + "\n") : Result<UniqueFd>(ours.error());
        if (locked.ok()) return PublishedToken(path, std::move(*locked));
        last = locked.error();
    }
    return within("publish the token for the command line", last);
}

PublishedToken::~PublishedToken() {
    if (locked_ && is_at(locked_.get(), path_)) ::unlink(path_.c_str());
}

Result<std::string> find_token(const std::string& host, std::uint16_t port) {
    Error last{Errc::not_found,
               "no agent of this user published a token for " + host + ":" + std::to_string(port)};
    for (const std::string& directory : directories()) {
        const auto open = check_private(directory);
        if (!open.ok() && open.error().code == Errc::not_found) continue;
        if (!open.ok()) {
            last = open.error();
            continue;
        }
        for (const std::string& name : {host, std::string("0.0.0.0")}) {
            const auto there = read_secret_file(directory + file_name(name, port));
            if (there.ok()) return trimmed(to_text(*there));
            if (there.error().code != Errc::not_found) last = there.error();
        }
    }
    struct stat about {};
    if (::geteuid() != 0 && ::stat("/run/gaggle", &about) == 0 && last.code == Errc::not_found)
        return Error{Errc::denied,
                     "the agent's token is root's (/run/gaggle): use sudo, or pass "
                     "it with --token-file"};
    return last;
}

Result<std::string> read_token_file(const std::string& path) {
    const std::string text = TRY(read_text(path));
    const std::string token = trimmed(text.substr(0, text.find('\n')));
    if (token.empty()) return Error{Errc::invalid, "read " + path + ": it holds no token"};
    return token;
}

Result<std::string> read_invitation_file(const std::string& path) {
    std::string text;
    if (path == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        auto read = read_text(path);
        if (!read.ok()) return within("read the invitation", read.error());
        text = std::move(*read);
    }
    if (trimmed(text).empty())
        return Error{Errc::invalid,
                     "read the invitation " +
                         (path == "-" ? std::string("from standard input") : "in " + path) +
                         ": it is empty; put in it the line that `gctl cluster "
                         "invite` printed"};
    return trimmed(text);
}

}  // namespace gaggle
