#include <CLI/CLI.hpp>

#include "gctl/cli/option_builder.h"

namespace gaggle::cli {

namespace {

template <class To>
void add_alloc(CLI::App* app, To& to) {
    app->add_option("ALLOC", to.id, "An allocation, or the beginning of its id")
        ->required()
        ->option_text(" ");
    app->add_flag("--job", to.by_job, "ALLOC is a job: its newest running allocation");
}

template <class To>
void add_end(CLI::App* app, To& to) {
    app->add_flag("--tail", to.tail, "Only the end: ten lines, or what -n or -c say");
    app->add_option("-n,--lines", to.lines, "Only the last so many lines")
        ->check(whole_number(0, 100'000));
    app->add_option("-c,--bytes", to.bytes, "Only the last so many bytes")->check(whole_number());
}

}  // namespace

void OptionBuilder::add_inside() {
    CLI::App* alloc = root->get_subcommand("alloc");
    CLI::App* job = root->get_subcommand("job");

    CLI::App* app = command(alloc, "logs", "Print what a task has written",
                            "gctl alloc logs -f 1f0c3a52\n"
                            "  gctl alloc logs -stderr -n 100 1f0c3a52 redis\n"
                            "  gctl alloc logs -job redis");
    add_alloc(app, logs);
    app->add_option("TASK,--task", logs.task, "Needed when there are several")->option_text(" ");
    app->add_flag("-f,--follow", logs.follow, "Go on until the task has ended for good, or Ctrl-C");
    app->add_flag("--stderr", logs.error_stream, "Standard error instead of standard output");
    add_end(app, logs);
    app->callback([this] { out.command = logs; });

    app = command(alloc, "fs", "List and print files of an allocation",
                  "gctl alloc fs 1f0c3a52\n"
                  "  gctl alloc fs -H 1f0c3a52 alloc/data\n"
                  "  gctl alloc fs -tail -f 1f0c3a52 redis/local/redis.log\n\n"
                  "Tasks' secrets, and paths that leave the allocation's directory, are refused.");
    add_alloc(app, fs);
    app->add_option("PATH", fs.path, "Below the allocation's directory [/]")->option_text(" ");
    app->add_flag("-H", fs.human, "Sizes for people: 1.5 KiB");
    app->add_flag("--stat", fs.stat, "About the file instead of what is in it");
    app->add_flag("-f,--follow", fs.follow, "Go on until it is removed or Ctrl-C");
    add_end(app, fs);
    app->callback([this] { out.command = fs; });

    app = command(job, "logs", "Print what all tasks of a job have written, as one",
                  "gctl job logs -f redis\n"
                  "  gctl job logs -n 20 -task web shop\n\n"
                  "Each line begins with the allocation and the task that wrote it. With -f new\n"
                  "allocations join, wherever they are placed.");
    app->add_option("JOB", job_logs.id, "A job, or the beginning of its id")
        ->required()
        ->option_text(" ");
    app->add_option("--task", job_logs.task, "Only tasks of this name");
    app->add_flag("-f,--follow", job_logs.follow, "Go on until the job has ended or Ctrl-C");
    app->add_flag("--stderr", job_logs.error_stream, "Standard error instead of standard output");
    app->add_option("-n,--lines", job_logs.lines, "Only the last so many lines of each task")
        ->check(whole_number(0, 100'000));
    app->callback([this] { out.command = job_logs; });
}

void OptionBuilder::add_exec() {
    CLI::App* alloc = root->get_subcommand("alloc");
    CLI::App* app =
        command(alloc, "exec", "Run a command inside a task: ALLOC COMMAND...",
                "gctl alloc exec 1f0c3a52 /bin/sh\n"
                "  gctl alloc exec -task redis 1f0c3a52 "
                "sh -c 'redis-cli -h $NOMAD_IP_db -p $NOMAD_PORT_db info'\n"
                "  tar c . | gctl alloc exec -t=false 1f0c3a52 tar x -C local\n\n"
                "Exit code: the command's. In a terminal, ~. at the beginning of a line ends it.");
    add_alloc(app, exec);
    app->add_option("--task", exec.task, "Needed when there are several");
    app->add_flag_function(
        "-i,--stdin,!--no-stdin", [this](std::int64_t on) { exec.input = on > 0; },
        "Pass on standard input; -i=false does not [true]");
    app->add_flag_function(
        "-t,--tty,!--no-tty", [this](std::int64_t on) { exec.terminal = on > 0; },
        "A terminal for the command; -t=false for none [whether this is one]");
    app->add_option("-e,--escape", exec.escape, "The escape character, or none")
        ->check([](const std::string& text) {
            return text.size() == 1 || text == "none" ? "" : "must be one character, or none";
        })
        ->capture_default_str();
    app->callback([this] {
        if (!exec.argv.empty() && exec.argv.front() == "--") exec.argv.erase(exec.argv.begin());
        if (exec.argv.empty()) throw CLI::RequiredError("A command behind the allocation");
        out.command = exec;
    });
}

}  // namespace gaggle::cli
