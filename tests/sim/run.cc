#include "tests/sim/run.h"

#include <cstdio>
#include <set>

#include "tests/sim/adversary.h"
#include "tests/sim/commands.h"
#include "tests/sim/lines.h"

namespace gaggle::sim {

namespace {

/// So many events in one second of virtual time are a storm: answers that ask for answers.
constexpr std::uint64_t kStormFor = 20'000, kStormForEach = 4'000;

/// The region, its clients and its adversary.
class Life {
  public:
    explicit Life(const Options& options)
        : options_(options),
          world_(options.seed),
          rng_(world_.rng.fork()),
          commands_(world_, Rng(options.seed), [this](Peer& peer) { adversary_->strike(peer); }) {}

    Outcome live() {
        world_.say = [this](const std::string& line) { say(line); };
        last_lines().clear();
        world_.stepped = [this](std::size_t place) {
            if (!outcome_.failure) outcome_.failure = checks_.after_step(world_, place);
            if (!outcome_.failure) outcome_.failure = commands_.failure();
        };
        world_.began = [this](std::size_t place, const raft::Restored& found) {
            if (!outcome_.failure) outcome_.failure = checks_.began(place, found);
        };
        world_.wrote = [this](std::size_t place, const raft::Persist& write) {
            if (!outcome_.failure) outcome_.failure = checks_.wrote(world_, place, write);
        };
        world_.replied = [this](std::size_t place, const node::ApiReply& reply) {
            replied(place, reply);
        };
        found();
        grow();
        world_.events.in(2s, [this] { client(); });
        if (options_.faults.commands) world_.events.in(4s, [this] { command(); });
        adversary_.emplace(world_, options_, *founding_, rng_.fork(), outcome_.tally);
        adversary_->begin();
        run_until(world_.events.now() + options_.trouble);
        adversary_->rest();
        slow_ = true;
        while (!outcome_.failure && world_.events.now() < adversary_->busy_until())
            run_until(adversary_->busy_until());
        troubled_ = false;
        adversary_->heal();
        const TimePoint calm = world_.events.now();
        while (!outcome_.failure && world_.events.now() < calm + options_.calm) {
            run_until(world_.events.now() + 1s);
            unrest_ = checks_.at_rest(world_);
            if (!unrest_) break;
        }
        if (!outcome_.failure && unrest_)
            outcome_.failure =
                "not at rest " + for_people(options_.calm) + " after the last trouble: " + *unrest_;
        outcome_.obeyed = commands_.obeyed();
        outcome_.restarts = commands_.restarts();
        adversary_->count_replaced();
        outcome_.recovered = world_.events.now() - calm;
        outcome_.trace = world_.events.trace();
        outcome_.events = world_.events.done();
        outcome_.log = checks_.newest();
        return std::move(outcome_);
    }

  private:
    void say(const std::string& line) {
        char stamp[32];
        std::snprintf(stamp, sizeof stamp, "%10.6f ",
                      static_cast<double>(world_.events.now().time_since_epoch().count()) / 1e6);
        world_.events.mark(line);
        last_lines().add(stamp + line);
        if (options_.trace) std::printf("%s%s\n", stamp, line.c_str());
    }

    void run_until(TimePoint end) {
        while (!outcome_.failure && world_.events.step(end)) {
            if (second_ + 1s < world_.events.now()) {
                second_ = world_.events.now();
                before_ = world_.events.done();
            } else if (world_.events.done() - before_ >
                       kStormFor + kStormForEach * options_.peers) {
                outcome_.failure = "a storm: " + std::to_string(world_.events.done() - before_) +
                                   " events within a second";
            }
        }
    }

    SecretSource secrets() {
        return [this] {
            Secret secret{};
            for (auto& byte : secret) byte = static_cast<std::uint8_t>(rng_.next());
            return secret;
        };
    }

    void found() {
        for (std::size_t place = 0; place < options_.peers; ++place) {
            world_.peers.push_back(std::make_unique<Peer>(world_, place, make_identity(secrets())));
            world_.places[world_.peers.back()->id()] = place;
        }
        founding_ = found_cluster(world_.peers.front()->identity(), secrets());
        world_.peers.front()->found(*founding_);
        world_.peers.front()->start();
        run_until(world_.events.now() + 3s);
    }

    /// Newcomers knock at peers that run, some at the same time.
    void grow() {
        InvitationScope scope{
            .region = founding_->region, .region_name = "global", .epoch = Epoch{1}};
        scope.rights = kPeerRights;
        scope.uses = static_cast<std::uint32_t>(options_.peers);
        scope.expires = WallTime{world_.events.wall().nanoseconds + 3'600'000'000'000};
        const Endpoint seed{.host = "10.0.0.0",
                            .base_port = 4647,
                            .curve = world_.peers.front()->identity().curve.open};
        const auto invitation = make_invitation(founding_->issuer, scope, {seed}, secrets());
        INVARIANT(invitation.ok());
        for (std::size_t place = 1; place < options_.peers; ++place) {
            world_.events.in(Duration(rng_.between(0, 3'000'000)),
                             [this, place, invitation = *invitation] { knock(place, invitation); });
        }
        run_until(world_.events.now() + 10s);
    }

    void knock(std::size_t place, const Invitation& invitation) {
        Peer& newcomer = *world_.peers[place];
        const auto request =
            join_request(invitation, newcomer.identity(), "dc1", world_.events.wall());
        INVARIANT(request.ok());
        std::size_t door = 0;
        for (int tries = 0; tries < 10; ++tries) {
            const std::size_t other = rng_.below(options_.peers);
            if (world_.peers[other]->running()) door = other;
        }
        const std::uint64_t token = place * 1000 + ++knocks_;
        world_.peers[door]->feed(node::Knocked{to_bytes(std::to_string(token)), encode(*request)});
        await_lobby(place, door, token, request->body.certificate, invitation, 40);
    }

