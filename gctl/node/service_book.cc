#include "gctl/node/service_book.h"

#include <algorithm>

namespace gaggle::node {

namespace {

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::pair<std::string, std::string> key_of(const ListedService& service) {
    return {service.name_space, lower(service.instance.name)};
}

bool usable(const ListedService& service) {
    return service.instance.health == allocrunner::CheckStatus::success;
}

bool has_tag(const ListedService& service, const std::string& tag) {
    const auto& tags = service.instance.tags;
    return tag.empty() || std::any_of(tags.begin(), tags.end(), [&](const std::string& one) {
               return lower(one) == lower(tag);
           });
}

}  // namespace

void ServiceBook::take(ServicesOf news) {
    const auto before = peers_.find(news.peer);
    if (before != peers_.end()) {
        for (const ListedService& service : before->second.services) {
            const auto offering = offering_.find(key_of(service));
            if (offering == offering_.end()) continue;
            offering->second.erase(news.peer);
            if (offering->second.empty()) offering_.erase(offering);
        }
        peers_.erase(before);
    }
    if (news.trust == Trust::gone) return;
    for (const ListedService& service : news.services) offering_[key_of(service)].insert(news.peer);
    const PeerId peer = news.peer;
    peers_.emplace(peer, std::move(news));
}

ServiceBook::Found ServiceBook::find(const WantedService& wanted) const {
    Found out;
    const std::string name = lower(wanted.name);
    const auto offering = offering_.find({wanted.name_space, name});
    if (offering == offering_.end()) return out;
    std::vector<FoundService> doubtful;
    for (const PeerId& id : offering->second) {
        const ServicesOf& peer = peers_.at(id);
        if (!wanted.datacenter.empty() && lower(wanted.datacenter) != lower(peer.datacenter))
            continue;
        auto& to = peer.trust == Trust::good ? out.instances : doubtful;
        for (const ListedService& service : peer.services) {
            if (key_of(service) != std::pair(wanted.name_space, name)) continue;
            if (!has_tag(service, wanted.tag)) continue;
            out.known = true;
            if (usable(service)) to.push_back({id, peer.peer_name, peer.datacenter, service});
        }
    }
    if (out.instances.empty()) out.instances = std::move(doubtful);
    return out;
}

std::vector<FoundService> ServiceBook::all() const {
    std::vector<FoundService> out;
    for (const auto& [key, peers] : offering_)
        for (FoundService& one : find({.name = key.second, .name_space = key.first}).instances)
            out.push_back(std::move(one));
    return out;
}

}  // namespace gaggle::node
