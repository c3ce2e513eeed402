#include <CLI/CLI.hpp>

#include "gctl/cli/completion.h"
#include "gctl/cli/nomad_words.h"
#include "gctl/cli/option_builder.h"
#include "gctl/cli/options.h"
#include "placement/jobspec/convert.h"
#include "placement/jobspec/diagnostic.h"

namespace gaggle::cli {

namespace {

constexpr const char* kAbout =
    "gctl: one scheduler out of many machines, with no servers.\n"
    "Every machine runs `gctl agent`; every other command asks the agent on this one.";

const char* const kExamples =
    "Examples:\n"
    "  gctl agent --dev                    try it: one peer, temporary data\n"
    "  gctl job run redis.nomad            start what a job file describes\n"
    "  gctl job status redis               see where it runs\n\n"
    "Every command explains itself with --help. Documents as JSON: --json.\n"
    "Environment: GCTL_ADDR or NOMAD_ADDR (which agent), GCTL_TOKEN or NOMAD_TOKEN, NO_COLOR.";

/// "1h30m" into a Duration, or an error message as CLI11 wants it.
void set_duration(const std::string& option, const std::string& text, Duration& to) {
    const auto span = as_duration(Value{text});
    if (!span.ok()) throw CLI::ValidationError(option, span.error().detail);
    if (*span <= Duration::zero()) throw CLI::ValidationError(option, "must be more than nothing");
    to = *span;
}

void set_level(const std::string& text, log::Level& to) {
    const std::map<std::string, log::Level> levels{
        {"trace", log::Level::trace}, {"debug", log::Level::debug}, {"info", log::Level::info},
        {"warn", log::Level::warn},   {"error", log::Level::error}, {"off", log::Level::off}};
    const auto found = levels.find(text);
    if (found == levels.end())
        throw CLI::ValidationError("--log-level", "\"" + text +
                                                      "\" is none of trace, debug, info, warn, "
                                                      "error, off");
    to = found->second;
}

void set_on_off(const std::string& option, const std::string& text, bool& to) {
    if (text != "on" && text != "off")
        throw CLI::ValidationError(option, "\"" + text + "\" is neither on nor off");
    to = text == "on";
}

template <class Quantity>
void add_total(CLI::App* app, const std::string& name, std::optional<Quantity>& to,
               const std::string& what) {
    app->add_option_function<std::int64_t>(
           name, [&to](const std::int64_t& count) { to = Quantity{count}; }, what)
        ->check(whole_number(1));
}

CLI::Option* add_port(CLI::App* app, const std::string& name, std::optional<std::uint16_t>& to) {
    return app
        ->add_option_function<std::uint32_t>(
            name, [&to](const std::uint32_t& port) { to = static_cast<std::uint16_t>(port); },
            "Peer port: control; bulk is one above, the lobby two [4647]")
        ->check(whole_number(1, 65533));
}

/// What `init` and `agent` both say about where a peer listens.
void add_listen(CLI::App* app, Listen& listen) {
    app->add_option("--bind", listen.bind, "Address to listen on for peers")->capture_default_str();
    app->add_option("--port", listen.port, "Peer port: control; bulk one above, the lobby two")
        ->check(whole_number(1, 65533))
        ->capture_default_str();
    app->add_option("--advertise", listen.advertise, "Host that the others dial [the bound one]");
}

/// For groups with a network of their own.
void add_networks(CLI::App* app, allocrunner::NetworkSettings& to) {
    app->add_option("--cni-path", to.cni_path, "Folders of CNI plugins")->capture_default_str();
    app->add_option("--cni-config-dir", to.cni_config_dir, "CNI configurations for cni/<name>")
        ->capture_default_str();
    app->add_option("--bridge-name", to.bridge_name, "The bridge of network mode bridge")
        ->capture_default_str();
    app->add_option("--bridge-subnet", to.bridge_subnet, "Its addresses")->capture_default_str();
}

/// When a peer lets go of what is finished, in the words of Nomad's `client` block.
void add_collection(CLI::App* app, allocrunner::Config& to) {
    app->add_option("--gc-max-allocs", to.finished_kept_max,
                    "Directories of finished allocations to keep")
        ->check(whole_number(0, 1'000'000))
        ->capture_default_str();
    app->add_option("--gc-disk-usage-threshold", to.disk_percent_max,
                    "Percent of the disk: when more is used, the oldest of them go")
        ->check(whole_number(0, 100))
        ->capture_default_str();
    app->add_option("--gc-inode-usage-threshold", to.inodes_percent_max,
                    "Percent of its inodes: likewise")
        ->check(whole_number(0, 100))
        ->capture_default_str();
}

/// Which drivers a peer offers, and what tasks may ask of them.
void add_drivers(CLI::App* app, AgentOptions& to) {
    app->add_option_function<std::string>(
        "--raw-exec",
        [&to](const std::string& text) { set_on_off("--raw-exec", text, to.raw_exec); },
        "on or off: run tasks as plain processes of this user [on]");
    app->add_option_function<std::string>(
        "--exec-root",
        [&to](const std::string& text) { set_on_off("--exec-root", text, to.exec_root); },
        "on or off: tasks of driver exec may run as root [off]");
    app->add_option("--allow-caps", to.caps_allowed,
                    "Capabilities that tasks may add to the default list, or all")
        ->delimiter(',');
    app->add_option("--docker-socket", to.docker_socket, "Where Docker or Podman listens")
        ->capture_default_str();
    app->add_option_function<std::string>(
        "--docker-privileged",
        [&to](const std::string& text) {
            set_on_off("--docker-privileged", text, to.docker_privileged);
        },
        "on or off: containers may be privileged [off]");
    app->add_option_function<std::string>(
        "--docker-volumes",
        [&to](const std::string& text) { set_on_off("--docker-volumes", text, to.docker_volumes); },
        "on or off: containers may mount paths of this machine [on]");
}

}  // namespace

CLI::App* OptionBuilder::topic(const std::string& name, const std::string& what,
                               const std::string& example) {
    CLI::App* app = root->add_subcommand(name, what);
    app->group("Commands");
    app->footer("Example:\n  " + example + "\n\nSee `gctl " + name + " COMMAND --help`.");
    app->require_subcommand(1);
    return app;
}

CLI::App* OptionBuilder::command(CLI::App* parent, const std::string& name, const std::string& what,
                                 const std::string& example, bool talks) {
    CLI::App* app = parent->add_subcommand(name, what);
    app->group("Commands");
    app->footer("Example:\n  " + example);
    if (!talks) return app;
    const std::string group = "General options";
    app->add_option("--address", out.connect.address, "The agent's API [$GCTL_ADDR, $NOMAD_ADDR]")
        ->group(group);
    app->add_option("--token", out.connect.token, "Its token [$GCTL_TOKEN, $NOMAD_TOKEN, a file]")
        ->group(group);
    app->add_option("--token-file", out.connect.token_file, "File that holds the token")
        ->group(group);
    app->add_option("--namespace", out.connect.name_space, "Namespace [$NOMAD_NAMESPACE]")
        ->group(group);
    app->add_flag("--json", out.json, "The API's own JSON")->group(group);
    app->add_flag("--no-color", out.no_color, "No colours, also on a terminal")->group(group);
    return app;
}

void OptionBuilder::add_agent() {
    AgentOptions& to = agent.options;
    CLI::App* app =
        command(root, "agent", "Run a peer on this machine",
                "gctl agent --dev\n"
                "  gctl agent --data-dir /var/lib/gaggle --invitation-file invitation.txt",
                false);
    app->add_flag("--dev", to.dev,
                  "One peer, a region of its own, no root needed; its tasks and data go when it "
                  "ends, unless --data-dir keeps both");
    app->add_option("--data-dir", to.data_dir, "Where the peer keeps its data [" + data_dir + "]");
    app->add_option("--invitation-file", to.invitation_file,
                    "Join with the line in this file; - reads standard input");
    app->add_option("--bind", to.bind, "Address to listen on for peers [127.0.0.1]");
    add_port(app, "--port", to.port);
    app->add_option("--advertise", to.advertise, "Host that the others dial [the bound one]");
    app->add_option("--name", to.name, "A label for this peer [the host name]");
    app->add_option("--datacenter,--dc", to.datacenter, "Where it stands [dc1]");
    app->add_option("--region", to.region, "Name of the region, with --dev [global]");
    app->add_option("--node-class", to.node_class, "For constraints on ${node.class}");
    app->add_option_function<std::vector<std::string>>(
           "--meta",
           [&to](const std::vector<std::string>& pairs) {
               for (const std::string& pair : pairs) {
                   const auto equals = pair.find('=');
                   if (equals == std::string::npos || equals == 0)
                       throw CLI::ValidationError("--meta", "\"" + pair + "\" is not key=value");
                   to.meta[pair.substr(0, equals)] = pair.substr(equals + 1);
               }
           },
           "key=value for constraints on ${meta.key}; may be repeated")
        ->allow_extra_args(false);
    app->add_option("--http-bind", to.http_bind, "Address of the HTTP API [loopback]");
    app->add_option("--http-port", to.http_port, "Port of the HTTP API")
        ->check(whole_number(0, 65535))
        ->capture_default_str();
    app->add_option("--dns", to.dns,
                    "Where services are told by DNS: ADDRESS, ADDRESS:PORT or off [loopback:4653]");
    app->add_option_function<std::string>(
        "--log-level", [&to](const std::string& text) { set_level(text, to.log_level); },
        "trace, debug, info, warn, error or off [info]");
    add_total(app, "--cpu-total", to.cpu_total, "MHz to offer [what the machine has]");
    add_total(app, "--memory-total", to.memory_total, "MiB to offer [what the machine has]");
    add_total(app, "--disk-total", to.disk_total, "MiB to offer [what is free]");
    app->add_option_function<std::string>(
        "--max-kill-timeout",
        [&to](const std::string& text) {
            set_duration("--max-kill-timeout", text, to.max_kill_timeout);
        },
        "The most that a task's kill_timeout counts for [30s]");
    add_collection(app, to.collection);
    add_drivers(app, to);
    add_networks(app, to.networks);
    app->add_option_function<std::string>(
        "--file-artifacts",
        [&to](const std::string& text) { set_on_off("--file-artifacts", text, to.file_artifacts); },
        "on or off: artifacts may be files of this machine [off]");
    app->callback([this] {
        if (!agent.options.dev && agent.options.data_dir.empty()) agent.options.data_dir = data_dir;
        if (!agent.options.dev && agent.options.region)
            throw CLI::ValidationError("--region",
                                       "goes with --dev; otherwise the region is the "
                                       "one that was founded or joined");
        if (agent.options.dev && !agent.options.invitation_file.empty())
            throw CLI::ValidationError("--invitation-file",
                                       "does not go with --dev, which makes "
                                       "a region of its own");
        out.command = agent;
    });
}

void OptionBuilder::add_cluster() {
    CLI::App* cluster = topic("cluster", "Found a cluster, invite peers, put them out",
                              "gctl cluster init --bind 10.0.0.1");

    CLI::App* app = command(cluster, "init", "Found a cluster with this machine as its first peer",
                            "gctl cluster init --bind 10.0.0.1 --region north\n"
                            "  gctl agent",
                            false);
    init.options.data_dir = data_dir;
    app->add_option("--data-dir", init.options.data_dir, "Where the peer keeps its data")
        ->capture_default_str();
    app->add_option("--region", init.options.region, "Name of the region")->capture_default_str();
    app->add_option("--datacenter,--dc", init.options.datacenter, "Where this peer stands")
        ->capture_default_str();
    app->add_option("--name", init.options.name, "A label for this peer [the host name]");
    add_listen(app, init.options.listen);
    app->add_flag("--json", out.json, "The result as JSON");
    app->add_flag("--no-color", out.no_color, "No colours, also on a terminal");
    app->callback([this] { out.command = init; });

    app = command(cluster, "invite", "Print a line with which other machines can join",
                  "gctl cluster invite --uses 2 --expires 1h > invitation.txt\n\n"
                  "The line is a secret: who has it can join until it is used up or expired.");
    invite.options.data_dir = data_dir;
    app->add_option("--data-dir", invite.options.data_dir, "The founder's data directory")
        ->capture_default_str();
    app->add_option("--uses", invite.options.uses, "How many machines may join with it")
        ->check(whole_number(1, 1'000'000))
        ->capture_default_str();
    app->add_option_function<std::string>(
        "--expires",
        [this](const std::string& text) {
            set_duration("--expires", text, invite.options.valid_for);
        },
        "How long it is good for, as 30m, 12h [1h]");
    app->add_option_function<std::string>(
        "--rights",
        [this](const std::string& text) {
            const auto rights = parse_rights(text);
            if (!rights.ok()) throw CLI::ValidationError("--rights", rights.error().detail);
            invite.options.rights = *rights;
        },
        "What the newcomers may do [submit,run,hold,vote]");
    app->add_option("--datacenter,--dc", invite.options.datacenter,
                    "Only for this datacenter [any]");
    app->callback([this] { out.command = invite; });

    app = command(cluster, "expel", "Put a peer out for good: its key is admitted nowhere any more",
                  "gctl cluster expel 1f0c3a52");
    expel.data_dir = data_dir;
    app->add_option("PEER", expel.peer, "Its id, the beginning of it, or its name")
        ->required()
        ->option_text(" ");
    app->add_option("--data-dir", expel.data_dir, "The founder's data directory")
        ->capture_default_str();
    app->callback([this] { out.command = expel; });
}

namespace {

/// For the completion script: each command with its words, from the very app that parses them.
void collect(const CLI::App& app, const std::string& path, std::vector<CommandWords>& out) {
    CommandWords words{.path = path, .subcommands = {}, .options = {}};
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        words.subcommands.push_back(sub->get_name());
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) words.options.push_back("--" + name);
    out.push_back(words);
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
}

bool is_number(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return type.starts_with("UINT") || type.starts_with("INT");
}

/// "N" and "TEXT" in place of C++'s types and ranges, defaults at the end in brackets.
void tidy_help(CLI::App& app) {
    app.get_formatter()->column_width(30);
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    for (CLI::Option* option : app.get_options()) {
        if (option->get_positional() || option->get_items_expected_max() == 0) continue;
        const std::string preset = option->get_default_str();
        if (!preset.empty()) option->description(option->get_description() + " [" + preset + "]");
        if (option->get_option_text().empty())
            option->option_text(is_number(*option) ? "N" : "TEXT");
    }
    for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) tidy_help(*sub);
}

