#include "gctl/cli/checks.h"
#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "gctl/cli/usage.h"

namespace gaggle::cli {

namespace {

constexpr std::size_t kEventsShown = 10;

class Page {
  public:
    Page(const Context& context, const AllocStatus& command, AllocUse use, std::string checks)
        : context_(context),
          verbose_(command.verbose),
          stats_(command.stats),
          use_(std::move(use)),
          checks_(std::move(checks)) {}

    /// `due`: when a failed one may be replaced; "" when it does not wait for that.
    void show(const AllocView& alloc, const std::string& due) {
        head(alloc, due);
        ports(alloc);
        if (!checks_.empty()) section("Nomad Service Checks", checks_);
        copies(alloc);
        for (const TaskView& task : alloc.tasks) show(task, alloc.disk);
        if (!verbose_) return;
        const std::string scores = score_table(alloc.metrics, alloc.stub.node_id.size());
        if (!scores.empty()) section("Placement Metrics", scores);
    }

  private:
    std::string shown(const std::string& id) const { return verbose_ ? id : short_id(id); }
    std::string since(WallTime time) const { return ago(time, context_.world.now()); }

    void section(const std::string& title, const std::string& text) {
        context_.console.line("\n" + context_.console.paint(Tone::strong, title));
        context_.console.print(text);
    }

    void head(const AllocView& alloc, const std::string& due) {
        const AllocStub& stub = alloc.stub;
        std::vector<std::pair<std::string, std::string>> fields{
            {"ID", stub.id},
            {"Eval ID", shown(stub.eval_id)},
            {"Name", stub.name},
            {"Node ID", shown(stub.node_id)},
            {"Node Name", stub.node_name},
            {"Job ID", stub.job_id},
            {"Job Version", std::to_string(stub.version)},
            {"Client Status", status_text(context_.console, stub.client)},
            {"Client Description", stub.description},
            {"Desired Status", stub.desired},
            {"Desired Description", alloc.stub.desired_description},
            {"Created", since(stub.created)},
            {"Modified", since(stub.modified)}};
        const RescheduleView& past = alloc.reschedules;
        if (past.attempts_max > 0 && past.attempts > 0)
            fields.emplace_back("Reschedule Attempts", std::to_string(past.attempts) + "/" +
                                                           std::to_string(past.attempts_max));
        if (!alloc.previous_allocation.empty())
            fields.emplace_back("Previous Alloc ID", shown(alloc.previous_allocation));
        if (!alloc.next_allocation.empty())
            fields.emplace_back("Replacement Alloc ID", shown(alloc.next_allocation));
        if (!due.empty()) fields.emplace_back("Reschedule Eligibility", due);
        context_.console.print(field_list(fields));
    }

    void ports(const AllocView& alloc) {
        if (alloc.ports.empty()) return;
        std::vector<Row> rows{{"Label", "Dynamic", "Address"}};
        for (const PortView& port : alloc.ports) {
            const bool v6 = port.host_ip.find(':') != std::string::npos;
            std::string address =
                (v6 ? "[" + port.host_ip + "]" : port.host_ip) + ":" + std::to_string(port.value);
            if (port.to > 0 && port.to != port.value) address += " -> " + std::to_string(port.to);
            rows.push_back({port.label, port.dynamic ? "yes" : "no", address});
        }
        section("Allocation Addresses", table(rows));
    }

    void copies(const AllocView& alloc) {
        if (alloc.copies.empty()) return;
        std::vector<Row> rows{{"Held By", "Peer ID", "Version", "Age", "State"}};
        for (const CopyView& copy : alloc.copies) {
            const std::string version = copy.version ? std::to_string(*copy.version) : "?";
            const Tone tone = copy.complete ? Tone::good : Tone::warn;
            rows.push_back(
                {copy.peer_name, shown(copy.peer_id),
                 std::to_string(copy.generation) + "." + version,
                 copy.age_ms ? for_people(std::chrono::milliseconds(*copy.age_ms)) : "unknown",
                 context_.console.paint(tone, copy.complete ? "complete" : "incomplete")});
        }
        section("Copies of its data", table(rows));
    }

