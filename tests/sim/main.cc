// gctl-sim: a whole region in virtual time, attacked.
//
//     gctl-sim --peers 50 --seed 7            one life; prints what happened and the trace hash
//     gctl-sim --seeds 1-200 --peers 5-50     many lives, sizes drawn from the seed
//     gctl-sim --seed 7 --trace               every line as it happens
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/log.h"
#include "tests/sim/run.h"

namespace {

using namespace gaggle;

struct Range {
    std::uint64_t first = 0, last = 0;
};

Range range_of(const std::string& text) {
    const auto dash = text.find('-');
    const std::uint64_t first = std::stoull(text.substr(0, dash));
    return {first, dash == std::string::npos ? first : std::stoull(text.substr(dash + 1))};
}

struct Arguments {
    Range seeds{1, 1}, peers{5, 5};
    double minutes = 0;  ///< more seeds after the last until that much real time is over
    bool twice = false;  ///< run each seed twice and compare
    sim::Options options;
};

[[noreturn]] void usage() {
    std::puts(
        "gctl-sim [--peers N|A-B] [--seed S | --seeds A-B] [--minutes M] [--seconds T] [--twice] "
        "[--trace]\n"
        "         [--no-kills] [--no-reboots] [--no-cuts] [--no-loss]\n"
        "Example: gctl-sim --peers 50 --seed 7");
    std::exit(2);
}

Arguments parse(int argc, char** argv) {
    Arguments out;
    for (int at = 1; at < argc; ++at) {
        const std::string name = argv[at];
        const auto value = [&]() -> std::string {
            if (++at == argc) usage();
            return argv[at];
        };
        if (name == "--peers")
            out.peers = range_of(value());
        else if (name == "--seed" || name == "--seeds")
            out.seeds = range_of(value());
        else if (name == "--minutes")
            out.minutes = std::stod(value());
        else if (name == "--seconds")
            out.options.trouble = std::chrono::seconds(std::stoll(value()));
        else if (name == "--twice")
            out.twice = true;
        else if (name == "--trace")
            out.options.trace = true;
        else if (name == "--no-kills")
            out.options.kills = false;
        else if (name == "--no-reboots")
            out.options.reboots = false;
        else if (name == "--no-cuts")
            out.options.cuts = false;
        else if (name == "--no-loss")
            out.options.loss = false;
        else
            usage();
    }
    return out;
}

/// For the line that a broken invariant leaves behind.
char under_way[160];

void on_abort(int) {
    (void)!write(STDOUT_FILENO, under_way, std::strlen(under_way));
    std::_Exit(134);
}

bool live(const Arguments& arguments, std::uint64_t seed) {
    sim::Options options = arguments.options;
    options.seed = seed;
    Rng size(seed * 7919);
    options.peers =
        arguments.peers.first + size.below(arguments.peers.last - arguments.peers.first + 1);
    std::snprintf(under_way, sizeof under_way,
                  "FAILED seed %llu peers %zu: an invariant broke\nagain with: gctl-sim --peers "
                  "%zu --seed %llu --trace\n",
                  static_cast<unsigned long long>(seed), options.peers, options.peers,
                  static_cast<unsigned long long>(seed));
    const auto began = std::chrono::steady_clock::now();
    const sim::Outcome outcome = sim::run(options);
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (outcome.failure) {
        for (const std::string& line : outcome.last) std::printf("%s\n", line.c_str());
        std::printf("FAILED seed %llu peers %zu: %s\n", static_cast<unsigned long long>(seed),
                    options.peers, outcome.failure->c_str());
        std::printf("again with: gctl-sim --peers %zu --seed %llu --trace\n", options.peers,
                    static_cast<unsigned long long>(seed));
        return false;
    }
    std::printf(
        "ok seed %llu peers %zu: log %llu, %llu jobs (%llu refused), %llu kills, %llu reboots, "
        "%llu cuts, "
        "at rest after %s; %llu events in %.1f s; trace %016llx\n",
        static_cast<unsigned long long>(seed), options.peers,
        static_cast<unsigned long long>(outcome.log.value),
        static_cast<unsigned long long>(outcome.jobs),
        static_cast<unsigned long long>(outcome.refused),
        static_cast<unsigned long long>(outcome.kills),
        static_cast<unsigned long long>(outcome.reboots),
        static_cast<unsigned long long>(outcome.cuts), for_people(outcome.recovered).c_str(),
        static_cast<unsigned long long>(outcome.events), took,
        static_cast<unsigned long long>(outcome.trace));
    std::fflush(stdout);
    if (arguments.twice && sim::run(options).trace != outcome.trace) {
        std::printf("FAILED seed %llu: a second run left another trace\n",
                    static_cast<unsigned long long>(seed));
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    log::set_level(log::Level::off);
    const Arguments arguments = parse(argc, argv);
    std::signal(SIGABRT, on_abort);
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t passed = 0;
    for (std::uint64_t seed = arguments.seeds.first;; ++seed) {
        const double minutes =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() / 60;
        if (seed > arguments.seeds.last && minutes >= arguments.minutes) break;
        if (!live(arguments, seed)) return 1;
        ++passed;
    }
    std::printf("%llu passed, 0 failed\n", static_cast<unsigned long long>(passed));
    return 0;
}