/// "--diff / --no-diff" for the parser's "--diff,--no-diff{false}", of the same width where
/// something follows.
std::string negations_shown(std::string help) {
    constexpr std::string_view kMark = "{false}";
    for (std::size_t end = 0; (end = help.find(kMark)) != std::string::npos;) {
        const std::size_t comma = help.rfind(',', end);
        if (comma == std::string::npos) return help;
        const std::string name = help.substr(comma + 1, end - comma - 1);
        const std::size_t after = end + kMark.size();
        const bool alone = after >= help.size() || help[after] == '\n';
        help.replace(comma, after - comma, " / " + name + (alone ? "" : "     "));
    }
    return help;
}

/// The help with one empty line between its parts and one newline at its end.
std::string help_of(const CLI::App& app, const std::string& path) {
    const auto last = path.rfind(' ');
    std::string out = app.help(last == std::string::npos ? "" : path.substr(0, last));
    for (std::size_t at = 0; (at = out.find("\n\n\n", at)) != std::string::npos;) out.erase(at, 1);
    while (out.ends_with('\n')) out.pop_back();
    return negations_shown(out) + "\n";
}

/// The command that the first words lead to, as far as they do.
struct Led {
    const CLI::App* app;
    std::string path;
    std::string unknown;  ///< the word that leads nowhere; empty: none
};