    void show(const TaskView& task, std::int64_t disk) {
        context_.console.line(
            "\n" + context_.console.paint(Tone::strong, "Task ") + "\"" + task.name + "\" is \"" +
            status_text(context_.console, task.failed ? "failed" : task.state) + "\"");
        std::string memory = mebibytes(task.memory);
        if (task.memory_max > task.memory) memory += " (max " + mebibytes(task.memory_max) + ")";
        const auto found = use_.tasks.find(task.name);
        const bool known = found != use_.tasks.end();
        const std::string cpu =
            known ? std::to_string(static_cast<std::int64_t>(found->second.mhz)) + "/" : "";
        const std::string now = known ? human_bytes(found->second.used) + "/" : "";
        const std::string taken = use_.disk >= 0 ? human_bytes(use_.disk) + "/" : "";
        context_.console.line("Task Resources");
        context_.console.print(table(
            {{"CPU", "Memory", "Disk"},
             {cpu + std::to_string(task.cpu) + " MHz" + cores_text(task), now + memory,
              taken + mebibytes(disk)}}));
        if (stats_ && known) context_.console.print("\n" + use_tables(found->second));
        context_.console.line("\nTask Events:");
        context_.console.print(field_list({{"Started At", when_or_na(task.started)},
                                           {"Finished At", when_or_na(task.finished)},
                                           {"Total Restarts", std::to_string(task.restarts)},
                                           {"Last Restart", when_or_na(task.last_restart)}}));
        std::vector<Row> rows{{"Time", "Type", "Description"}};
        for (auto event = task.events.rbegin(); event != task.events.rend(); ++event)
            if (verbose_ || rows.size() <= kEventsShown)
                rows.push_back({when(event->time), event->type, event->message});
        context_.console.line("\nRecent Events:");
        context_.console.print(table(rows));
    }

    /// Of a task with processors of its own.
    static std::string cores_text(const TaskView& task) {
        if (task.cores.empty()) return "";
        return (task.cores.find(',') == std::string::npos ? " (core " : " (cores ") + task.cores +
               ")";
    }

    const Context& context_;
    bool verbose_;
    bool stats_;
    AllocUse use_;
    std::string checks_;  ///< as a table; empty: it has none
};

/// Nothing for an allocation that does not run. Only on demand: a peer that is silent costs time.
Result<AllocUse> measured(const Api& api, const AllocStub& alloc, bool wanted) {
    if (!wanted || alloc.client != "running") return AllocUse{};
    const Value stats = TRY(api.get("measure allocation " + short_id(alloc.id),
                                    "/v1/client/allocation/" + alloc.id + "/stats"));
    return alloc_use_of(Json(stats));
}

/// Nothing of an allocation that does not run, and of one without checks. The rest of the page is
/// worth showing also when its peer is silent.
std::string checks_text(const Context& context, const Api& api, const AllocStub& alloc,
                        const Json& job) {
    if (alloc.client != "running" || !has_checks(job, alloc.group)) return "";
    const auto checks = api.get("list the checks of allocation " + short_id(alloc.id),
                                "/v1/client/allocation/" + alloc.id + "/checks");
    if (!checks.ok()) return "not known: " + checks.error().detail + "\n";
    return check_table(context.console, checks_of(Json(*checks)));
}

/// From the evaluation that the allocation waits for; "" when it waits for none.
std::string reschedule_due(const Api& api, const AllocView& alloc) {
    if (alloc.stub.follow_up_eval.empty() || !alloc.next_allocation.empty()) return "";
    const auto eval = api.get("show evaluation " + alloc.stub.follow_up_eval,
                              "/v1/evaluation/" + alloc.stub.follow_up_eval);
    if (!eval.ok()) return "";  // collected since
    const std::string due = when_or_na(eval_of(Json(*eval)).wait_until);
    return due == "N/A" ? "" : due;
}

}  // namespace

Result<int> run(const AllocStatus& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string id = TRY(resolve_alloc(api, command.id));
    const Value alloc = TRY(api.get("show allocation " + short_id(id), "/v1/allocation/" + id));
    if (context.json) return context.print_json(alloc);
    const AllocView view = alloc_of(Json(alloc));
    const AllocUse use = TRY(measured(api, view.stub, command.stats));
    const std::string checks = checks_text(context, api, view.stub, Json(alloc)["Job"]);
    Page(context, command, use, checks).show(view, reschedule_due(api, view));
    return 0;
}

}  // namespace gaggle::cli
