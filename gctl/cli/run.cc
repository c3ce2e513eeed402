#include "gctl/cli/commands.h"
#include "gctl/cli/options.h"

namespace gaggle::cli {

namespace {

constexpr int kPlanFailed = 255;  // Nomad's: 0 and 1 are answers of `job plan`

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, const World& world,
                     const Console::Sink& out, const Console::Sink& err) {
    const ParsedLine line = parse_command_line(arguments, world.default_data_dir);
    if (!line.invocation) {
        (line.exit_code == 0 ? out : err)(line.text);
        return line.exit_code;
    }
    const Invocation& asked = *line.invocation;
    const bool dumb = world.variable({"TERM"}) == "dumb";
    const bool colour =
        world.terminal && !dumb && !asked.no_color && world.variable({"NO_COLOR"}).empty();
    Console console(out, err, colour);
    const Context context{
        .world = world, .console = console, .connect = asked.connect, .json = asked.json};
    const auto code =
        std::visit([&](const auto& command) { return run(command, context); }, asked.command);
    if (code.ok()) return *code;
    console.note(console.paint(Tone::bad, "Error:") + " " + code.error().detail);
    return std::holds_alternative<JobPlan>(asked.command) ? kPlanFailed : 1;
}

}  // namespace gaggle::cli
