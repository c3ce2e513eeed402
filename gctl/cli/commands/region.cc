#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

/// The leader's id, or "" when the agent cannot say.
std::string leader_of(const Api& api) {
    const auto region = api.get("find the leader", "/v1/region");
    return region.ok() ? region_of(Json(*region)).leader : "";
}

std::string status_of(const Console& console, const MemberView& member) {
    const std::string word = status_text(console, member.status);
    return member.tag("agent") == "gone" ? word + " (agent gone)" : word;
}

}  // namespace

Result<int> run(const Members& command, const Context& context) {
    const Api api = TRY(context.api());
    const Value answer = TRY(api.get("list members", "/v1/agent/members"));
    if (context.json) return context.print_json(answer);
    const std::string leader = leader_of(api);
    std::vector<Row> rows{
        {"Name", "ID", "Address", "Status", "Role", "Leader", "Datacenter", "Region", "HTTP"}};
    for (const MemberView& member : members_of(Json(answer))) {
        const std::string id = member.tag("id");
        rows.push_back({member.name, command.verbose ? id : short_id(id),
                        member.address + ":" + std::to_string(member.port),
                        status_of(context.console, member), member.tag("role"),
                        !id.empty() && id == leader ? "true" : "false", member.tag("dc"),
                        member.tag("region"), member.tag("http_addr")});
    }
    context.console.print(table(rows));
    return 0;
}

Result<int> run(const RegionStatus&, const Context& context) {
    const Api api = TRY(context.api());
    const Value answer = TRY(api.get("show the region", "/v1/region"));
    if (context.json) return context.print_json(answer);
    const RegionView region = region_of(Json(answer));
    Console& console = context.console;
    std::string leader = short_id(region.leader);
    for (const RegionMember& member : region.members)
        if (member.leader) leader = member.name + " (" + short_id(member.peer_id) + ")";
    console.print(
        field_list({{"Region", region.name},
                    {"ID", region.id},
                    {"Epoch", std::to_string(region.epoch)},
                    {"Leader", leader},
                    {"Majority", region.has_quorum
                                     ? console.paint(Tone::good, "yes")
                                     : console.paint(Tone::bad, "lost: nothing can be accepted")},
                    {"Term", std::to_string(region.term)},
                    {"Log", "last " + std::to_string(region.last) + ", committed " +
                                std::to_string(region.commit) + ", applied " +
                                std::to_string(region.applied)}}));
    std::vector<Row> rows{{"Number", "Name", "Peer ID", "Role", "Leader", "Match", "Last Heard"}};
    for (const RegionMember& member : region.members)
        rows.push_back({std::to_string(member.number), member.name, short_id(member.peer_id),
                        member.role, member.leader ? "true" : "false",
                        member.match == 0 ? "-" : std::to_string(member.match),
                        member.silent_ms
                            ? for_people(std::chrono::milliseconds(*member.silent_ms)) + " ago"
                            : "-"});
    console.line("\n" + console.paint(Tone::strong, "Commit Group"));
    console.print(table(rows));
    if (!region.missing.empty())
        console.line("\n" + console.paint(Tone::bad, "Missing: ") + joined(region.missing, ", "));
    if (!region.notes.empty()) console.line("\n" + console.paint(Tone::strong, "Notes"));
    for (const std::string& note : region.notes) console.line("- " + note);
    return 0;
}

}  // namespace gaggle::cli
