// How a peer is opened. The order is that of the questions an operator has: is this directory mine,
// is it whole, are the ports free; and nothing that others can see happens before the last answer.
#include "allocrunner/agent_environment.h"
#include "allocrunner/inside.h"
#include "allocrunner/network/network_offer.h"
#include "base/log.h"
#include "gctl/agent/clock.h"
#include "gctl/agent/data_directory.h"
#include "gctl/agent/peer.h"
#include "gctl/agent/token_file.h"

namespace gaggle::agent {

namespace {

/// Seeded from the operating system: unlike in the simulator, no two runs shall be alike.
Rng fresh_rng() {
    const Secret secret = random_secret();
    std::uint64_t seed = 0;
    for (std::size_t at = 0; at < sizeof seed; ++at) seed = seed << 8U | secret[at];
    return Rng(seed);
}

Result<Identity> identity_of(const Home& home) {
    const Identity identity = TRY(load_peer_identity(home.data_dir));
    if (identity.id() == gaggle::id_of(home.cluster.certificate)) return identity;
    return {Errc::corrupt, "read the keys in " + home.data_dir +
                               ": they are another peer's than its certificate; these files do "
                               "not belong together, restore the right ones or join anew with an "
                               "empty data directory"};
}

node::Durable durable_from(store::Loaded loaded) {
    node::Durable out;
    out.keys = std::move(loaded.keys);
    if (!loaded.membership) return out;
    if (loaded.amnesia) {
        log::error(
            "this peer's log has forgotten what it acknowledged ({}): it goes on without a "
            "part in the commit group and is to be replaced there",
            *loaded.amnesia);
        out.forgotten = loaded.membership->replica;
        return out;
    }
    out.replica = loaded.membership->replica;
    out.raft = std::move(loaded.raft);
    return out;
}

}  // namespace

Result<std::unique_ptr<Peer>> Peer::open(const AgentOptions& options, const Home& home,
                                         EventLoop& loop, std::function<void(const Error&)> fatal) {
    std::unique_ptr<Peer> peer(new Peer(loop, std::move(fatal)));  // NOLINT: private constructor
    Startup& startup = peer->startup_;
    startup.options = options;
    startup.cluster = home.cluster;
    startup.identity = TRY(identity_of(home));
    startup.http_host = TRY(http_host(options, home.cluster.listen));
    store::Loaded loaded = TRY(peer->open_store(home.data_dir));
    startup.machine = TRY(fingerprint_of(TRY(read_machine(home.data_dir))));
    TRY(allocrunner::check_settings(options.networks));
    startup.networks =
        allocrunner::network_attributes(allocrunner::read_networks(network_settings(startup)));
    TRY(peer->open_sockets());
    TRY(peer->open_http(home.data_dir));
    TRY(peer->open_dns());
    TRY(peer->open_tasks(home.data_dir));
    peer->begin(std::move(loaded));
    return peer;
}

Result<store::Loaded> Peer::open_store(const std::string& data_dir) {
    store_ = TRY(store::Store::open(data_dir));
    store::Loaded loaded = store_->take_loaded();
    const ClusterFile& cluster = startup_.cluster;
    if (!loaded.membership || loaded.membership->region == cluster.region) return loaded;
    return {Errc::corrupt, "open data directory " + data_dir + ": its log belongs to region " +
                               to_string(loaded.membership->region) + ", its cluster file to " +
                               to_string(cluster.region) +
                               "; restore the files that belong together, or join anew with an "
                               "empty data directory"};
}

Result<void> Peer::open_http(const std::string& data_dir) {
    token_ = TRY(load_or_make_token(data_dir));
    api_ =
        std::make_unique<Api>([this](node::ApiRequest request) { inbox_.put(std::move(request)); },
                              [this](std::uint64_t id) { inbox_.put(node::CancelRequest{id}); },
                              ApiInfo{.version = GAGGLE_VERSION,
                                      .region = startup_.cluster.region_name,
                                      .datacenter = startup_.cluster.datacenter,
                                      .name = startup_.cluster.name});
    const std::string& host = startup_.http_host;
    http_ =
        TRY(HttpServer::open({.host = host, .port = startup_.options.http_port, .token = token_},
                             [api = api_.get()](HttpRequest request, Responder responder) {
                                 api->handle(std::move(request), std::move(responder));
                             }));
    startup_.http_address = host_and_port(host, http_->port());
    // Only a convenience for commands on this machine: they also take --token-file.
    auto published = PublishedToken::publish(host, http_->port(), token_);
    if (published.ok())
        published_.emplace(std::move(*published));
    else
        log::warn("{}", published.error().detail);
    return {};
}

/// The place that nobody asked for may be taken; then there is no DNS here, and all else goes on.
Result<void> Peer::open_dns() {
    const auto config = TRY(dns_config(startup_.options, startup_.cluster.listen));
    if (!config) return {};
    auto opened = DnsServer::open(*config, services_, fresh_rng());
    if (!opened.ok()) {
        if (startup_.options.dns) return opened.error();
        log::warn("{}", opened.error().detail);
        return {};
    }
    dns_ = std::move(*opened);
    startup_.dns_address = host_and_port(config->address, dns_->port());
    return {};
}

Result<void> Peer::open_tasks(const std::string& data_dir) {
    if (const auto through = data_directory::let_tasks_through(data_dir); !through.ok())
        log::warn("{}; tasks with another `user` than the agent's cannot start",
                  through.error().detail);
    startup_.alloc_root = data_dir + "/alloc";
    startup_.environment = allocrunner::environment_for_tasks();
    copies_ = TRY(replica::CopyWorker::open(
        {.root = data_dir}, [this](replica::Input input) { inbox_.put(std::move(input)); }));
    allocrunner::LocalTasksConfig config{.alloc_root = startup_.alloc_root,
                                         .shim_path = TRY(find_shim()),
                                         .networks = network_settings(startup_),
                                         .host_ip = startup_.cluster.listen.reached_at()};
    config.drivers = driver_settings(startup_.options);
    config.set_ups.file_artifacts = startup_.options.file_artifacts;
    config.set_ups.seed = fresh_rng().next();
    config.restore_copy = [this](const allocrunner::Order& order, const std::string&) {
        return copies_->restore({.name_space = order.job.name_space,
                                 .job = order.job.id,
                                 .group = order.group.name,
                                 .index = order.index},
                                order.alloc);
    };
    tasks_ = TRY(allocrunner::LocalTasks::open(
        std::move(config), [this](allocrunner::Input input) { inbox_.put(std::move(input)); }));
    startup_.drivers = look_at(tasks_->drivers());
    local_ = std::make_unique<LocalWorker>(
        LocalMachine{.alloc_dir = [tasks = tasks_.get()](
                                      const AllocId& alloc) { return tasks->alloc_dir(alloc); },
                     .disk_use = [tasks = tasks_.get()](
                                     const AllocId& alloc) { return tasks->disk_use(alloc); },
                     .drivers = &tasks_->drivers(),
                     .alloc_root = startup_.alloc_root},
        [this](node::DoneLocally done) { inbox_.put(std::move(done)); });
    exec_ = std::make_unique<ExecWorker>(
        [tasks = tasks_.get()](const AllocId& alloc, const std::string& task,
                               const allocrunner::ExecRequest& request) {
            const allocrunner::TaskLocation at{
                .alloc = to_string(alloc), .alloc_dir = tasks->alloc_dir(alloc), .task = task};
            return allocrunner::exec_inside(tasks->drivers(), at, request);
        },
        [this](node::ExecNews news) { inbox_.put(std::move(news)); });
    return {};
}

PeerHandlers Peer::socket_handlers() {
    return {.deliver =
                [this](Received received) {
                    const std::size_t bytes = received.bytes.size();
                    if (received.channel == Channel::lobby)
                        inbox_.offer(node::Knocked{std::move(received.token.route),
                                                   std::move(received.bytes)},
                                     bytes);
                    else if (received.from)
                        inbox_.offer(node::FrameReceived{*received.from, std::move(received.bytes)},
                                     bytes);
                },
            .link =
                [this](const LinkEvent& event) {
                    if (event.kind == LinkEvent::Kind::closed && event.channel == Channel::control)
                        inbox_.offer(node::LinkClosed{event.peer}, 0);
                },
            .fatal = [this](const Error& error) { loop_.post([this, error] { fatal_(error); }); }};
}

Result<void> Peer::open_sockets() {
    const ClusterFile& cluster = startup_.cluster;
    Keyring keyring(cluster.authority, cluster.region);
    TRY(keyring.admit(cluster.certificate));
    sockets_ = TRY(PeerSockets::open({.identity = startup_.identity,
                                      .keyring = std::move(keyring),
                                      .bind_host = cluster.listen.bind,
                                      .base_port = cluster.listen.port,
                                      .limits = socket_limits()},
                                     socket_handlers()));
    return {};
}

void Peer::begin(store::Loaded loaded) {
    const ClusterFile& cluster = startup_.cluster;
    disk_ = std::make_unique<DiskThread>(
        std::move(store_), cluster.region, cluster.epoch,
        [this](node::Stored stored) { inbox_.put(std::move(stored)); });
    Rng rng = fresh_rng();
    startup_.start = random_id<StartId>(rng);
    node_ = std::make_unique<node::Node>(node_config(startup_), rng.fork());
    allocrunner::Recovered found = tasks_->scan();
    if (!found.allocs.empty())
        log::info("found {} allocations of an earlier agent on this machine", found.allocs.size());
    drivers_ = std::make_unique<DriverWatch>(
        tasks_->drivers(), startup_.drivers, startup_.alloc_root,
        [this](node::DriversFound changed) { inbox_.put(std::move(changed)); });
    act(node_->start(read_clocks(), durable_from(std::move(loaded))));
    feed(replica::Input(copies_->recover()));
    feed(allocrunner::Input{read_clocks().wall, std::move(found)});
    set_alarm();
}

}  // namespace gaggle::agent
