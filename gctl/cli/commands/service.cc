#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

std::string in_brackets(const std::vector<std::string>& tags) {
    return "[" + joined(tags, ",") + "]";
}

std::string address_of(const ServiceView& service) {
    const bool colons = service.address.find(':') != std::string::npos;
    const std::string host = colons ? "[" + service.address + "]" : service.address;
    return service.port == 0 ? host : host + ":" + std::to_string(service.port);
}

void show_whole(const Context& context, const ServiceView& service) {
    context.console.print(field_list({{"ID", service.id},
                                      {"Service Name", service.name},
                                      {"Namespace", service.name_space},
                                      {"Job ID", service.job_id},
                                      {"Alloc ID", service.alloc_id},
                                      {"Node ID", service.node_id},
                                      {"Datacenter", service.datacenter},
                                      {"Address", address_of(service)},
                                      {"Tags", in_brackets(service.tags)},
                                      {"Health", status_text(context.console, service.health)}}) +
                          "\n");
}

}  // namespace

Result<int> run(const ServiceList&, const Context& context) {
    const Api api = TRY(context.api());
    const Value answer = TRY(api.get("list services", "/v1/services"));
    if (context.json) return context.print_json(answer);
    const bool spaces = context.connect.name_space == "*";
    std::vector<Row> rows{spaces ? Row{"Service Name", "Namespace", "Tags"}
                                 : Row{"Service Name", "Tags"}};
    for (const ServiceName& service : service_names_of(Json(answer))) {
        Row row{service.name};
        if (spaces) row.push_back(service.name_space);
        row.push_back(in_brackets(service.tags));
        rows.push_back(std::move(row));
    }
    context.console.print(rows.size() > 1 ? table(rows) : "No service registrations found\n");
    return 0;
}

Result<int> run(const ServiceInfo& command, const Context& context) {
    const Api api = TRY(context.api());
    Query query;
    if (!command.filter.empty()) query.emplace_back("filter", command.filter);
    const Value answer = TRY(
        api.get("show service " + command.name, "/v1/service/" + url_encoded(command.name), query));
    if (context.json) return context.print_json(answer);
    const std::vector<ServiceView> services = services_of(Json(answer));
    if (services.empty()) {
        context.console.print(command.filter.empty()
                                  ? "No service registrations found. All names: gctl service list\n"
                                  : "No service registrations that the filter keeps\n");
        return 0;
    }
    if (command.verbose) {
        for (const ServiceView& service : services) show_whole(context, service);
        return 0;
    }
    std::vector<Row> rows{{"Job ID", "Address", "Tags", "Node ID", "Alloc ID", "Health"}};
    for (const ServiceView& service : services)
        rows.push_back({service.job_id, address_of(service), in_brackets(service.tags),
                        short_id(service.node_id), short_id(service.alloc_id),
                        status_text(context.console, service.health)});
    context.console.print(table(rows));
    return 0;
}

}  // namespace gaggle::cli
