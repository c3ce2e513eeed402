#include "placement/jobspec/signals.h"

#include <csignal>
#include <utility>

namespace gaggle {

namespace {

constexpr std::pair<std::string_view, int> kSignals[] = {
    {"SIGABRT", SIGABRT},   {"SIGALRM", SIGALRM}, {"SIGBUS", SIGBUS},   {"SIGCHLD", SIGCHLD},
    {"SIGCONT", SIGCONT},   {"SIGFPE", SIGFPE},   {"SIGHUP", SIGHUP},   {"SIGILL", SIGILL},
    {"SIGINT", SIGINT},     {"SIGIO", SIGIO},     {"SIGIOT", SIGABRT},  {"SIGKILL", SIGKILL},
    {"SIGPIPE", SIGPIPE},   {"SIGPROF", SIGPROF}, {"SIGPWR", SIGPWR},   {"SIGQUIT", SIGQUIT},
    {"SIGSEGV", SIGSEGV},   {"SIGSTOP", SIGSTOP}, {"SIGSYS", SIGSYS},   {"SIGTERM", SIGTERM},
    {"SIGTRAP", SIGTRAP},   {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN}, {"SIGTTOU", SIGTTOU},
    {"SIGURG", SIGURG},     {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGVTALRM", SIGVTALRM},
    {"SIGWINCH", SIGWINCH}, {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ},
};

}  // namespace

std::optional<std::int64_t> signal_number(std::string_view name) {
    for (const auto& [known, number] : kSignals)
        if (name == known) return number;
    return std::nullopt;
}

std::vector<std::string> signal_names() {
    std::vector<std::string> out;
    for (const auto& [name, number] : kSignals) out.emplace_back(name);
    return out;
}

}  // namespace gaggle
