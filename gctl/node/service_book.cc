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

bool passes(const ListedService& service) {
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
    std::map<Key, ServiceOffer> fresh;
    for (ListedService& service : news.services) {
        if (news.trust == Trust::gone) break;
        ServiceOffer& offer = fresh[key_of(service)];
        offer.services.push_back(std::move(service));
    }
    for (const Key& key : offered_by_[news.peer]) {
        const auto before = offers_.find(key);
        before->second.erase(news.peer);
        if (before->second.empty()) offers_.erase(before);
    }
    offered_by_.erase(news.peer);
    for (auto& [key, offer] : fresh) {
        offer.peer = news.peer;
        offer.peer_name = news.peer_name;
        offer.datacenter = news.datacenter;
        offer.trust = news.trust;
        offers_[key][news.peer] = std::make_shared<const ServiceOffer>(std::move(offer));
        offered_by_[news.peer].push_back(key);
    }
}

ServiceOffers ServiceBook::offers(const WantedService& wanted) const {
    ServiceOffers out;
    const auto found = offers_.find({wanted.name_space, lower(wanted.name)});
    if (found == offers_.end()) return out;
    for (const auto& [peer, offer] : found->second) out.push_back(offer);
    return out;
}

std::vector<ServiceOffers> ServiceBook::all_offers() const {
    std::vector<ServiceOffers> out;
    for (const auto& [key, peers] : offers_) {
        out.emplace_back();
        for (const auto& [peer, offer] : peers) out.back().push_back(offer);
    }
    return out;
}

FoundServices usable(const ServiceOffers& offers, const WantedService& wanted) {
    FoundServices out;
    std::vector<FoundService> doubtful;
    for (const auto& offer : offers) {
        if (!wanted.datacenter.empty() && lower(wanted.datacenter) != lower(offer->datacenter))
            continue;
        auto& to = offer->trust == Trust::good ? out.instances : doubtful;
        for (const ListedService& service : offer->services) {
            if (!has_tag(service, wanted.tag)) continue;
            out.known = true;
            if (passes(service))
                to.push_back({offer->peer, offer->peer_name, offer->datacenter, service});
        }
    }
    if (out.instances.empty()) out.instances = std::move(doubtful);
    return out;
}

std::vector<FoundService> all_usable(const std::vector<ServiceOffers>& offers) {
    std::vector<FoundService> out;
    for (const ServiceOffers& of_one : offers)
        for (const auto& offer : of_one)
            for (const ListedService& service : offer->services)
                if (passes(service))
                    out.push_back({offer->peer, offer->peer_name, offer->datacenter, service});
    return out;
}

}  // namespace gaggle::node
