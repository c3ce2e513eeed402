#include <iterator>

#include "crypto/invitation.h"
#include "crypto/peer_socket.h"
#include "gctl/agent/cluster.h"
#include "gctl/agent/data_directory.h"
#include "gctl/node/durable_keys.h"
#include "gctl/node/message.h"
#include "gctl/store/store.h"

namespace gaggle {

namespace {

/// The keys of an earlier attempt, else new ones.
Result<Identity> identity_for(const std::string& data_dir) {
    auto kept = load_peer_identity(data_dir);
    if (kept.ok() || kept.error().code != Errc::not_found) return kept;
    const Identity fresh = make_identity();
    TRY(save_identity(data_dir + data_directory::kIdentity, fresh));
    return fresh;
}

/// The ledger may refuse at one seed what another accepts a moment later, so all are asked.
Result<node::KnockAnswer> knock_at_seeds(const Invitation& invitation, const Identity& identity,
                                         BytesView request, Duration timeout) {
    std::string tried;
    Errc worst = Errc::unavailable;
    for (const Seed& seed : invitation.seeds) {
        const auto bytes = knock(seed, identity, request, timeout);
        if (!bytes.ok()) {
            tried += "\n  " + bytes.error().detail;
            continue;
        }
        auto answer = decode<node::KnockAnswer>(*bytes, "answer of the lobby");
        if (answer.ok() && answer->error.empty()) return answer;
        if (answer.ok()) worst = Errc::denied;
        tried += "\n  " + seed.host + ":" + std::to_string(seed.base_port) +
                 " refused: " + (answer.ok() ? answer->error : answer.error().detail);
    }
    return Error{worst, "no seed let this peer in:" + tried +
                            (worst == Errc::denied
                                 ? "\n  Ask for a new invitation: gctl cluster invite"
                                 : "\n  Is a member's agent running there, and may this machine "
                                   "reach its ports?")};
}

/// The cards of the peers to begin with; the agent reads them when it starts.
Result<void> keep_cards(const std::string& data_dir, const node::KnockAnswer& answer) {
    auto store = store::Store::open(data_dir);
    if (!store.ok()) return store.error();
    return (*store)->write({.raft = {}, .keys = {{node::kRosterKey, encode(answer.cards)}}});
}

std::string first_of(const std::string& a, const std::string& b, const std::string& c) {
    return !a.empty() ? a : !b.empty() ? b : c;
}

}  // namespace

Result<ClusterFile> join_cluster(const JoinOptions& options) {
    const Invitation invitation = TRY(parse_invitation(options.invitation));
    const InvitationScope& scope = invitation.scope();
    const std::string attempt = "join region \"" + scope.region_name + "\"";
    if (auto there = load_cluster(options.data_dir); there.ok()) {
        if (there->authority == invitation.authority && there->region == scope.region) return there;
        return Error{Errc::invalid, attempt + ": data directory " + options.data_dir +
                                        " belongs to region \"" + there->region_name +
                                        "\" of another cluster; give another --data-dir, or start "
                                        "it without an invitation"};
    } else if (there.error().code != Errc::not_found) {
        return within(attempt, there.error());
    }
    if (auto made = data_directory::prepare(options.data_dir); !made.ok())
        return within(attempt, made.error());
    const Identity identity = TRY(identity_for(options.data_dir));
    const std::string datacenter = first_of(options.datacenter, scope.datacenter, "dc1");
    const auto request =
        join_request(invitation, identity, datacenter, data_directory::wall_time());
    if (!request.ok()) return within(attempt, request.error());
    auto answer = knock_at_seeds(invitation, identity, encode(*request), options.knock_timeout);
    if (!answer.ok()) return within(attempt, answer.error());
    const ClusterFile file{.authority = invitation.authority,
                           .region = scope.region,
                           .region_name = first_of(answer->region_name, scope.region_name, ""),
                           .epoch = answer->epoch,
                           .certificate = request->body.certificate,
                           .number = answer->number,
                           .name = first_of(options.name, data_directory::host_label(), ""),
                           .datacenter = datacenter,
                           .listen = options.listen};
    if (auto kept = keep_cards(options.data_dir, *answer); !kept.ok())
        return within(attempt, kept.error());
    if (auto saved = save_cluster(options.data_dir, file); !saved.ok())
        return within(attempt, saved.error());
    return file;
}

Result<std::string> make_cluster_invitation(const InviteOptions& options) {
    const std::string attempt = "make an invitation from " + options.data_dir;
    const ClusterFile file = TRY(load_cluster(options.data_dir));
    const auto issuer = load_issuer(options.data_dir + data_directory::kIssuer);
    if (!issuer.ok() && issuer.error().code == Errc::not_found)
        return Error{Errc::denied, attempt +
                                       ": this peer holds no issuer key; run it on the machine "
                                       "where `gctl cluster init` was run, with that --data-dir"};
    if (!issuer.ok()) return within(attempt, issuer.error());
    std::vector<Seed> seeds{{.host = file.listen.reached_at(),
                             .base_port = file.listen.port,
                             .curve = file.certificate.body.curve}};
    for (const Seed& seed : options.seeds)
        if (seeds.size() < kSeedsMax && seed.curve != seeds.front().curve) seeds.push_back(seed);
    const std::int64_t span = std::chrono::nanoseconds(options.valid_for).count();
    const auto invitation =
        make_invitation(*issuer,
                        {.region = file.region,
                         .region_name = file.region_name,
                         .epoch = file.epoch,
                         .datacenter = options.datacenter,
                         .rights = options.rights,
                         .uses = options.uses,
                         .expires = {data_directory::wall_time().nanoseconds + span},
                         .offline_ok = false,
                         .serial = {}},
                        std::move(seeds));
    if (!invitation.ok()) return invitation.error();
    return to_text(*invitation);
}

Result<Bytes> make_expulsion(const std::string& data_dir, PeerId peer) {
    const std::string attempt = "expel peer " + to_string(peer);
    const ClusterFile file = TRY(load_cluster(data_dir));
    const auto issuer = load_issuer(data_dir + data_directory::kIssuer);
    if (!issuer.ok() && issuer.error().code == Errc::not_found)
        return Error{Errc::denied, attempt + ": " + data_dir +
                                       " holds no issuer key; run it on the machine where `gctl "
                                       "cluster init` was run, with that --data-dir"};
    if (!issuer.ok()) return within(attempt, issuer.error());
    return encode(expel(*issuer, peer, file.region, file.epoch));
}

}  // namespace gaggle
