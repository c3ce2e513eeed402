// How a data directory comes to belong to a cluster, and what it knows of it ever after.
//
// Founding (`gctl cluster init`) and joining (`gctl agent --invitation-file`) both end with the
// file `region` in the data directory, written last: while it is missing, nothing has happened yet
// that others rely on. Beside it lie `identity` (the peer's keys) and, on the founder's machine
// only, `issuer` (what invitations are signed with) and `authority` (what issuers are named with;
// may be taken away). The files have mode 0600, and the directory 0700 until an agent lets tasks
// through it to their own directories (0711). The rest of it is the store's.
#pragma once

#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/endpoint.h"
#include "crypto/identity.h"
#include "gctl/agent/options.h"

namespace gaggle {

/// Where a peer listens, and where others reach it.
struct Listen {
    std::string bind = "127.0.0.1";
    std::uint16_t port = kBasePort;  ///< control; bulk is one above, the lobby two
    std::string advertise;           ///< empty: the bound address

    /// What others dial.
    const std::string& reached_at() const { return advertise.empty() ? bind : advertise; }
    bool operator==(const Listen&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bind, s.port, s.advertise);
    }
};

/// The file `region`: which cluster and region this peer belongs to, and as whom.
struct ClusterFile {
    PublicKey authority;
    RegionId region;
    std::string region_name = "global";
    Epoch epoch{1};
    Certificate certificate;
    PeerNumber number;
    std::string name;  ///< of this peer, a label
    std::string datacenter = "dc1";
    Listen listen;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.authority, s.region, s.region_name, s.epoch, s.certificate, s.number,
                        s.name, s.datacenter, s.listen);
    }
};

/// `not_found` when the directory belongs to no cluster; says how to found or join one.
Result<ClusterFile> load_cluster(const std::string& data_dir);
Result<void> save_cluster(const std::string& data_dir, const ClusterFile& file);
/// The peer's keys, from the file `identity`.
Result<Identity> load_peer_identity(const std::string& data_dir);

/// The file with what `options` says in place of what it said. `invalid`: an advertised address is
/// missing where the bound one is a wildcard.
Result<ClusterFile> with_options(ClusterFile file, const AgentOptions& options);
/// The address of the HTTP API: loopback unless the operator says otherwise.
std::string http_address_of(const AgentOptions& options, const Listen& listen);

struct InitOptions {
    std::string data_dir;
    std::string region = "global";
    std::string datacenter = "dc1";
    std::string name;  ///< empty: the machine's host name
    Listen listen;
};

struct Founded {
    PeerId peer;
    ClusterFile file;
};

/// Founds a cluster with one region whose only voter is this peer. `invalid` when the data
/// directory is already used, with what is in it; nothing is changed then.
Result<Founded> init_cluster(const InitOptions& options);

struct JoinOptions {
    std::string data_dir;
    std::string invitation;  ///< the line that `gctl cluster invite` printed
    std::string datacenter;  ///< empty: the invitation's, else "dc1"
    std::string name;        ///< empty: the machine's host name
    Listen listen;
    Duration knock_timeout = 15s;  ///< for each seed
};

/// Knocks at the invitation's seeds in turn until one admits this peer, then saves all it needs. A
/// directory that is a member of that region already is left as it is, so an agent may be started
/// with the same options again. A failed attempt keeps the keys, so that a retry is the same peer
/// and uses up the invitation once. `denied`: the cluster refused, `unavailable`: no seed answered,
/// with a line for each.
Result<ClusterFile> join_cluster(const JoinOptions& options);

struct InviteOptions {
    std::string data_dir;  ///< of the founder: it holds the issuer
    std::uint32_t uses = 1;
    Duration valid_for = 1h;
    Rights rights = kPeerRights;
    std::string datacenter;   ///< empty: the newcomer chooses
    std::vector<Seed> seeds;  ///< beside this peer itself; at most kSeedsMax are taken
};

/// One line, a secret until it is used up or expired.
Result<std::string> make_cluster_invitation(const InviteOptions& options);

/// The encoded, signed Expulsion of `peer`, for node::ExpelPeer and `PUT /v1/cluster/expel`.
Result<Bytes> make_expulsion(const std::string& data_dir, PeerId peer);

/// The text of `--invitation-file`; "-" reads standard input.
Result<std::string> read_invitation_file(const std::string& path);

}  // namespace gaggle
