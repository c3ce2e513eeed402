#include "gctl/agent/peer.h"

#include "base/log.h"
#include "gctl/agent/clock.h"
#include "gctl/agent/template_services.h"
#include "gctl/agent/token_file.h"

namespace gaggle::agent {

namespace {

constexpr std::size_t kInputsPerTurn = 64;  ///< then the alarm and signals get a look in

}  // namespace

Peer::Peer(EventLoop& loop, std::function<void(const Error&)> fatal)
    : loop_(loop),
      fatal_(std::move(fatal)),
      inbox_({}, [this] { loop_.post([this] { drain(); }); }) {}

Peer::~Peer() { close(); }

void Peer::drain() {
    const std::vector<node::Input> inputs = inbox_.take(kInputsPerTurn);
    for (const node::Input& input : inputs) feed(input);
    if (inputs.empty()) return;
    set_alarm();
    loop_.post([this] { drain(); });
}

void Peer::feed(const node::Input& input) {
    const bool ours = std::holds_alternative<allocrunner::Input>(input) ||
                      std::holds_alternative<node::Tick>(input);
    if (stopped_ && !ours) return;
    act(node_->step(read_clocks(), input));
    if (!stopped_ || !node_->runs().runner().live().empty()) return;
    loop_.post(std::exchange(stopped_, [] {}));
}

void Peer::set_alarm() {
    const TimePoint due = node_->next_wakeup();
    if (due == alarm_at_) return;
    alarm_at_ = due;
    const Duration left = std::max(due - read_clocks().time, Duration::zero());
    loop_.set_alarm(left, [this] {
        alarm_at_ = TimePoint::max();
        feed(node::Tick{});
        set_alarm();
    });
}

void Peer::act(node::Effects effects) {
    if (effects.keyring) sockets_->set_keyring(std::move(*effects.keyring));
    for (auto& [peer, endpoint] : effects.endpoints) sockets_->set_peer(peer, std::move(endpoint));
    if (effects.store) disk_->write(std::move(*effects.store));
    for (node::SendFrame& frame : effects.send) {
        // A frame that finds no room is lost like any other; the protocols mend that.
        static_cast<void>(sockets_->send(frame.to, frame.bulk ? Channel::bulk : Channel::control,
                                         std::move(frame.bytes)));
    }
    for (node::AnswerLobby& answer : effects.lobby)
        sockets_->answer_lobby({std::move(answer.token)}, std::move(answer.bytes));
    for (node::ApiReply& reply : effects.replies) api_->reply(std::move(reply));
    for (allocrunner::Work& work : effects.tasks) tasks_->carry_out(std::move(work));
    for (replica::Work& work : effects.copies) copies_->carry_out(std::move(work));
    if (!effects.services.empty()) services_changed(std::move(effects.services));
    for (node::DoLocally& work : effects.local) local_->carry_out(std::move(work));
    for (node::ExecWork& work : effects.exec) exec_->carry_out(std::move(work));
    for (const PeerId& peer : effects.connect_tests) test_connect(peer);
    for (const node::Note& note : effects.notes)
        log::line(note.warning ? log::Level::warn : log::Level::info, "{}", note.text);
}

void Peer::services_changed(std::vector<node::ServicesOf> news) {
    for (node::ServicesOf& one : news) services_.take(std::move(one));
    tasks_->services([this] { return template_services(services_.all()); });
}

void Peer::test_connect(const PeerId& peer) {
    const node::Known* known = node_->directory().find(peer);
    const Endpoint endpoint = known == nullptr ? Endpoint{.host = ""} : known->card.endpoint;
    loop_.test_connect(endpoint, [this, peer](ConnectOutcome outcome) {
        inbox_.put(node::ConnectTested{peer, outcome == ConnectOutcome::refused});
    });
}

void Peer::restarting() {
    feed(node::Restarting{});
    set_alarm();
}

void Peer::stop_tasks(std::function<void()> stopped) {
    if (stopped_) return;
    stopped_ = std::move(stopped);
    feed(allocrunner::Input{read_clocks().wall, allocrunner::Orders{}});
    set_alarm();
}

void Peer::kill_tasks() {
    const allocrunner::Runner& runner = node_->runs().runner();
    for (const AllocId& alloc : runner.live())
        for (const auto& [task, state] : runner.status(alloc)->tasks)
            tasks_->carry_out(allocrunner::KillTask{alloc, task});
}

// Whoever asks is stopped before whoever answers.
void Peer::close() {
    if (http_) {
        published_.reset();
        http_.reset();
    }
    if (api_) api_->stop();
    if (dns_) dns_->stop();
    if (sockets_) sockets_->stop();
    if (drivers_) drivers_->stop();
    if (tasks_) tasks_->stop();
    if (copies_) copies_->stop();
    if (exec_) exec_->stop();
    if (local_) local_->stop();
    if (disk_) disk_->stop();
}

}  // namespace gaggle::agent
