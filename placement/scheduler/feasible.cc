#include "placement/scheduler/feasible.h"

#include <algorithm>

#include "placement/scheduler/constraint.h"

namespace gaggle {

namespace {

constexpr std::size_t kReasonBytesMax =
    160;  ///< of a peer's words; each refusal counts under its own

bool in_datacenters(const Job& job, const std::string& datacenter) {
    return std::any_of(job.datacenters.begin(), job.datacenters.end(),
                       [&](const std::string& glob) { return glob_matches(glob, datacenter); });
}

bool in_pool(const Job& job, const std::string& pool) {
    return job.node_pool == "all" || job.node_pool == pool;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
    return out;
}

/// What a peer says that it can give is in its attributes (allocrunner/network/network_offer.h).
std::optional<std::string> missing_network(const TaskGroup& group, const PeerView& peer) {
    const auto& attributes = peer.description.attributes;
    for (const Network& network : group.networks) {
        if (network.mode == "host" || attributes.contains("gaggle.network." + network.mode))
            continue;
        std::string reason = "missing network " + network.mode;
        const char* lacks =
            network.mode == "bridge" ? "gaggle.network.bridge.lacks" : "gaggle.network.lacks";
        const auto why = attributes.find(lacks);
        return why == attributes.end() ? reason : reason + ": " + why->second;
    }
    return std::nullopt;
}

template <class Item>
void append(std::vector<Item>& out, const std::vector<Item>& more) {
    out.insert(out.end(), more.begin(), more.end());
}

/// With the peer's own words on why it is ill: "missing driver exec (exec needs the program runc)".
std::string missing_driver(const std::string& driver, const PeerView& peer) {
    const std::string text = "missing driver " + driver;
    const auto known = peer.description.drivers.find(driver);
    if (known == peer.description.drivers.end() || known->second.healthy) return text;
    std::string why = known->second.description;
    std::size_t end = std::min(why.size(), kReasonBytesMax);
    while (end > 0 && end < why.size() && (static_cast<unsigned char>(why[end]) & 0xC0U) == 0x80U)
        --end;  // between two letters
    why.resize(end);
    return why.empty() ? text : text + " (" + why + ")";
}

}  // namespace

Wanted::Wanted(const Job& job, const TaskGroup& group)
    : job(job),
      group(group),
      ask(ask_of(group)),
      constraints(job.constraints),
      affinities(job.affinities) {
    append(constraints, group.constraints);
    append(affinities, group.affinities);
    for (const Task& task : group.tasks) {
        append(constraints, task.constraints);
        append(affinities, task.affinities);
    }
}

std::optional<std::string> filter_reason(const Wanted& wanted, const PeerView& peer) {
    if (!peer.alive) return "not alive";
    if (!peer.books.eligible) return "ineligible";
    return mismatch_reason(wanted, peer);
}

std::optional<std::string> mismatch_reason(const Wanted& wanted, const PeerView& peer) {
    if (!in_pool(wanted.job, peer.description.node_pool))
        return "node pool " + wanted.job.node_pool;
    if (!in_datacenters(wanted.job, peer.description.datacenter))
        return "datacenter " + joined(wanted.job.datacenters);
    const auto& drivers = peer.books.offer.drivers;
    for (const auto& driver : wanted.ask.drivers) {
        if (!std::binary_search(drivers.begin(), drivers.end(), driver))
            return missing_driver(driver, peer);
    }
    if (auto missing = missing_network(wanted.group, peer)) return missing;
    for (const Constraint& constraint : wanted.constraints) {
        if (!holds(constraint, peer)) return text_of(constraint);
    }
    return std::nullopt;
}

bool glob_matches(std::string_view glob, std::string_view text) {
    std::size_t at = 0, in_text = 0;
    std::size_t star = std::string_view::npos, resume = 0;
    while (in_text < text.size()) {
        if (at < glob.size() && glob[at] == '*') {
            star = at++;
            resume = in_text;
        } else if (at < glob.size() && glob[at] == text[in_text]) {
            ++at;
            ++in_text;
        } else if (star != std::string_view::npos) {
            at = star + 1;  // let the last star take one byte more
            in_text = ++resume;
        } else {
            return false;
        }
    }
    return glob.find_first_not_of('*', at) == std::string_view::npos;
}

void count_filtered(PlacementMetrics& metrics, const PeerView& peer, const std::string& reason) {
    ++metrics.nodes_filtered;
    ++metrics.constraint_filtered[reason];
    if (!peer.description.node_class.empty()) ++metrics.class_filtered[peer.description.node_class];
}

void count_exhausted(PlacementMetrics& metrics, const PeerView& peer, const std::string& reason) {
    ++metrics.nodes_exhausted;
    ++metrics.dimension_exhausted[reason];
    if (!peer.description.node_class.empty())
        ++metrics.class_exhausted[peer.description.node_class];
}

std::map<std::string, std::int64_t> available_by_datacenter(const Job& job, const View& view) {
    std::map<std::string, std::int64_t> available;
    for (const std::string& named : job.datacenters) {
        if (named.find('*') == std::string::npos) available[named] = 0;
    }
    for (const PeerView& peer : view.peers()) {
        const Description& who = peer.description;
        if (peer.alive && peer.books.eligible && in_pool(job, who.node_pool) &&
            in_datacenters(job, who.datacenter))
            ++available[who.datacenter];
    }
    return available;
}

}  // namespace gaggle
