// The program `gctl`: arguments and environment in, exit code out.
#include "gctl/cli/commands.h"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + std::min(1, argc), argv + argc);
    return gaggle::cli::run_command_line(arguments, gaggle::cli::real_world(),
                                         gaggle::cli::write_out, gaggle::cli::write_err);
}
