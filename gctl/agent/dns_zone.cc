#include "gctl/agent/dns_zone.h"

#include <algorithm>
#include <set>
#include <span>

namespace gaggle::dns {

namespace {

const Name kZone{"gaggle"};
const Name kServer{"ns", "gaggle"};

using Address = std::variant<A, Aaaa>;

Name lower(Name name) {
    for (std::string& label : name)
        for (char& c : label)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return name;
}

bool asks(const Question& question, Type type) {
    const auto wanted = static_cast<Type>(question.type);
    return wanted == type || wanted == Type::any;
}

bool is_name(const Name& name) {
    std::size_t bytes = 1;
    for (const std::string& label : name) {
        if (label.empty() || label.size() > 63) return false;
        bytes += label.size() + 1;
    }
    return bytes <= 255;
}

Record zone_record() {
    return {
        .name = kZone,
        .ttl = kTtl,
        .data = Soa{.server = kServer, .mailbox = {"hostmaster", "gaggle"}, .negative_ttl = kTtl}};
}

/// Without any record it is said for how long that may be believed.
Answer finished(Answer answer) {
    if (answer.answers.empty()) answer.authority.push_back(zone_record());
    return answer;
}

Answer no_such_name() { return finished({.code = Code::no_such_name}); }

void add_address(std::vector<Record>& to, const Name& name, const Address& address) {
    std::visit([&](const auto& data) { to.push_back({.name = name, .ttl = kTtl, .data = data}); },
               address);
}

bool is_of_type(const Address& address, const Question& question) {
    return asks(question, std::holds_alternative<A>(address) ? Type::a : Type::aaaa);
}

Name name_of_address(const Address& address) {
    const auto hex = std::visit(
        [](const auto& data) {
            return to_hex({data.address.data(), data.address.size()});
        },
        address);
    return {hex, "addr", "gaggle"};
}

std::optional<Address> address_in(const std::string& hex) {
    const auto bytes = from_hex(hex);
    if (!bytes) return std::nullopt;
    if (bytes->size() == 4) {
        A out;
        std::copy(bytes->begin(), bytes->end(), out.address.begin());
        return out;
    }
    if (bytes->size() != 16) return std::nullopt;
    Aaaa out;
    std::copy(bytes->begin(), bytes->end(), out.address.begin());
    return out;
}

Answer of_apex(const Question& question) {
    Answer out;
    if (asks(question, Type::soa)) out.answers.push_back(zone_record());
    if (asks(question, Type::ns))
        out.answers.push_back({.name = question.name, .ttl = kTtl, .data = NameServer{kServer}});
    return finished(std::move(out));
}

Answer of_address(const Question& question, const std::optional<Address>& address) {
    if (!address) return no_such_name();
    Answer out;
    if (is_of_type(*address, question)) add_address(out.answers, question.name, *address);
    return finished(std::move(out));
}

/// What stands before and behind "service" in a name; nothing when it is no name of a service.
std::optional<node::WantedService> wanted_of(const Name& name) {
    const auto word = std::find(name.begin(), name.end() - 1, "service");
    if (word == name.end() - 1 || word == name.begin()) return std::nullopt;
    node::WantedService out;
    for (auto at = word + 1; at != name.end() - 1; at += 2) {
        if (name.end() - 1 - at < 2) return std::nullopt;
        if (at[1] == "ns" && at == word + 1)
            out.name_space = *at;
        else if (at[1] == "dc" && out.datacenter.empty())
            out.datacenter = *at;
        else
            return std::nullopt;
    }
    const auto count = word - name.begin();
    const bool underscored = count == 2 && name[0].starts_with('_') && name[1].starts_with('_');
    if (underscored) {
        out.name = name[0].substr(1);
        if (name[1] != "_tcp" && name[1] != "_udp") out.tag = name[1].substr(1);
        return out;
    }
    out.name = *(word - 1);
    for (auto at = name.begin(); at != word - 1; ++at)
        out.tag += (at == name.begin() ? "" : ".") + *at;
    return out;
}

void add_service(Answer& out, const Question& question, const node::FoundService& found,
                 std::set<Name>& told) {
    const allocrunner::ServiceInstance& instance = found.service.instance;
    const auto address = dns::address_of(instance.address);
    const Name target = address ? name_of_address(*address) : name_of(instance.address);
    if (!is_name(target)) return;
    const bool is_new = told.insert(target).second;  // two instances may share an address
    if (static_cast<Type>(question.type) == Type::srv) {
        if (instance.port == 0) return;
        out.answers.push_back({.name = question.name,
                               .ttl = kTtl,
                               .data = Srv{.port = instance.port, .target = target}});
        if (address && is_new) add_address(out.additional, target, *address);
    } else if (address && is_new && is_of_type(*address, question)) {
        add_address(out.answers, question.name, *address);
    }
}

/// Where a service is told by name alone, A and AAAA lead there; DNS allows no second one beside
/// it.
void add_alias(Answer& out, const Question& question,
               const std::vector<node::FoundService>& found) {
    if (!asks(question, Type::a) && !asks(question, Type::aaaa)) return;
    for (const node::FoundService& one : found) {
        const std::string& host = one.service.instance.address;
        if (dns::address_of(host) || !is_name(name_of(host))) continue;
        out.answers.push_back(
            {.name = question.name, .ttl = kTtl, .data = Alias{.target = name_of(host)}});
        return;
    }
}

Answer of_service(const FindService& find, const Question& question,
                  const node::WantedService& wanted, Rng& rng) {
    node::FoundServices found = find(wanted);
    if (!found.known) return no_such_name();
    rng.shuffle(std::span(found.instances));
    if (found.instances.size() > kInstancesMax) found.instances.resize(kInstancesMax);
    Answer out;
    std::set<Name> told;
    for (const node::FoundService& one : found.instances) add_service(out, question, one, told);
    if (out.answers.empty()) add_alias(out, question, found.instances);
    return finished(std::move(out));
}

}  // namespace

Answer answer_of(const FindService& find, const Question& question, const std::string& server,
                 Rng& rng) {
    const Name name = lower(question.name);
    if (name.empty() || name.back() != kZone.front())
        return {.code = Code::refused, .authoritative = false};
    if (name == kZone) return of_apex(question);
    if (name == kServer) return of_address(question, dns::address_of(server));
    if (name.size() == 2 && (name[0] == "service" || name[0] == "addr")) return finished({});
    if (name.size() == 3 && name[1] == "addr") return of_address(question, address_in(name[0]));
    const auto wanted = wanted_of(name);
    return wanted ? of_service(find, question, *wanted, rng) : no_such_name();
}

}  // namespace gaggle::dns
