// One real peer: the node, and the world that carries out what it asks for.
//
// The counterpart of tests/sim/peer.h, for the same node: there a virtual clock and fakes, here
// sockets, a disk, processes and HTTP. The node is touched on the loop's thread alone. Everything
// else has a thread of its own and answers through one inbox: "zeromq" (peer sockets), "disk" (the
// store), "copies" (of allocation directories), "local" and "figures" (looking inside allocations,
// measuring them) and "exec" (commands inside tasks), "drivers" (their health), "http" and "api"
// (the HTTP API), "dns" (names of services; it asks the catalogue alone), and those of LocalTasks:
// four "tasks", "setup", "scripts", "states", "links" and "usage". What each queue holds at most is
// said in its own header.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "allocrunner/local_tasks.h"
#include "allocrunner/replica/worker_posix.h"
#include "gctl/agent/api.h"
#include "gctl/agent/disk_thread.h"
#include "gctl/agent/dns_server.h"
#include "gctl/agent/driver_watch.h"
#include "gctl/agent/exec_worker.h"
#include "gctl/agent/home.h"
#include "gctl/agent/http.h"
#include "gctl/agent/inbox.h"
#include "gctl/agent/local_worker.h"
#include "gctl/agent/loop.h"
#include "gctl/agent/shared_services.h"
#include "gctl/agent/startup.h"
#include "gctl/agent/token_file.h"
#include "gctl/node/node.h"

namespace gaggle::agent {

class Peer {
  public:
    /// Opens all of it in the order in which a mistake is told best, adopts the tasks that are
    /// alive, and takes the first step; then the loop must run. `fatal` is called on the loop's
    /// thread when this process must end. The loop must outlive the peer.
    static Result<std::unique_ptr<Peer>> open(const AgentOptions& options, const Home& home,
                                              EventLoop& loop,
                                              std::function<void(const Error&)> fatal);
    ~Peer();  ///< as close()
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    PeerId id() const { return startup_.identity.id(); }
    const std::string& http_address() const { return startup_.http_address; }
    const std::string& token() const { return token_; }

    // On the loop's thread:

    /// Lets the others know that this agent means to come back.
    void restarting();
    /// Stops every task by its kill signal and timeout; `stopped` when none is left. From here on
    /// the peer hears of nothing else any more.
    void stop_tasks(std::function<void()> stopped);
    /// At once, for those that do not stop.
    void kill_tasks();

    /// Ends all threads; what was handed to the disk and to the tasks' workers is finished. The
    /// tasks run on.
    void close();

  private:
    Peer(EventLoop& loop, std::function<void(const Error&)> fatal);

    // --- opening (peer_open.cc)
    Result<store::Loaded> open_store(const std::string& data_dir);
    Result<void> open_http(const std::string& data_dir);
    Result<void> open_dns();
    Result<void> open_tasks(const std::string& data_dir);
    Result<void> open_sockets();
    PeerHandlers socket_handlers();
    void begin(store::Loaded loaded);

    // --- running (peer.cc)
    void drain();
    void feed(const node::Input& input);
    void set_alarm();
    void act(node::Effects effects);
    void services_changed(std::vector<node::ServicesOf> news);
    void test_connect(const PeerId& peer);

    EventLoop& loop_;
    std::function<void(const Error&)> fatal_;
    Startup startup_;
    std::string token_;
    std::optional<PublishedToken> published_;
    Inbox inbox_;
    std::unique_ptr<store::Store> store_;  ///< until the disk thread has it
    std::unique_ptr<Api> api_;
    std::unique_ptr<HttpServer> http_;
    SharedServices services_;  ///< outlives those who look
    std::unique_ptr<DnsServer> dns_;
    std::unique_ptr<replica::CopyWorker> copies_;  ///< outlives `tasks_`, which restores through it
    std::unique_ptr<allocrunner::LocalTasks> tasks_;
    std::unique_ptr<PeerSockets> sockets_;
    std::unique_ptr<LocalWorker> local_;
    std::unique_ptr<ExecWorker> exec_;
    std::unique_ptr<DriverWatch> drivers_;  ///< uses those of `tasks_`
    std::unique_ptr<DiskThread> disk_;
    std::unique_ptr<node::Node> node_;
    TimePoint alarm_at_ = TimePoint::max();
    std::function<void()> stopped_;  ///< set: the tasks are being stopped
};

}  // namespace gaggle::agent
