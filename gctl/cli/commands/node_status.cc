#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "gctl/cli/usage.h"

namespace gaggle::cli {

namespace {

Result<int> list_nodes(const Context& context, const Api& api, bool verbose) {
    const Value answer = TRY(api.get("list nodes", "/v1/nodes"));
    if (context.json) return context.print_json(answer);
    std::vector<Row> rows{
        {"ID", "DC", "Name", "Class", "Address", "Drain", "Eligibility", "Status"}};
    for (const NodeStub& node : nodes_of(Json(answer)))
        rows.push_back({verbose ? node.id : short_id(node.id), node.datacenter, node.name,
                        node.node_class, node.address, node.drain ? "true" : "false",
                        status_text(context.console, node.eligibility),
                        status_text(context.console, node.status)});
    context.console.print(rows.size() > 1 ? table(rows) : "No nodes registered yet\n");
    return 0;
}

std::string share(std::int64_t used, std::int64_t total, const std::string& unit) {
    return std::to_string(used) + "/" + std::to_string(total) + " " + unit;
}

void show_node(const Context& context, const NodeView& node, const Usage& usage) {
    std::string drivers;
    for (const auto& [name, driver] : node.drivers)
        if (driver.detected)
            drivers +=
                (drivers.empty() ? "" : ", ") + name + (driver.healthy ? "" : " (unhealthy)");
    Console& console = context.console;
    console.print(field_list({{"ID", node.stub.id},
                              {"Name", node.stub.name},
                              {"Class", node.stub.node_class},
                              {"DC", node.stub.datacenter},
                              {"Drain", node.stub.drain ? "true" : "false"},
                              {"Eligibility", status_text(console, node.stub.eligibility)},
                              {"Status", status_text(console, node.stub.status)},
                              {"HTTP Address", node.http_address},
                              {"Drivers", drivers}}));
    std::vector<Row> ill{{"Driver", "Detected", "Why"}};
    for (const auto& [name, driver] : node.drivers)
        if (!driver.healthy)
            ill.push_back({name, driver.detected ? "true" : "false", driver.reason});
    if (ill.size() > 1) {
        console.line("\n" + console.paint(Tone::strong, "Drivers That Take No Tasks"));
        console.print(table(ill));
    }
    console.line("\n" + console.paint(Tone::strong, "Allocated Resources"));
    console.print(
        table({{"CPU", "Memory", "Disk"},
               {share(usage.cpu, node.cpu, "MHz"), share(usage.memory, node.memory, "MiB"),
                share(usage.disk, node.disk, "MiB")}}));
}

void show_map(const Context& context, const std::string& title,
              const std::map<std::string, std::string>& map) {
    if (map.empty()) return;
    context.console.line("\n" + context.console.paint(Tone::strong, title));
    context.console.print(field_list({map.begin(), map.end()}));
}

}  // namespace

Result<int> run(const NodeStatus& command, const Context& context) {
    const Api api = TRY(context.api());
    if (command.id.empty()) return list_nodes(context, api, command.verbose);
    const std::string id = TRY(resolve_node(api, command.id));
    const std::string purpose = "show node " + short_id(id);
    const Value node = TRY(api.get(purpose, "/v1/node/" + id));
    if (context.json) return context.print_json(node);
    const Value allocs = TRY(api.get(purpose, "/v1/node/" + id + "/allocations"));
    const NodeView view = node_of(Json(node));
    show_node(context, view, usage_of(Json(allocs)));
    std::vector<Row> rows{
        {"ID", "Job ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified"}};
    for (const AllocStub& alloc : allocs_of(Json(allocs)))
        rows.push_back({command.verbose ? alloc.id : short_id(alloc.id), alloc.job_id, alloc.group,
                        std::to_string(alloc.version), alloc.desired,
                        status_text(context.console, alloc.client),
                        ago(alloc.created, context.world.now()),
                        ago(alloc.modified, context.world.now())});
    context.console.line("\n" + context.console.paint(Tone::strong, "Allocations"));
    context.console.print(rows.size() > 1 ? table(rows) : "No allocations placed\n");
    if (command.stats) {
        const Value host =
            TRY(api.get("measure node " + short_id(id), "/v1/client/stats", {{"node_id", id}}));
        context.console.line("\n" + context.console.paint(Tone::strong, "Host Resources"));
        context.console.print(field_list(host_summary(Json(host))) + "\n" +
                              host_tables(Json(host)));
    }
    if (command.verbose) show_map(context, "Attributes", view.attributes);
    show_map(context, "Meta", view.meta);
    return 0;
}

}  // namespace gaggle::cli
