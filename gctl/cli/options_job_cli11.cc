#include <CLI/CLI.hpp>

#include "gctl/cli/option_builder.h"

namespace gaggle::cli {

namespace {

/// In Nomad it says that FILE is JSON, which we see.
constexpr const char* kJsonOut =
    "The API's own JSON as output; FILE may be JSON or HCL with or without it";

void add_file(CLI::App* app, JobFile& file) {
    app->add_option("FILE", file.path, "A job file, HCL or JSON; - reads standard input")
        ->required()
        ->option_text(" ");
    app->add_option("--var", file.variables, "name=value of a variable; may be repeated")
        ->allow_extra_args(false)
        ->option_text("NAME=VALUE");
    app->add_option("--var-file", file.variable_files, "A file with variables; may be repeated")
        ->allow_extra_args(false)
        ->option_text("FILE");
}

CLI::Option* add_id(CLI::App* app, const std::string& name, const std::string& what,
                    std::string& to) {
    return app->add_option(name, to, what)->option_text(" ");
}

void add_verbose(CLI::App* app, bool& to) { app->add_flag("--verbose", to, "Full ids, and more"); }

}  // namespace

void OptionBuilder::add_jobs() {
    CLI::App* job = topic("job", "Run, look at and stop jobs", "gctl job run redis.nomad");

    CLI::App* app = command(
        job, "run", "Start a job, or change it to what the file says",
        "gctl job run redis.nomad\n"
        "  gctl job run -var count=3 -detach web.nomad\n\n"
        "Exit code: 0 placed and running, 1 an error or a failed allocation, 2 some of it\n"
        "could not be placed and waits for room. With --json or --detach it does not wait.");
    add_file(app, run.file);
    app->add_flag("--detach", run.detach, "Return once it is registered");
    app->add_flag("--output", run.output, "Print the API's JSON for the file; submit nothing");
    app->add_option("--check-index", run.check_index,
                    "Only if the job still has this modify index; 0: only if it is new")
        ->check(whole_number());
    app->get_option("--json")->description(kJsonOut);
    add_verbose(app, run.verbose);
    app->callback([this] { out.command = run; });

    app = command(job, "plan", "Show what `job run` would do; change nothing",
                  "gctl job plan redis.nomad\n\n"
                  "Exit code: 0 no allocation would change, 1 some would, 255 an error.");
    add_file(app, plan.file);
    app->add_flag("--diff,!--no-diff", plan.diff, "Show the changes of the job itself [yes]");
    add_verbose(app, plan.verbose);
    app->get_option("--json")->description(kJsonOut);
    app->callback([this] { out.command = plan; });

    app = command(job, "validate", "Read a job file and say all that is wrong with it",
                  "gctl job validate redis.nomad", false);
    add_file(app, validate.file);
    app->add_flag("--json", out.json, "The findings as JSON; FILE may be JSON without it");
    app->add_flag("--no-color", out.no_color, "No colours, also on a terminal");
    app->callback([this] { out.command = validate; });

    app = command(job, "status", "List jobs, or show one", "gctl job status redis");
    add_id(app, "JOB", "A job, or the beginning of its id", job_status.id);
    app->add_flag("--evals", job_status.evals, "With its evaluations");
    app->add_flag("--all-allocs", job_status.all_allocs, "With allocations of earlier versions");
    add_verbose(app, job_status.verbose);
    app->callback([this] { out.command = job_status; });

    app = command(job, "stop", "Stop a job",
                  "gctl job stop redis\n\n"
                  "Asks when JOB is only the beginning of an id; where nobody can answer, it then\n"
                  "stops nothing unless --yes is given.");
    add_id(app, "JOB", "A job, or the beginning of its id", stop.id)->required();
    app->add_flag("--purge", stop.purge, "And forget it");
    app->add_flag("--no-shutdown-delay", stop.no_shutdown_delay,
                  "Do not wait for the shutdown_delay of its tasks, nor for the rest of one");
    app->add_flag("--detach", stop.detach, "Do not wait for the evaluation");
    app->add_flag("-y,--yes", stop.yes, "Stop it without a question, also by a shortened id");
    add_verbose(app, stop.verbose);
    app->callback([this] { out.command = stop; });

    app = command(job, "inspect", "Print a job as the cluster has it, as JSON",
                  "gctl job inspect redis");
    add_id(app, "JOB", "A job, or the beginning of its id", inspect.id)->required();
    app->callback([this] { out.command = inspect; });
}

void OptionBuilder::add_allocations() {
    CLI::App* alloc =
        topic("alloc", "Look at allocations: what runs where", "gctl alloc logs -f 1f0c3a52");

    CLI::App* app = command(alloc, "status", "Show an allocation, its tasks and its copies",
                            "gctl alloc status 1f0c3a52");
    add_id(app, "ALLOC", "An allocation, or the beginning of its id", alloc_status.id)->required();
    app->add_flag("--stats", alloc_status.stats, "With all that is measured of its tasks");
    add_verbose(app, alloc_status.verbose);
    app->callback([this] { out.command = alloc_status; });

    app = command(alloc, "checks", "Show what the checks of an allocation's services said last",
                  "gctl alloc checks 1f0c3a52");
    add_id(app, "ALLOC", "An allocation, or the beginning of its id", alloc_checks.id)->required();
    app->callback([this] { out.command = alloc_checks; });

    CLI::App* eval = topic("eval", "Look at evaluations: what was decided, and why",
                           "gctl eval status 9b1d0c7e");
    app = command(eval, "status", "Show an evaluation, and what could not be placed",
                  "gctl eval status 9b1d0c7e");
    add_id(app, "EVAL", "An evaluation, or the beginning of its id", eval_status.id)->required();
    app->add_flag("--monitor", eval_status.monitor, "Watch it until it is done");
    add_verbose(app, eval_status.verbose);
    app->callback([this] { out.command = eval_status; });
}

void OptionBuilder::add_nodes() {
    CLI::App* node = topic("node", "Look at the peers as places to run on", "gctl node status");
    CLI::App* app = command(node, "status", "List peers, or show one", "gctl node status 1f0c3a52");
    add_id(app, "NODE", "A peer's id, the beginning of it, or its name", node_status.id);
    app->add_flag("--stats", node_status.stats, "With what the machine uses now");
    add_verbose(app, node_status.verbose);
    app->callback([this] { out.command = node_status; });

    app = command(root, "members", "List the peers as gossip sees them", "gctl members");
    add_verbose(app, members.verbose);
    app->callback([this] { out.command = members; });

    CLI::App* region = topic("region", "Look at the region's commit group", "gctl region status");
    app = command(region, "status", "Show voters, standbys, and whether there is a majority",
                  "gctl region status");
    app->callback([this] { out.command = region_status; });

    CLI::App* system = topic("system", "Tend the region", "gctl system gc");
    app = command(system, "gc",
                  "Forget finished jobs, allocations and evaluations now, and remove the "
                  "directories of finished allocations on every peer",
                  "gctl system gc");
    app->callback([this] { out.command = SystemGc{}; });
}

}  // namespace gaggle::cli