    void await_lobby(std::size_t place, std::size_t door, std::uint64_t token,
                     const Certificate& certificate, const Invitation& invitation, int patience) {
        world_.events.in(250ms, [=, this] {
            const auto answer = world_.lobby.find({door, token});
            if (answer == world_.lobby.end()) {
                if (patience > 0)
                    await_lobby(place, door, token, certificate, invitation, patience - 1);
                else
                    knock(place, invitation);
                return;
            }
            const auto decoded = decode<node::KnockAnswer>(answer->second, "answer");
            INVARIANT(decoded.ok());
            if (!decoded->error.empty()) {
                say("knock of peer " + std::to_string(place) + " refused: " + decoded->error);
                return world_.events.in(500ms,
                                        [this, place, invitation] { knock(place, invitation); });
            }
            world_.peers[place]->join(certificate, *decoded);
            world_.peers[place]->start();
        });
    }

    // --- clients

    Job job_of(std::size_t number) {
        Job job;
        job.id = job.name = "job-" + std::to_string(number);
        const bool batch = rng_.chance(0.25);
        job.type = batch ? JobType::batch : JobType::service;
        TaskGroup group;
        group.name = "group";
        group.count = rng_.between(1, 2 + static_cast<std::int64_t>(options_.peers) / 2);
        group.disk.size = {10};
        group.disk.sticky = rng_.chance(0.4);
        group.disk.migrate = group.disk.sticky;
        if (group.disk.sticky) group.disk.replicas = rng_.between(0, 2);
        Task task;
        task.name = "task";
        task.driver = "raw_exec";
        task.config["command"] = Value{std::string("live")};
        const std::string span = batch ? std::to_string(rng_.between(500, 8'000)) : "999999999";
        task.config["args"] = Value{Value::List{Value{span}, Value{std::string("0")}}};
        task.resources.cpu = {rng_.between(50, 500)};
        task.resources.memory = {rng_.between(20, 300)};
        task.restart.delay = 1s;
        group.tasks.push_back(task);
        if (rng_.chance(0.4))
            group.networks.push_back({.mode = "host", .mbits = 0, .ports = {{.label = "http"}}});
        job.groups.push_back(group);
        return job;
    }

    void client() {
        if (troubled_)
            world_.events.in(Duration(rng_.between(300'000, 2'500'000)) * (slow_ ? 10 : 1),
                             [this] { client(); });
        std::vector<std::size_t> up;
        for (const auto& peer : world_.peers)
            if (peer->running() && !world_.expelled.contains(peer->place()))
                up.push_back(peer->place());
        if (up.empty() || !troubled_) return;
        Peer& peer = *world_.peers[rng_.pick(std::span<std::size_t>(up))];
        const std::uint64_t request = ++requests_;
        const std::size_t number = rng_.below(4 + options_.peers / 4);
        node::ApiRequest api{.id = request, .what = node::ListMembers{}};
        if (rng_.chance(0.15) && registered_.contains("job-" + std::to_string(number))) {
            asked_[request] = {{"default", "job-" + std::to_string(number)}, true};
            api.what =
                node::DeregisterJob{"default", "job-" + std::to_string(number), rng_.chance(0.3)};
        } else {
            Job job = job_of(number);
            asked_[request] = {{"default", job.id}, false};
            api.what = node::RegisterJob{std::move(job), std::nullopt};
        }
        peer.feed(api);
    }

    void command() {
        if (!troubled_) return;
        world_.events.in(Duration(rng_.between(50'000, 500'000)), [this] { command(); });
        commands_.ask_one();
    }

    void replied(std::size_t place, const node::ApiReply& reply) {
        if (commands_.replied(reply) || (adversary_ && adversary_->replied(reply))) return;
        const auto asked = asked_.find(reply.id);
        if (asked == asked_.end()) return;
        if (!reply.what.ok()) {
            ++outcome_.refused;
            say("request " + std::to_string(reply.id) + " at peer " + std::to_string(place) + ": " +
                reply.what.error().detail);
        } else if (const auto* done = std::get_if<node::Registered>(&*reply.what)) {
            ++outcome_.jobs;
            if (asked->second.stop)
                registered_.erase(asked->second.job.id);
            else
                registered_.insert(asked->second.job.id);
            checks_.acknowledged(asked->second.job, LogIndex{done->job_modify_index},
                                 asked->second.stop);
            say((asked->second.stop ? "stopped " : "registered ") + asked->second.job.id +
                " at index " + std::to_string(done->index));
        }
        asked_.erase(asked);
    }

    Options options_;
    World world_;
    Rng rng_;
    Checks checks_;
    Outcome outcome_;
    std::optional<std::string> unrest_;
    std::optional<Founding> founding_;
    std::optional<Adversary> adversary_;
    bool troubled_ = true;
    bool slow_ = false;  ///< the rest of a long outage is waited for
    TimePoint second_{};
    std::uint64_t before_ = 0;          ///< events until then
    std::set<std::string> registered_;  ///< and acknowledged, not stopped since
    Commands commands_;
    std::uint64_t requests_ = 0;
    std::uint64_t knocks_ = 0;
    struct Asked {
        ledger::JobKey job;
        bool stop = false;
    };
    std::map<std::uint64_t, Asked> asked_;
};

}  // namespace

Outcome run(const Options& options) { return Life(options).live(); }

}  // namespace gaggle::sim