Led follow(const CLI::App& root, const std::vector<std::string>& words) {
    Led out{.app = &root, .path = "gctl", .unknown = ""};
    for (const std::string& word : words) {
        const auto subs = out.app->get_subcommands([](const CLI::App*) { return true; });
        if (subs.empty() || word.starts_with('-')) return out;
        const auto found = std::find_if(
            subs.begin(), subs.end(), [&](const CLI::App* sub) { return sub->get_name() == word; });
        if (found == subs.end()) {
            out.unknown = word;
            return out;
        }
        out.app = *found;
        out.path += " " + word;
    }
    return out;
}

std::vector<const CLI::App*> parts_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

/// Whole commands that end in `word`, wherever they are: "`gctl job run`".
std::vector<std::string> commands_named(const CLI::App& app, const std::string& path,
                                        const std::string& word) {
    std::vector<std::string> out;
    for (const CLI::App* sub : parts_of(app)) {
        const std::string whole = path + " " + sub->get_name();
        if (sub->get_name() == word) out.push_back("`" + whole + "`");
        for (std::string& deeper : commands_named(*sub, whole, word))
            out.push_back(std::move(deeper));
    }
    return out;
}

/// What was meant by a word that is no command here: one of another topic by that very name (as
/// Nomad's `nomad run`, or `nomad node-status` of old), the nearest one here, the nearest anywhere.
std::string meant_by(const Led& led, const CLI::App& root) {
    const auto some = [&](const std::string& word) {
        std::string text;
        for (const std::string& one : commands_named(root, "gctl", word))
            text += (text.empty() ? "did you mean " : " or ") + one;
        return text.empty() ? text : text + "?";
    };
    if (const std::string elsewhere = some(led.unknown); !elsewhere.empty()) return elsewhere;
    std::vector<std::string> here, anywhere;
    for (const CLI::App* topic : parts_of(root))
        for (const CLI::App* sub : parts_of(*topic)) {
            if (topic->get_name() + "-" + sub->get_name() == led.unknown)
                return "did you mean `gctl " + topic->get_name() + " " + sub->get_name() + "`?";
            anywhere.push_back(sub->get_name());
        }
    for (const CLI::App* sub : parts_of(*led.app)) here.push_back(sub->get_name());
    if (const std::string near = nearest(led.unknown, here); !near.empty())
        return "did you mean `" + near + "`?";
    if (const std::string near = nearest(led.unknown, anywhere); !near.empty()) return some(near);
    return did_you_mean(led.unknown, here);
}

