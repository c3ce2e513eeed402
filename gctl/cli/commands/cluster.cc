#include "gctl/agent/cluster.h"

#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

std::string data_dir_option(const Context& context, const std::string& data_dir) {
    return data_dir == context.world.default_data_dir ? "" : " --data-dir " + data_dir;
}

/// Members of our region that others could knock at, from the agent that runs here; none when no
/// agent answers, or when it is another cluster's.
std::vector<Seed> running_seeds(const Context& context, const ClusterFile& file) {
    const auto api = context.api();
    if (!api.ok()) return {};
    const auto answer = api->get("list members", "/v1/agent/members");
    if (!answer.ok()) return {};
    const std::string self = to_string(gaggle::id_of(file.certificate));
    std::vector<Seed> out;
    bool ours = false;
    for (const MemberView& member : members_of(Json(*answer))) {
        if (member.tag("id") == self) ours = true;
        const auto curve = from_hex(member.tag("curve"));
        if (member.status != "alive" || !curve || curve->size() != CurveKey{}.bytes.size())
            continue;
        Seed& seed = out.emplace_back(
            Seed{.host = member.address, .base_port = static_cast<std::uint16_t>(member.port)});
        std::copy(curve->begin(), curve->end(), seed.curve.bytes.begin());
    }
    return ours ? out : std::vector<Seed>{};
}

/// Nomad's member names are "name.region".
bool is_named(const MemberView& member, const std::string& name) {
    return member.name == name || member.name == name + "." + member.tag("region");
}

/// The one member that `named` is the name of, or else the id or its beginning.
Result<MemberView> find_member(const Api& api, const std::string& named) {
    const Value answer = TRY(api.get("find peer " + named, "/v1/agent/members"));
    const std::vector<MemberView> members = members_of(Json(answer));
    std::vector<MemberView> found;
    for (const MemberView& member : members)
        if (is_named(member, named)) found.push_back(member);
    const bool is_name = !found.empty();
    for (const MemberView& member : members)
        if (!is_name && member.tag("id").starts_with(named)) found.push_back(member);
    if (found.size() == 1) return found[0];
    if (found.empty())
        return Error{Errc::not_found, "find peer " + named +
                                          ": no member has such an id or name; see `gctl members`"};
    std::vector<Row> rows{{"ID", "Name", "Address"}};
    for (const MemberView& member : found)
        rows.push_back({member.tag("id"), member.name, member.address});
    return Error{Errc::invalid, "find peer " + named +
                                    ": several are meant; give more of the id:\n" + table(rows)};
}

}  // namespace

Result<int> run(const ClusterInit& command, const Context& context) {
    const Founded founded = TRY(init_cluster(command.options));
    const ClusterFile& file = founded.file;
    if (context.json)
        return context.print_json(Value{Value::Map{{"PeerID", Value{to_string(founded.peer)}},
                                                   {"RegionID", Value{to_string(file.region)}},
                                                   {"Region", Value{file.region_name}},
                                                   {"Datacenter", Value{file.datacenter}},
                                                   {"DataDir", Value{command.options.data_dir}}}});
    Console& console = context.console;
    const std::string option = data_dir_option(context, command.options.data_dir);
    console.line(console.paint(Tone::good, "Founded region \"" + file.region_name +
                                               "\" with this machine as its first peer."));
    console.line();
    console.print(field_list({{"Peer", to_string(founded.peer)},
                              {"Name", file.name},
                              {"Datacenter", file.datacenter},
                              {"Data directory", command.options.data_dir},
                              {"Other peers dial", file.listen.reached_at() + ", ports " +
                                                       std::to_string(file.listen.port) + " to " +
                                                       std::to_string(file.listen.port + 2)}}));
    console.line();
    console.line("Next:");
    console.line("  gctl agent" + option + "           start this peer");
    console.line("  gctl cluster invite" + option + "  print a line with which another can join");
    console.line();
    console.line(console.paint(Tone::faint,
                               "The file `authority` there names who may invite. It "
                               "is not needed day to day:\nmove it to a safe place "
                               "away from this machine."));
    return 0;
}

Result<int> run(const ClusterInvite& command, const Context& context) {
    InviteOptions options = command.options;
    const ClusterFile file = TRY(load_cluster(options.data_dir));
    options.seeds = running_seeds(context, file);
    const std::string line = TRY(make_cluster_invitation(options));
    if (context.json) return context.print_json(Value{Value::Map{{"Invitation", Value{line}}}});
    context.console.line(line);
    if (context.world.terminal)
        context.console.note(context.console.paint(
            Tone::faint,
            "Put it in a file on the other machine and run: gctl agent --invitation-file FILE\n"
            "Good for " +
                counted(options.uses, "machine") + " and " + for_people(options.valid_for) +
                ". It is a secret."));
    return 0;
}

Result<int> run(const ClusterExpel& command, const Context& context) {
    const Api api = TRY(context.api());
    const MemberView member = TRY(find_member(api, command.peer));
    const auto peer = parse_id<PeerId>(member.tag("id"));
    if (!peer)
        return Error{Errc::corrupt, "expel " + command.peer + ": the agent names it by \"" +
                                        member.tag("id") + "\", which is no id"};
    const Bytes statement = TRY(make_expulsion(command.data_dir, *peer));
    const Value body{Value::Map{{"Statement", Value{to_base64(statement)}}}};
    const Value answer =
        TRY(api.put("expel peer " + to_string(*peer), "/v1/cluster/expel", value_to_json(body)));
    if (context.json) return context.print_json(answer);
    context.console.line("Peer " + to_string(*peer) + " (" + member.name +
                         ") is expelled: its key is admitted nowhere any more.");
    return 0;
}

}  // namespace gaggle::cli
