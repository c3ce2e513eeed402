// Frames and events as words, and words as frames. See script.h for the language.
#pragma once

#include "tests/gossip/script.h"

namespace gaggle::gossip {

namespace words {

inline std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, by);) parts.push_back(part);
    return parts;
}

inline std::string at(const StartId& start) {
    const int number = start.bytes[0];
    return number == 1 ? "" : "@" + std::to_string(number);
}

inline std::string milliseconds(Duration span) {
    return std::to_string(std::chrono::floor<std::chrono::milliseconds>(span).count()) + "ms";
}

inline Duration duration(const std::string& text) {
    std::size_t used = 0;
    const long long number = std::stoll(text, &used);
    if (text.substr(used) == "ms") return std::chrono::milliseconds(number);
    if (text.substr(used) == "s") return std::chrono::seconds(number);
    throw std::runtime_error("a time is 20ms or 3s");
}

inline std::string text(const Announcement& a) {
    static const char* names[] = {" alive:", " restarting:", " left:"};
    return names[static_cast<int>(a.standing)] + name_of(a.peer) + ":" +
           std::to_string(a.incarnation.value) + at(a.start);
}

inline std::string text(const Accusation& a) {
    const char* name = a.charge == Charge::dead ? " dead:" : a.refused ? " refused:" : " suspect:";
    return name + name_of(a.subject) + ":" + std::to_string(a.incarnation.value) + ":" +
           name_of(a.accuser) + at(a.start);
}

inline std::string text(const CapacityRumour& c) {
    return " capacity:" + name_of(c.peer) + ":" + std::to_string(c.version) + ":" +
           to_text(c.record) + at(c.start) + " (age " + milliseconds(c.age) + ")";
}

inline std::string text(const Ping& p) {
    return "ping seq=" + std::to_string(p.sequence) + " start=" + std::to_string(p.start.bytes[0]);
}
inline std::string text(const Ack& a) {
    return "ack seq=" + std::to_string(a.sequence) + " start=" + std::to_string(a.start.bytes[0]);
}
inline std::string text(const PingRequest& p) {
    return "ping-req seq=" + std::to_string(p.sequence) + " target=" + name_of(p.target) +
           " timeout=" + milliseconds(p.timeout);
}
inline std::string text(const Nack& n) { return "nack seq=" + std::to_string(n.sequence); }
inline std::string text(const Push&) { return "push"; }
inline std::string text(const Correction&) { return "correction"; }
inline std::string text(const Answer&) { return "answer"; }
inline std::string text(const Digest& d) {
    std::string text = "digest";
    for (const auto& e : d.entries)
        text += " entry:" + name_of(e.peer) + ":" + std::to_string(e.incarnation.value) + ":" +
                to_string(e.state) + at(e.start);
    return text;
}
inline std::string text(const Want& w) {
    std::string text = "want";
    for (const auto& peer : w.records) text += " record:" + name_of(peer);
    for (const auto& peer : w.cards) text += " card:" + name_of(peer);
    return text;
}
inline std::string text(const Cards& c) {
    std::string text = "cards";
    for (const auto& card : c.cards) text += " card:" + to_text(card.bytes);
    return text;
}

inline std::string text(const MemberChanged& c, TimePoint) {
    std::string text = "event " + name_of(c.peer) + ": " + (c.from ? to_string(*c.from) : "new") +
                       " -> " + to_string(c.to) +
                       " incarnation=" + std::to_string(c.member.incarnation.value);
    if (c.member.restarting) text += " restarting";
    if (c.member.agent_gone) text += " agent-gone";
    if (c.agent_restarted) text += " agent-restarted";
    if (c.machine_rebooted) text += " machine-rebooted";
    return text;
}
inline std::string text(const CardLearned& c, TimePoint) {
    return "event " + name_of(c.peer) + ": card " + to_text(c.card);
}
inline std::string text(const CapacityChanged& c, TimePoint) {
    return "event " + name_of(c.peer) + ": capacity " + to_text(c.record) + " (age " +
           milliseconds(c.age) + ")";
}
inline std::string text(const SelfRefuted& s, TimePoint) {
    return "event self refuted incarnation=" + std::to_string(s.incarnation.value);
}
inline std::string text(const Isolated& i, TimePoint) {
    return i.isolated ? "event isolated" : "event in company";
}
inline std::string text(const PartitionSuspected& p, TimePoint now) {
    return "event partition suspected: " + std::to_string(p.suspects) + " of " +
           std::to_string(p.members) + ", no death for " + milliseconds(p.until - now);
}

