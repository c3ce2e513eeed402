// gctl-fetch: fetches one artifact for a task, and ends.
//
// The agent starts it with an order on its standard input and reads lines from its standard output
// (fetch_order.h). It is a program of its own so that a server's bytes and an archive's tricks meet
// a process that can be killed at any moment and may write beneath one directory only
// (docs/decisions/0013).
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "allocrunner/setup/fetch/fetch.h"
#include "allocrunner/setup/fetch/sandbox.h"
#include "base/wire.h"

namespace gaggle::setup {
namespace {

constexpr auto kSayEvery = std::chrono::seconds(1);
constexpr std::size_t kOrderMax = 4U << 20U;

Bytes read_order() {
    Bytes out;
    std::uint8_t part[4096];
    for (ssize_t got = 0; (got = read(STDIN_FILENO, part, sizeof part)) > 0;)
        if (out.size() < kOrderMax) out.insert(out.end(), part, part + got);
    return out;
}

/// One line; what would break it becomes a blank.
void say(const std::string& head, std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    printf("%s%s\n", head.c_str(), text.c_str());
    fflush(stdout);
}

Result<std::string> carry_out() {
    const auto order =
        TRY(decode<FetchOrder>(read_order(), "order to gctl-fetch", {.bytes = kOrderMax}));
    const bool shut_in = TRY(enter_sandbox(order.root, order.bytes_max));
    auto last = std::chrono::steady_clock::now();
    const std::string fetched = TRY(fetch(order, [&](std::int64_t bytes, std::int64_t of) {
        const auto now = std::chrono::steady_clock::now();
        if (now - last < kSayEvery) return;
        last = now;
        say("progress " + std::to_string(bytes) + " " + std::to_string(of), "");
    }));
    return shut_in ? fetched : fetched + "; without Landlock, which this kernel has not";
}

}  // namespace
}  // namespace gaggle::setup

int main(int argc, char**) {
    if (argc > 1 || isatty(STDIN_FILENO) != 0) {
        fprintf(stderr,
                "gctl-fetch is started by gctl agent, once per artifact; it does nothing "
                "alone.\n");
        return 2;
    }
    umask(022);                      // whatever the agent's is: other users run tasks
    const auto done = gaggle::setup::carry_out();
    if (done.ok()) {
        gaggle::setup::say("done ", *done);
        return 0;
    }
    const bool passes = gaggle::setup::may_pass(done.error());
    gaggle::setup::say(passes ? "failed 1 " : "failed 0 ", done.error().detail);
    return 1;
}
