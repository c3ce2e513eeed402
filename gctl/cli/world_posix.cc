#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>

#include "gctl/cli/world.h"

namespace gaggle::cli {

namespace {

constexpr std::size_t kFileBytesMax = 16U << 20U;

Result<std::string> read_all(std::istream& in, const std::string& path) {
    std::string text(kFileBytesMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kFileBytesMax)
        return Error{Errc::invalid, "read " + path + ": it is larger than 16 MiB"};
    text.shrink_to_fit();
    return text;
}

Result<std::string> read_file(const std::string& path) {
    if (path == "-") return read_all(std::cin, "standard input");
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{Errc::not_found, "read " + path + ": " + std::strerror(errno)};
    if (in.peek(); in.bad()) return Error{Errc::invalid, "read " + path + ": it is no plain file"};
    in.clear();
    return read_all(in, path);
}

/// Nobody reads on, which is the reader's business; or what was to be kept could not be.
[[noreturn]] void give_up(int fd, int why) {
    if (fd == STDOUT_FILENO && why != EPIPE) {
        const std::string text = "Error: write to standard output: " +
                                 std::string(std::strerror(why)) + "; it is not complete\n";
        [[maybe_unused]] const ssize_t written =
            ::write(STDERR_FILENO, text.data(), text.size());
    }
    std::_Exit(1);
}

void write_fd(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) give_up(fd, errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string ask_terminal(const std::string& question) {
    write_err(question);
    std::string answer;
    std::getline(std::cin, answer);
    return answer;
}

std::string data_dir_of(const World& world) {
    if (::geteuid() == 0) return "/var/lib/gaggle";
    const std::string data = world.variable({"XDG_DATA_HOME"});
    return data.empty() ? world.variable({"HOME"}) + "/.local/share/gaggle" : data + "/gaggle";
}

}  // namespace

World real_world() {
    World out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view pair(*entry);
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        out.environment[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
    }
    out.now = [] {
        timespec at{};
        ::clock_gettime(CLOCK_REALTIME, &at);
        return WallTime{at.tv_sec * 1'000'000'000LL + at.tv_nsec};
    };
    out.pause = [](Duration span) { ::usleep(static_cast<useconds_t>(span.count())); };
    out.read_file = read_file;
    if (::isatty(STDIN_FILENO) == 1) out.ask = ask_terminal;
    out.terminal = ::isatty(STDOUT_FILENO) == 1;
    out.default_data_dir = data_dir_of(out);
    return out;
}

void write_out(std::string_view text) { write_fd(STDOUT_FILENO, text); }
void write_err(std::string_view text) { write_fd(STDERR_FILENO, text); }

}  // namespace gaggle::cli
