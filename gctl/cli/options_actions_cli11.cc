#include <CLI/CLI.hpp>

#include "gctl/cli/option_builder.h"

namespace gaggle::cli {

namespace {

constexpr const char* kAlloc = "An allocation, or the beginning of its id";

CLI::Option* add_word(CLI::App* app, const std::string& name, const std::string& what,
                      std::string& to) {
    return app->add_option(name, to, what)->option_text(" ");
}

}  // namespace

void OptionBuilder::add_actions() {
    CLI::App* alloc = root->get_subcommand("alloc");
    CLI::App* app = command(alloc, "restart", "Restart the tasks of an allocation where it is",
                            "gctl alloc restart 1f0c3a52\n"
                            "  gctl alloc restart 1f0c3a52 web\n\n"
                            "Its id, peer, ports and directory stay; the restart policy does not\n"
                            "count it.");
    add_word(app, "ALLOC", kAlloc, alloc_restart.id)->required();
    add_word(app, "TASK", "Only this one [all that run]", alloc_restart.task);
    app->add_option("--task", alloc_restart.task, "The same")->option_text("TASK");
    app->add_flag("--all-tasks", alloc_restart.all_tasks, "Also the tasks that have ended");
    app->callback([this] { out.command = alloc_restart; });

    app = command(alloc, "signal", "Send a signal to the tasks of an allocation",
                  "gctl alloc signal -s SIGHUP 1f0c3a52 web");
    add_word(app, "ALLOC", kAlloc, alloc_signal.id)->required();
    add_word(app, "TASK", "Only this one [all that run]", alloc_signal.task);
    app->add_option("--task", alloc_signal.task, "The same")->option_text("TASK");
    app->add_option("-s,--signal", alloc_signal.signal, "Its name")->capture_default_str();
    app->callback([this] { out.command = alloc_signal; });

    app = command(
        alloc, "stop", "Stop an allocation and have it replaced",
        "gctl alloc stop 1f0c3a52\n\n"
        "Its slot goes to a new allocation, wherever there is room; it is stopped when that one\n"
        "has its place. To stop all of a job, see `gctl job stop`.");
    add_word(app, "ALLOC", kAlloc, alloc_stop.id)->required();
    app->add_flag("--no-shutdown-delay", alloc_stop.no_shutdown_delay,
                  "Do not wait for the job's shutdown_delay");
    app->add_flag("--detach", alloc_stop.detach, "Do not wait for the evaluation");
    app->add_flag("--verbose", alloc_stop.verbose, "Full ids, and more");
    app->callback([this] { out.command = alloc_stop; });

    app = command(root->get_subcommand("job"), "dispatch", "Run a parameterized job once",
                  "gctl job dispatch -meta size=large resize picture.png\n"
                  "  gctl job dispatch -detach resize - < picture.png\n\n"
                  "Exit codes as of `gctl job run`.");
    add_word(app, "JOB", "A parameterized job, or the beginning of its id", dispatch.id)
        ->required();
    add_word(app, "FILE", "The payload, at most 16 KiB; - reads standard input",
             dispatch.payload_file);
    app->add_option("--meta", dispatch.meta, "key=value that the job asks for; may be repeated")
        ->allow_extra_args(false)
        ->option_text("KEY=VALUE");
    app->add_option("--id-prefix-template", dispatch.id_prefix, "Goes into the new job's id")
        ->option_text("TEXT");
    app->add_flag("--detach", dispatch.detach, "Return once it is registered");
    app->add_flag("--verbose", dispatch.verbose, "Full ids, and more");
    app->callback([this] { out.command = dispatch; });
}

}  // namespace gaggle::cli
