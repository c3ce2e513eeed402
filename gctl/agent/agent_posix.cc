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
constexpr Duration kTasksStopMax = 30s;  ///< then those that are left are killed

/// Threads of ours allocate little, and an arena for each would cost more than it saves.
void prepare_process() {
    ::signal(SIGPIPE, SIG_IGN);
    ::mallopt(M_ARENA_MAX, 2);
}

void greet(const agent::Home& home, const agent::Peer& peer) {
    const Listen& listen = home.cluster.listen;
    const std::string address = "http://" + peer.http_address();
    const char* temporary = home.temporary ? " (removed at the end)" : "";
    const char* at_the_end = home.temporary
                                 ? "Ctrl-C ends it together with its tasks."
                                 : "Ctrl-C ends it. Its tasks run on, and the next agent with this "
                                   "--data-dir finds them;\n`gctl job stop` ends them.";
    std::printf("Gaggle " GAGGLE_VERSION
                ", one peer with a region of its own (--dev)\n\n"
                "  peer    %s (%s)\n  region  %s, datacenter %s\n  HTTP    %s\n"
                "  peers   %s, ports %d to %d\n  data    %s%s\n\n"
                "For gctl and nomad in another shell:\n\n"
                "  export NOMAD_ADDR=%s\n  export NOMAD_TOKEN=%s\n\n%s\n",
                home.cluster.name.c_str(), to_string(peer.id()).c_str(),
                home.cluster.region_name.c_str(), home.cluster.datacenter.c_str(), address.c_str(),
                listen.bind.c_str(), listen.port, listen.port + 2, home.data_dir.c_str(), temporary,
                address.c_str(), peer.token().c_str(), at_the_end);
    std::fflush(stdout);
}

const char* name_of(int signal) {
    return signal == SIGINT ? "SIGINT" : signal == SIGHUP ? "SIGHUP" : "SIGTERM";
}

/// What signals do. A second one does not wait for what the first began. Signals that come before
/// begin() wait in the loop, so that none leaves a half-opened agent's things behind.
class Ending {
  public:
    Ending(const AgentOptions& options, agent::EventLoop& loop) : dev_(options.dev), loop_(loop) {}

    void listen() {
        loop_.on_signal([this](int signal) { on_signal(signal); });
    }
    /// `tasks_too`: the tasks go with the agent.
    void begin(agent::Peer& peer, bool tasks_too) {
        peer_ = &peer;
        tasks_too_ = tasks_too;
    }

  private:
    /// The terminal of a --dev agent was closed; any other agent has none, and nothing to reload.
    void on_signal(int signal) {
        if (signal == SIGHUP && !dev_) return;
        if (std::exchange(begun_, true)) return loop_.stop();
        if (tasks_too_) {
            log::info("{}: this agent ends, and its tasks with it", name_of(signal));
            peer_->stop_tasks([this] { loop_.stop(); });
            loop_.after(kTasksStopMax, [this] { loop_.stop(); });
        } else {
            log::info("{}: this agent ends; its tasks run on", name_of(signal));
            peer_->restarting();
            loop_.after(kFarewell, [this] { loop_.stop(); });
        }
    }

    bool dev_;
    bool tasks_too_ = false;
    bool begun_ = false;
    agent::EventLoop& loop_;
    agent::Peer* peer_ = nullptr;  ///< set before the loop runs
};

Result<void> run_in(const agent::Home& home, const AgentOptions& options, agent::EventLoop& loop,
                    Ending& ending) {
    std::optional<Error> failed;
    const auto peer = TRY(agent::Peer::open(options, home, loop, [&](const Error& error) {
        failed = error;
        loop.stop();
    }));
    ending.begin(*peer, home.temporary);
    if (options.dev) greet(home, *peer);
    log::info("peer {} ({}) of region {} is up: HTTP on {}, peers on {} ports {} to {}",
              home.cluster.name, short_text(peer->id()), home.cluster.region_name,
              peer->http_address(), home.cluster.listen.bind, home.cluster.listen.port,
              home.cluster.listen.port + 2);
    loop.run();
    if (home.temporary) peer->kill_tasks();
    peer->close();
    if (failed) return *failed;
    return {};
}

Result<void> run(const AgentOptions& options) {
    agent::EventLoop loop;
    Ending ending(options, loop);
    // Founding takes a moment and makes things to clean up; joining may wait for seeds, with
    // nothing made that is not kept, and a signal ends it at once.
    if (options.dev) ending.listen();
    const agent::Home home = TRY(agent::home_for(options));
    if (!options.dev) ending.listen();
    const Result<void> ended = run_in(home, options, loop, ending);
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
