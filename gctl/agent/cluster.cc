#include "gctl/agent/cluster.h"

#include "crypto/invitation.h"
#include "crypto/secret_file.h"
#include "gctl/agent/data_directory.h"
#include "gctl/node/admission.h"
#include "gctl/node/durable_keys.h"
#include "gctl/store/store.h"

namespace gaggle {

namespace {

constexpr std::string_view kKind = "region";
constexpr PeerNumber kFounder{1};

Result<void> check_labels(const InitOptions& options, const std::string& name) {
    TRY(check_name("region", options.region));
    TRY(check_name("datacenter", options.datacenter));
    return check_name("peer", name);
}

bool wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

Result<void> check_reachable(const Listen& listen) {
    if (listen.bind.empty()) return Error{Errc::invalid, "--bind: an address is missing"};
    if (listen.port == 0 || listen.port > 65533)
        return Error{Errc::invalid, "--port " + std::to_string(listen.port) +
                                        ": wanted 1 to 65533, for the two ports above it are "
                                        "used too"};
    if (wildcard(listen.reached_at()))
        return Error{Errc::invalid, "--bind " + listen.bind +
                                        " is every address of this machine: say with --advertise "
                                        "which one the other peers are to dial"};
    return {};
}

/// The region's first log: one voter, and the founding command that it will propose.
Result<void> begin_region(const std::string& data_dir, const ClusterFile& file,
                          const Founding& founding) {
    const ledger::Found found{
        .region = file.region,
        .name = file.region_name,
        .founder = node::newcomer_from(file.certificate, file.name, file.datacenter),
        .issuer = {founding.issuer.certificate.body.serial.bytes},
        .policy = {}};
    auto store = store::Store::open(data_dir);
    if (!store.ok()) return store.error();
    return (*store)->begin_replica({.region = file.region, .epoch = file.epoch, .replica = {1}},
                                   raft::founding({kFounder}), {{node::kFoundKey, encode(found)}});
}

}  // namespace

Result<ClusterFile> load_cluster(const std::string& data_dir) {
    auto file = load_secret<ClusterFile>(data_dir + data_directory::kRegion, kKind);
    if (file.ok() || file.error().code != Errc::not_found) return file;
    return Error{Errc::not_found,
                 "data directory " + data_dir +
                     " belongs to no cluster yet.\n"
                     "  To found one:  gctl cluster init --data-dir " +
                     data_dir +
                     "\n"
                     "  To join one:   gctl agent --data-dir " +
                     data_dir +
                     " --invitation-file FILE\n"
                     "                 (FILE holds the line that `gctl cluster invite` printed "
                     "on a member)"};
}

Result<void> save_cluster(const std::string& data_dir, const ClusterFile& file) {
    return save_secret(data_dir + data_directory::kRegion, kKind, file);
}

Result<Identity> load_peer_identity(const std::string& data_dir) {
    return load_identity(data_dir + data_directory::kIdentity);
}

Result<ClusterFile> with_options(ClusterFile file, const AgentOptions& options) {
    if (options.bind && *options.bind != file.listen.bind) {
        file.listen.bind = *options.bind;
        file.listen.advertise.clear();  // it went with the old address
    }
    if (options.port) file.listen.port = *options.port;
    if (options.advertise) file.listen.advertise = *options.advertise;
    if (options.name) file.name = *options.name;
    if (options.datacenter) file.datacenter = *options.datacenter;
    TRY(check_reachable(file.listen));
    TRY(check_name("peer", file.name));
    TRY(check_name("datacenter", file.datacenter));
    const InvitationScope* scope = scope_of(file.certificate);
    if (scope != nullptr && !scope->datacenter.empty() && scope->datacenter != file.datacenter)
        return Error{Errc::denied, "--datacenter " + file.datacenter +
                                       ": this peer was invited to datacenter " +
                                       scope->datacenter + " only"};
    return file;
}

std::string http_address_of(const AgentOptions& options, const Listen& listen) {
    if (options.http_bind) return *options.http_bind;
    const bool loopback = listen.bind.starts_with("127.") || listen.bind == "::1";
    return loopback ? listen.bind : "127.0.0.1";
}

Result<Founded> init_cluster(const InitOptions& options) {
    const std::string name = options.name.empty() ? data_directory::host_label() : options.name;
    const std::string attempt = "found a cluster in " + options.data_dir;
    if (auto fine = check_labels(options, name); !fine.ok()) return within(attempt, fine.error());
    if (auto fine = check_reachable(options.listen); !fine.ok())
        return within(attempt, fine.error());
    if (const auto there = load_cluster(options.data_dir); there.ok())
        return Error{Errc::invalid, attempt + ": it belongs to region \"" + there->region_name +
                                        "\" already, as peer " +
                                        short_text(gaggle::id_of(there->certificate)) +
                                        "; start it with `gctl agent --data-dir " +
                                        options.data_dir + "`, or give another --data-dir"};
    if (const std::string trace = data_directory::first_trace(options.data_dir); !trace.empty())
        return Error{Errc::invalid, attempt + ": there is a file or directory \"" + trace +
                                        "\" of an earlier cluster, or of an attempt that did not "
                                        "finish; give another --data-dir, or remove this one if "
                                        "nobody needs it"};
    if (auto made = data_directory::prepare(options.data_dir); !made.ok())
        return within(attempt, made.error());
    const Identity identity = make_identity();
    const Founding founding = found_cluster(identity);
    const ClusterFile file{.authority = founding.authority.public_key(),
                           .region = founding.region,
                           .region_name = options.region,
                           .epoch = founding.founder.body.epoch,
                           .certificate = founding.founder,
                           .number = kFounder,
                           .name = name,
                           .datacenter = options.datacenter,
                           .listen = options.listen};
    TRY(save_identity(options.data_dir + data_directory::kIdentity, identity));
    TRY(save_authority(options.data_dir + data_directory::kAuthority, founding.authority));
    TRY(save_issuer(options.data_dir + data_directory::kIssuer, founding.issuer));
    if (auto begun = begin_region(options.data_dir, file, founding); !begun.ok())
        return within(attempt, begun.error());
    TRY(save_cluster(options.data_dir, file));
    return Founded{.peer = identity.id(), .file = file};
}

}  // namespace gaggle
