#include "gctl/agent/render_task.h"

#include <charconv>

namespace gaggle {

namespace {

using allocrunner::TaskEvent;

std::string detail(const TaskEvent& event, const char* name) {
    const auto found = event.details.find(name);
    return found == event.details.end() ? "" : found->second;
}

std::int64_t number(const TaskEvent& event, const char* name) {
    const std::string text = detail(event, name);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Value render_event(const TaskEvent& event) {
    return val(Object{{"Type", val(allocrunner::to_string(event.type))},
                      {"Time", val(event.at)},
                      {"DisplayMessage", val(event.message)},
                      {"Details", val(event.details)},
                      {"Message", val(detail(event, "message"))},
                      {"FailsTask", val(detail(event, "fails_task") == "true")},
                      {"RestartReason", val(detail(event, "restart_reason"))},
                      {"SetupError", val(detail(event, "setup_error"))},
                      {"DriverError", val(detail(event, "driver_error"))},
                      {"DriverMessage", val("")},
                      {"ExitCode", val(number(event, "exit_code"))},
                      {"Signal", val(number(event, "signal"))},
                      {"KillTimeout", val(0)},
                      {"KillError", val("")},
                      {"KillReason", val("")},
                      {"StartDelay", val(number(event, "start_delay"))},
                      {"DownloadError", val("")},
                      {"ValidationError", val(detail(event, "validation_error"))},
                      {"DiskLimit", val(number(event, "disk_limit"))},
                      {"DiskSize", val(number(event, "disk_size"))},
                      {"FailedSibling", val(detail(event, "failed_sibling"))},
                      {"VaultError", val("")},
                      {"TaskSignalReason", val("")},
                      {"TaskSignal", val("")},
                      {"GenericSource", val("")}});
}

}  // namespace

Value render_task_state(const allocrunner::TaskState& state) {
    List events;
    for (const TaskEvent& event : state.events) events.push_back(render_event(event));
    return val(Object{{"State", val(allocrunner::to_string(state.phase))},
                      {"Failed", val(state.failed)},
                      {"Restarts", val(state.restarts)},
                      {"LastRestart", moment(state.last_restart)},
                      {"StartedAt", moment(state.started)},
                      {"FinishedAt", moment(state.finished)},
                      {"Events", val(std::move(events))},
                      {"TaskHandle", null()}});
}

Value render_task_states(const std::map<std::string, allocrunner::TaskState>& tasks) {
    Object out;
    for (const auto& [name, state] : tasks) out[name] = render_task_state(state);
    return or_null(out);
}

}  // namespace gaggle
