// Runs tests/golden/gossip/*.txt: each rule of the protocol as a directive and the whole answer.
#include "tests/gossip/script_text.h"

namespace gaggle::gossip {

std::string Script::run(const golden::Directive& d) {
    const std::string& name = d.name;
    if (name == "know") return know(d);
    if (name == "receive") return receive(d);
    if (name == "run" || name == "tick") return pass_time(d);
    if (name == "introduce")
        return give(Introduce{peer(d.get("peer")), card(d.get("card", d.get("peer")))});
    if (name == "connection-lost") return give(ConnectionLost{peer(d.get("peer"))});
    if (name == "connect-result")
        return give(ConnectResult{peer(d.get("peer")), d.says("refused")});
    if (name == "set-capacity") return give(SetCapacity{to_bytes(d.words.at(0))});
    if (name == "set-card") return give(SetCard{card("a", std::stoll(d.words.at(0)))});
    if (name == "leave") return give(Leave{});
    if (name == "restarting") return give(Restarting{});
    if (name == "members") return members();
    if (name == "counters") return counters();
    throw std::runtime_error("no such directive");
}

std::string Script::give(const Input& input) { return written(swim_.step(now_, input)); }

std::string Script::know(const golden::Directive& d) {
    for (const auto& name : d.words) {
        give(Introduce{peer(name), card(name)});
        Message hello{.body = Push{}};
        words::add_record("alive:" + name + ":1", hello);
        give(Received{peer(name), encode_message(hello)});
    }
    for (int i = 0; i < 10; ++i) {  // let the rumours of it die away
        now_ += 200ms;
        const auto due = swim_.next_wakeup();
        if (due && *due <= now_) pass_time(golden::parse("run for=0ms answer=*"));
    }
    return "";
}

std::string Script::receive(const golden::Directive& d) {
    Message message{.body = words::body(d.words.at(0), d)};
    for (std::size_t i = 1; i < d.words.size(); ++i)
        if (!words::add_record(d.words[i], message))
            throw std::runtime_error("no such record: " + d.words[i]);
    return give(Received{peer(d.get("from")), encode_message(message)});
}

/// From wakeup to wakeup; each moment that has something to tell begins with its time.
std::string Script::pass_time(const golden::Directive& d) {
    if (d.name == "tick") {
        now_ += words::duration(d.get("after", "0s"));
        return give(Tick{});
    }
    std::set<PeerId> answering;
    for (const auto& name : words::split(d.get("answer"), ',')) answering.insert(peer(name));
    const bool all = answering.contains(peer("*"));
    const TimePoint begin = now_;
    const TimePoint end = now_ + words::duration(d.get("for"));
    std::string text;
    const auto tell = [&](const std::string& what) {
        if (what.empty()) return;
        text += "+" + words::milliseconds(now_ - begin) + "\n" + what;
    };
    for (auto due = swim_.next_wakeup(); due && *due <= end; due = swim_.next_wakeup()) {
        now_ = std::max(now_, *due);
        const Effects effects = swim_.step(now_, Tick{});
        tell(d.says("events") ? written_events(effects) : written(effects, answering));
        for (const auto& sent : effects.sends) {
            const auto message = decode_message(sent.bytes);
            if (!all && !answering.contains(sent.to)) continue;
            const auto* ping = std::get_if<Ping>(&message->body);
            const auto* request = std::get_if<PingRequest>(&message->body);
            Body answer = Push{};
            if (ping != nullptr) answer = Ack{ping->sequence, ping->start};
            if (request != nullptr) answer = Nack{request->sequence};
            if (ping != nullptr || request != nullptr)
                tell(give(Received{sent.to, encode_message({.body = answer})}));
        }
    }
    now_ = end;
    return text;
}

std::string Script::members() const {
    std::string text;
    for (const auto& [id, entry] : swim_.members().all()) {
        const Member& member = entry.view;
        text += name_of(id) + ": " + to_string(member.state) +
                " incarnation=" + std::to_string(member.incarnation.value) +
                " accusers=" + std::to_string(entry.accusations.size()) + words::at(member.start);
        if (member.agent_gone) text += " agent-gone";
        if (!member.capacity.empty()) text += " capacity=" + to_text(member.capacity);
        text += "\n";
    }
    const Member own = swim_.own();
    return text + "a: " + to_string(own.state) +
           " incarnation=" + std::to_string(own.incarnation.value) +
           " health=" + std::to_string(swim_.health()) + "\n";
}

std::string Script::counters() const {
    const Counters& counters = swim_.counters();
    return "malformed=" + std::to_string(counters.malformed) +
           " bad-signatures=" + std::to_string(counters.bad_signatures) +
           " late-acks=" + std::to_string(counters.late_acks) + "\n";
}

/// One line an effect. Pings to `hidden` and what rides on them are left out.
std::string Script::written(const Effects& effects, const std::set<PeerId>& hidden) const {
    std::string text = written_events(effects);
    for (const auto& target : effects.connect_tests)
        text += "connect-test " + name_of(target) + "\n";
    for (const auto& sent : effects.sends) {
        const auto message = decode_message(sent.bytes);
        const bool ping = std::holds_alternative<Ping>(message->body);
        if (!ping || !hidden.contains(sent.to))
            text += "send to=" + name_of(sent.to) + " " + text_of(*message) + "\n";
    }
    return text;
}

std::string Script::written_events(const Effects& effects) const {
    std::string text;
    for (const auto& event : effects.events) text += text_of(event, now_) + "\n";
    return text;
}

TEST_CASE("golden scripts of gossip") {
    golden::run_folder("gossip", [] {
        auto script = std::make_shared<Script>();
        return [script](const golden::Directive& directive) { return script->run(directive); };
    });
}

}  // namespace gaggle::gossip
