// gctl-sim: a whole region in virtual time, attacked.
//
//     gctl-sim --peers 50 --seed 7            one life; prints what happened and the trace hash
//     gctl-sim --seeds 1-200 --peers 5-50     many lives, sizes drawn from the seed
//     gctl-sim --seed 7 --trace               every line as it happens
//     gctl-sim --seed 7 --every-rare          with all that otherwise comes in few seeds only
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/log.h"
#include "tests/sim/lines.h"
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
        "         [--FAULT | --no-FAULT ...] of kills reboots cuts loss, and in some seeds only:\n"
        "         outages losses expulsions disks; [--every-rare] these in every seed\n"
        "         and with [--commands] signals to tasks and restarts\n"
        "Example: gctl-sim --peers 50 --seed 7");
    std::exit(2);
}

/// What can be switched: --NAME turns it on, --no-NAME off.
struct Switch {
    const char* name;
    bool sim::Faults::*fault;
};
constexpr Switch kSwitches[] = {
    {"kills", &sim::Faults::kills},
    {"reboots", &sim::Faults::reboots},
    {"cuts", &sim::Faults::cuts},
    {"loss", &sim::Faults::loss},
    {"outages", &sim::Faults::outages},
    {"losses", &sim::Faults::losses},
    {"expulsions", &sim::Faults::expulsions},
    {"disks", &sim::Faults::disks},
    {"every-rare", &sim::Faults::every_rare},
    {"commands", &sim::Faults::commands},
};

bool switched(const std::string& option, sim::Faults& faults) {
    for (const Switch& each : kSwitches) {
        const bool on = option == std::string("--") + each.name;
        if (!on && option != std::string("--no-") + each.name) continue;
        faults.*each.fault = on;
        return true;
    }
    return false;
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
        else if (!switched(name, out.options.faults))
            usage();
    }
    return out;
}

/// The command that does exactly this again, with every line.
std::string again(const sim::Options& options) {
    std::string out = "again with: gctl-sim --peers " + std::to_string(options.peers) + " --seed " +
                      std::to_string(options.seed);
    if (options.trouble != sim::Options().trouble)
        out += " --seconds " + std::to_string(options.trouble / 1s);
    for (const Switch& each : kSwitches) {
        const bool on = options.faults.*each.fault;
        if (on != sim::Faults().*each.fault)
            out += (on ? " --" : " --no-") + std::string(each.name);
    }
    return out + " --trace\n";
}

/// For the lines that a broken invariant leaves behind.
char under_way[512];

void on_abort(int) {
    sim::last_lines().write_to(STDOUT_FILENO);
    (void)!write(STDOUT_FILENO, under_way, std::strlen(under_way));
    std::_Exit(134);
}

bool failed(const sim::Options& options, const std::string& why) {
    if (!options.trace) sim::last_lines().write_to(STDOUT_FILENO);
    std::printf("FAILED seed %llu peers %zu: %s\n%s", static_cast<unsigned long long>(options.seed),
                options.peers, why.c_str(), again(options).c_str());
    return false;
}

/// "3 kills", and nothing for what did not happen.
std::string counts(const sim::Tally& tally) {
    std::string out;
    const std::pair<std::uint64_t, const char*> all[] = {
        {tally.kills, "kills"},           {tally.farewells, "of them announced"},
        {tally.reboots, "reboots"},       {tally.cuts, "cuts"},
        {tally.outages, "long outages"},  {tally.losses, "gone for good"},
        {tally.expulsions, "expelled"},   {tally.disks, "bad disks"},
        {tally.voters, "of them voters"}, {tally.replaced, "of them replaced"}};
    for (const auto& [count, name] : all)
        if (count != 0) out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + name;
    return out;
}

bool live(const Arguments& arguments, std::uint64_t seed) {
    sim::Options options = arguments.options;
    options.seed = seed;
    Rng size(seed * 7919);
    options.peers =
        arguments.peers.first + size.below(arguments.peers.last - arguments.peers.first + 1);
    std::snprintf(under_way, sizeof under_way, "FAILED seed %llu peers %zu: an invariant broke\n%s",
                  static_cast<unsigned long long>(seed), options.peers, again(options).c_str());
    const auto began = std::chrono::steady_clock::now();
    const sim::Outcome outcome = sim::run(options);
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (outcome.failure) return failed(options, *outcome.failure);
    std::printf(
        "ok seed %llu peers %zu: log %llu, %llu jobs (%llu refused), %s; at rest after %s; %llu "
        "events in %.1f s; trace %016llx\n",
        static_cast<unsigned long long>(seed), options.peers,
        static_cast<unsigned long long>(outcome.log.value),
        static_cast<unsigned long long>(outcome.jobs),
        static_cast<unsigned long long>(outcome.refused), counts(outcome.tally).c_str(),
        for_people(outcome.recovered).c_str(), static_cast<unsigned long long>(outcome.events),
        took, static_cast<unsigned long long>(outcome.trace));
    if (arguments.twice && sim::run(options).trace != outcome.trace)
        return failed(options, "a second run left another trace");
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    log::set_level(log::Level::off);
    std::setvbuf(stdout, nullptr, _IOLBF, 1U << 16U);  // in order with what a signal handler writes
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