ParsedLine unknown_command(const Led& led, const CLI::App& root,
                           const std::vector<std::string>& words) {
    std::string hint = nomad_hint(words);
    if (hint.empty()) hint = meant_by(led, root);
    return {.invocation = {},
            .exit_code = 1,
            .text = "Error: `" + led.path + "` has no command `" + led.unknown + "`" +
                    (hint.empty() ? "" : "; " + hint) + "\n  See `" + led.path + " --help`.\n"};
}

}  // namespace

ParsedLine parse_command_line(const std::vector<std::string>& arguments,
                              const std::string& data_dir) {
    CLI::App app(kAbout, "gctl");
    app.require_subcommand(1);
    bool asks_version = false;  // only for the help: the word is taken as the command, see below
    app.add_flag("--version", asks_version, "Print the version");
    app.footer(kExamples);
    OptionBuilder builder;
    builder.root = &app;
    builder.data_dir = data_dir;
    builder.add_agent();
    builder.add_cluster();
    builder.add_jobs();
    builder.add_allocations();
    builder.add_inside();
    builder.add_exec();
    builder.add_actions();
    builder.add_nodes();
    builder.add_services();
    CLI::App* version =
        builder.command(&app, "version", "Print the version", "gctl version", false);
    version->add_flag("--json", builder.out.json, "As JSON");
    version->callback([&] { builder.out.command = Version{}; });
    CLI::App* completion = builder.topic("completion", "Print a script for the shell's tab key",
                                         "source <(gctl completion bash)");
    builder.command(completion, "bash", "For bash", "source <(gctl completion bash)", false)
        ->callback([&] {
            std::vector<CommandWords> words;
            collect(app, "", words);
            builder.out.command = Completion{bash_completion(words)};
        });
    tidy_help(app);
    std::vector<std::string> words = with_double_dashes(arguments);
    const auto command = words.begin() + static_cast<std::ptrdiff_t>(own_words(arguments));
    builder.exec.argv.assign(command, words.end());
    words.erase(command, words.end());
    if (!words.empty() && words.front() == "--version") words.front() = "version";
    const Led led = follow(app, words);
    if (!led.unknown.empty()) return unknown_command(led, app, words);
    const bool bare = !led.app->get_subcommands([](const CLI::App*) { return true; }).empty();
    try {
        // CLI11 takes them from the back.
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::CallForHelp&) {
        return {.invocation = {}, .exit_code = 0, .text = help_of(*led.app, led.path)};
    } catch (const CLI::ParseError& error) {
        if (bare && words.empty() == (led.app == &app))
            return {.invocation = {}, .exit_code = 1, .text = help_of(*led.app, led.path)};
        return {
            .invocation = {},
            .exit_code = led.path == "gctl job plan" ? 255 : 1,  // 255 as Nomad's
            .text = "Error: " + words_of(error, app, *led.app, led.path) + "\n  See `" + led.path +
                    " --help`.\n"};
    }
    return {.invocation = builder.out, .exit_code = 0, .text = ""};
}

}  // namespace gaggle::cli
