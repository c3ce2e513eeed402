#include <fmt/core.h>

#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::string_view kOptions = "command, args, work_dir, oom_score_adj, denied_envvars";

template <class T>
const T* get(const Value::Map& config, const char* option) {
    const auto found = config.find(option);
    return found == config.end() ? nullptr : std::get_if<T>(&found->second.data);
}

Error wrong(std::string_view option, std::string_view wanted) {
    return {Errc::invalid,
            fmt::format("config of driver raw_exec: option {} must be {}; write "
                        "for instance {}",
                        option, wanted,
                        option == "args"             ? "args = [\"--port\", \"80\"]"
                        : option == "oom_score_adj"  ? "oom_score_adj = 500"
                        : option == "denied_envvars" ? "denied_envvars = [\"AWS_PROFILE\"]"
                        : option == "work_dir"       ? "work_dir = \"/srv\""
                                                     : "command = \"/usr/bin/env\"")};
}

Result<std::vector<std::string>> texts(const Value::Map& config, const char* option) {
    std::vector<std::string> out;
    if (config.count(option) == 0) return out;
    const auto* list = get<Value::List>(config, option);
    if (list == nullptr) return wrong(option, "a list of strings");
    for (const Value& item : *list) {
        const auto* text = std::get_if<std::string>(&item.data);
        if (text == nullptr || text->find('\0') != std::string::npos)
            return wrong(option, "a list of strings");
        out.push_back(*text);
    }
    return out;
}

Result<void> validate(const Value::Map& config) {
    for (const auto& [option, value] : config)
        if (option != "command" && option != "args" && option != "work_dir" &&
            option != "oom_score_adj" && option != "denied_envvars")
            return {Errc::invalid, fmt::format("config of driver raw_exec: unknown option {}; it "
                                               "knows {}",
                                               option, kOptions)};
    const auto* command = get<std::string>(config, "command");
    if (command == nullptr || command->empty() || command->find('\0') != std::string::npos)
        return wrong("command", "a string that is not empty");
    TRY(texts(config, "args"));
    TRY(texts(config, "denied_envvars"));
    if (config.count("work_dir") != 0 && get<std::string>(config, "work_dir") == nullptr)
        return wrong("work_dir", "a string");
    if (config.count("oom_score_adj") != 0) {
        const auto* score = get<std::int64_t>(config, "oom_score_adj");
        if (score == nullptr || *score < -1000 || *score > 1000)
            return wrong("oom_score_adj", "a whole number from -1000 to 1000");
    }
    return {};
}

}  // namespace

bool is_known_driver(std::string_view name) { return name == "raw_exec"; }

Result<void> validate_driver_config(std::string_view driver, const Value::Map& config) {
    if (!is_known_driver(driver))
        return {Errc::invalid,
                fmt::format("driver \"{}\" is not known; this version has raw_exec", driver)};
    return validate(config);
}

Result<TaskSpec> make_task_spec(std::string_view driver, const Value::Map& config,
                                const TaskContext& context) {
    const Result<void> judged = validate_driver_config(driver, config);
    if (!judged) return judged.error();
    TaskSpec spec;
    spec.argv.push_back(*get<std::string>(config, "command"));
    for (std::string& arg : TRY(texts(config, "args"))) spec.argv.push_back(std::move(arg));
    spec.env = context.env;
    for (const std::string& name : TRY(texts(config, "denied_envvars"))) spec.env.erase(name);
    spec.task_dir = context.task_dir;
    const auto* work_dir = get<std::string>(config, "work_dir");
    spec.work_dir = work_dir == nullptr || work_dir->empty() ? context.task_dir : *work_dir;
    if (spec.work_dir.front() != '/') return wrong("work_dir", "an absolute path");
    spec.user = context.user;
    spec.network = context.network;
    spec.logs = {.files_max = context.logs.files_max,
                 .file_bytes = context.logs.file_size.value * (1LL << 20U),
                 .disabled = context.logs.disabled};
    if (const auto* score = get<std::int64_t>(config, "oom_score_adj")) spec.oom_score_adj = *score;
    return spec;
}

}  // namespace gaggle::allocrunner
