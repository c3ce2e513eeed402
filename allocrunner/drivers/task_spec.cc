#include "allocrunner/drivers/task_spec.h"

#include <algorithm>

namespace gaggle::allocrunner {

std::int64_t cpu_shares(const Resources& asked) {
    constexpr std::int64_t kLeast = 2;
    constexpr std::int64_t kOfOneCore = 1'024;
    return std::max(kLeast, asked.cores > 0 ? asked.cores * kOfOneCore : asked.cpu.value);
}

TaskSpec common_spec(std::string_view driver, const Value::Map& config,
                     const TaskContext& context) {
    TaskSpec spec;
    spec.driver = driver;
    spec.env = context.env;
    spec.task_dir = context.task_dir;
    spec.user = context.user;
    spec.logs = {.files_max = context.logs.files_max,
                 .file_bytes = context.logs.file_size.value * (1LL << 20U),
                 .disabled = context.logs.disabled};
    spec.config = config;
    spec.resources = context.resources;
    spec.ports = context.ports;
    spec.network = context.network;
    spec.labels = context.labels;
    return spec;
}

}  // namespace gaggle::allocrunner
