#include <malloc.h>
#include <signal.h>

#include <cstdio>
#include <optional>

#include "gctl/agent/agent.h"
#include "gctl/agent/home.h"
#include "gctl/agent/loop.h"
#include "gctl/agent/peer.h"

namespace gaggle {

namespace {

constexpr Duration kFarewell = 100ms;    ///< for the last frames to leave
constexpr Duration kTasksStopMax = 30s;  ///< then a --dev agent kills those that are left

/// Threads of ours allocate little, and an arena for each would cost more than it saves.
void prepare_process() {
    ::signal(SIGPIPE, SIG_IGN);
    ::mallopt(M_ARENA_MAX, 2);
}

void greet(const agent::Home& home, const agent::Peer& peer) {
    const Listen& listen = home.cluster.listen;
    const std::string address = "http://" + peer.http_address();
    const std::string temporary = home.temporary ? " (removed at the end)" : "";
    std::printf("Gaggle " GAGGLE_VERSION
                ", one peer with a region of its own (--dev)\n\n"
                "  peer    %s (%s)\n  region  %s, datacenter %s\n  HTTP    %s\n"
                "  peers   %s, ports %d to %d\n  data    %s%s\n\n"
                "For gctl and nomad in another shell:\n\n"
                "  export NOMAD_ADDR=%s\n  export NOMAD_TOKEN=%s\n\n"
                "Ctrl-C ends it together with its tasks.\n",
                home.cluster.name.c_str(), to_string(peer.id()).c_str(),
                home.cluster.region_name.c_str(), home.cluster.datacenter.c_str(), address.c_str(),
                listen.bind.c_str(), listen.port, listen.port + 2, home.data_dir.c_str(),
                temporary.c_str(), address.c_str(), peer.token().c_str());
    std::fflush(stdout);
}

/// What SIGTERM and SIGINT do. A second one does not wait for what the first began.
class Ending {
  public:
    Ending(bool dev, agent::EventLoop& loop, agent::Peer& peer)
        : dev_(dev), loop_(loop), peer_(peer) {}

    void on_signal(int signal) {
        const char* name = signal == SIGINT ? "SIGINT" : "SIGTERM";
        if (std::exchange(begun_, true)) return loop_.stop();
        if (dev_) {
            log::info("{}: this agent ends, and its tasks with it", name);
            peer_.stop_tasks([this] { loop_.stop(); });
            loop_.after(kTasksStopMax, [this] { loop_.stop(); });
        } else {
            log::info("{}: this agent ends; its tasks run on", name);
            peer_.restarting();
            loop_.after(kFarewell, [this] { loop_.stop(); });
        }
    }

  private:
    bool dev_;
    bool begun_ = false;
    agent::EventLoop& loop_;
    agent::Peer& peer_;
};

Result<void> run_in(const agent::Home& home, const AgentOptions& options) {
    agent::EventLoop loop;
    std::optional<Error> failed;
    const auto peer = TRY(agent::Peer::open(options, home, loop, [&](const Error& error) {
        failed = error;
        loop.stop();
    }));
    Ending ending(options.dev, loop, *peer);
    loop.on_end_signal([&](int signal) { ending.on_signal(signal); });
    if (options.dev) greet(home, *peer);
    log::info("peer {} ({}) of region {} is up: HTTP on {}, peers on {} ports {} to {}",
              home.cluster.name, short_text(peer->id()), home.cluster.region_name,
              peer->http_address(), home.cluster.listen.bind, home.cluster.listen.port,
              home.cluster.listen.port + 2);
    loop.run();
    if (options.dev) peer->kill_tasks();
    peer->close();
    if (failed) return *failed;
    return {};
}

Result<void> run(const AgentOptions& options) {
    const agent::Home home = TRY(agent::home_for(options));
    const Result<void> ended = run_in(home, options);
    agent::leave(home);
    return ended;
}

}  // namespace

int run_agent(const AgentOptions& options) {
    prepare_process();
    log::set_level(options.log_level);
    const Result<void> ended = run(options);
    if (ended.ok()) return 0;
    std::fprintf(stderr, "Error: %s\n", ended.error().detail.c_str());
    return 1;
}

}  // namespace gaggle