/// "suspect:b:1:c@2/3" in its parts.
struct Token {
    std::vector<std::string> parts;
    std::int64_t start = 1, boot = 1;

    explicit Token(const std::string& word) {
        const auto halves = split(word, '@');
        parts = split(halves[0], ':');
        if (halves.size() > 1) {
            const auto numbers = split(halves[1], '/');
            start = std::stoll(numbers[0]);
            if (numbers.size() > 1) boot = std::stoll(numbers[1]);
        }
    }
    PeerId who(std::size_t part = 1) const { return peer(parts.at(part)); }
    std::int64_t number(std::size_t part, std::int64_t fallback) const {
        return part < parts.size() ? std::stoll(parts[part]) : fallback;
    }
    Incarnation incarnation() const { return {static_cast<std::uint64_t>(number(2, 1))}; }
};

inline Announcement announcement(const Token& token, Standing standing) {
    return signed_by(token.who(),
                     Announcement{.peer = token.who(),
                                  .incarnation = token.incarnation(),
                                  .start = start(token.start),
                                  .boot = boot(token.boot),
                                  .card = hash_of(card(token.parts[1], token.number(3, 1))),
                                  .standing = standing});
}

inline Accusation accusation(const Token& token, Charge charge, bool refused) {
    return signed_by(token.who(3), Accusation{.subject = token.who(),
                                              .incarnation = token.incarnation(),
                                              .start = start(token.start),
                                              .accuser = token.who(3),
                                              .charge = charge,
                                              .refused = refused});
}

inline MemberState state(const std::string& name) {
    for (const auto state : {MemberState::alive, MemberState::suspect, MemberState::dead})
        if (name == to_string(state)) return state;
    return MemberState::left;
}

/// Adds what the word says to the message. False when it is no record.
inline bool add_record(const std::string& word, Message& message) {
    const Token token(word);
    const std::string& what = token.parts.at(0);
    Records& records = message.records;
    if (what == "alive")
        records.announcements.push_back(announcement(token, Standing::here));
    else if (what == "restarting")
        records.announcements.push_back(announcement(token, Standing::restarting));
    else if (what == "left")
        records.announcements.push_back(announcement(token, Standing::left));
    else if (what == "suspect" || what == "refused")
        records.accusations.push_back(accusation(token, Charge::suspect, what == "refused"));
    else if (what == "dead")
        records.accusations.push_back(accusation(token, Charge::dead, false));
    else if (what == "capacity")
        records.capacities.push_back({token.who(), start(token.start), token.incarnation().value,
                                      5ms, to_bytes(token.parts.at(3))});
    else if (what == "card")
        std::get<Cards>(message.body)
            .cards.push_back({token.who(), card(token.parts[1], token.number(2, 1))});
    else if (what == "entry")
        std::get<Digest>(message.body)
            .entries.push_back({.peer = token.who(),
                                .incarnation = token.incarnation(),
                                .state = state(token.parts.at(3)),
                                .start = start(token.start)});
    else if (what == "forged") {
        for (auto& record : records.announcements) record.signature.assign(16, 0);
        for (auto& record : records.accusations) record.signature.assign(16, 0);
    } else
        return false;
    return true;
}

inline Body body(const std::string& name, const golden::Directive& d) {
    const auto sequence = static_cast<std::uint64_t>(d.number("seq"));
    const StartId about = start(d.number("start", 1));
    const Duration timeout = duration(d.get("timeout", "200ms"));
    if (name == "ping") return Ping{sequence, about};
    if (name == "ack") return Ack{sequence, about};
    if (name == "ping-req") return PingRequest{sequence, peer(d.get("target")), about, timeout};
    if (name == "nack") return Nack{sequence};
    if (name == "push") return Push{};
    if (name == "correction") return Correction{};
    if (name == "answer") return Answer{};
    if (name == "cards") return Cards{};
    if (name == "want") {
        const PeerId who = peer(d.get("target"));
        return Want{{who}, {who}};
    }
    if (name == "digest") {
        Digest digest;
        digest.upto.bytes.fill(0xff);
        return digest;
    }
    throw std::runtime_error("no such body: " + name);
}

}  // namespace words

inline std::string text_of(const Message& message) {
    std::string text = std::visit([](const auto& body) { return words::text(body); }, message.body);
    for (const auto& record : message.records.announcements) text += words::text(record);
    for (const auto& record : message.records.accusations) text += words::text(record);
    for (const auto& record : message.records.capacities) text += words::text(record);
    return text;
}

inline std::string text_of(const Event& event, TimePoint now) {
    return std::visit([&](const auto& what) { return words::text(what, now); }, event);
}

}  // namespace gaggle::gossip
