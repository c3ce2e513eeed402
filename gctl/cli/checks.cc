#include "gctl/cli/checks.h"

#include <algorithm>
#include <tuple>

#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

constexpr std::size_t kOutputShown = 120;

/// No line break and nothing that a terminal would obey: a task may have written it.
std::string on_one_line(const std::string& text) {
    std::string out;
    for (const char letter : text) {
        const bool plain = static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7f;
        if (plain)
            out += letter;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    if (out.size() <= kOutputShown) return out;
    std::size_t end = kOutputShown;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
    return out.substr(0, end) + "...";
}

bool any_check(const Json& services) {
    const auto all = services.items();
    return std::any_of(all.begin(), all.end(),
                       [](const Json& service) { return !service["Checks"].items().empty(); });
}

Tone tone_of(const std::string& status) {
    if (status == "success") return Tone::good;
    return status == "failure" ? Tone::bad : Tone::warn;
}

}  // namespace

std::vector<CheckView> checks_of(const Json& json) {
    std::vector<CheckView> out;
    for (const auto& [id, check] : json.fields())
        out.push_back({.service = check["Service"].text(),
                       .task = check["Task"].text(),
                       .name = check["Check"].text(),
                       .mode = check["Mode"].text(),
                       .status = check["Status"].text(),
                       .output = check["Output"].text(),
                       .code = check["StatusCode"].whole(),
                       .checked = check["Timestamp"].whole()});
    std::stable_sort(out.begin(), out.end(), [](const CheckView& a, const CheckView& b) {
        return std::tie(a.service, a.task, a.name) < std::tie(b.service, b.task, b.name);
    });
    return out;
}

bool has_checks(const Json& job, const std::string& group) {
    for (const Json& one : job["TaskGroups"].items()) {
        if (one["Name"].text() != group) continue;
        if (any_check(one["Services"])) return true;
        for (const Json& task : one["Tasks"].items())
            if (any_check(task["Services"])) return true;
    }
    return false;
}

std::string check_table(const Console& console, const std::vector<CheckView>& checks) {
    std::vector<Row> rows{{"Service", "Task", "Name", "Mode", "Status", "Last Result", "Output"}};
    for (const CheckView& check : checks) {
        const WallTime at{check.checked * 1'000'000'000};
        rows.push_back({check.service, check.task.empty() ? "(group)" : check.task, check.name,
                        check.mode, console.paint(tone_of(check.status), check.status),
                        check.checked == 0 ? "none yet" : when(at), on_one_line(check.output)});
    }
    return table(rows);
}

}  // namespace gaggle::cli
