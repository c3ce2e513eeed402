// Options of the commands about services.
#include <CLI/CLI.hpp>

#include "gctl/cli/option_builder.h"

namespace gaggle::cli {

void OptionBuilder::add_services() {
    CLI::App* service = topic("service", "What runs where, by the names that jobs give it",
                              "gctl service info web");
    CLI::App* app = command(service, "list", "The names of all services, with their tags",
                            "gctl service list --namespace '*'");
    app->callback([this] { out.command = ServiceList{}; });

    app = command(service, "info", "The instances of a service, and how they are",
                  "gctl service info web --filter 'Tags contains \"blue\"'");
    app->add_option("NAME", service_info.name, "The service")->required()->option_text(" ");
    app->add_option("--filter", service_info.filter, "Only instances that this expression keeps");
    app->add_flag("--verbose", service_info.verbose, "Full ids, and everything about each");
    app->callback([this] { out.command = service_info; });
}

}  // namespace gaggle::cli
