#include <algorithm>

#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "gctl/cli/tail.h"

namespace gaggle::cli {

namespace {

Result<std::string> task_of(const AllocView& alloc, const std::string& wanted) {
    std::vector<std::string> names;
    for (const TaskView& task : alloc.tasks) names.push_back(task.name);
    const std::string of = "read logs of allocation " + short_id(alloc.stub.id);
    const std::string known = names.empty() ? "none yet" : joined(names, ", ");
    if (wanted.empty() && names.size() == 1) return names[0];
    if (wanted.empty()) return Error{Errc::invalid, of + ": say which task; it has: " + known};
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
    return Error{Errc::not_found, of + ": it has no task \"" + wanted + "\"; it has: " + known};
}

constexpr std::uint32_t kTailLines = 10;

/// The log of one task of one allocation.
struct LogSource {
    const Api& api;
    const AllocLogs& command;
    std::string alloc;
    std::string task;

    std::string purpose() const { return "read logs of allocation " + short_id(alloc); }

    Result<void> read(const Query& more, const std::function<bool(std::string_view)>& piece) const {
        Query query{{"task", task}, {"type", command.error_stream ? "stderr" : "stdout"}};
        query.insert(query.end(), more.begin(), more.end());
        return api.follow(purpose(), "/v1/client/fs/logs/" + alloc, query, piece);
    }
};

Query query_of(bool follow, const char* origin, std::size_t offset, bool plain) {
    return {{"follow", follow ? "true" : "false"},
            {"origin", origin},
            {"offset", std::to_string(offset)},
            {"plain", plain ? "true" : "false"}};
}

Result<TextEnd> read_log_end(const LogSource& source, std::size_t lines) {
    return read_end(lines, [&](std::size_t bytes, const auto& piece) {
        return source.read(query_of(false, "end", bytes, true), piece);
    });
}

Result<int> follow_end(const LogSource& source, std::size_t lines, Console& console) {
    const TextEnd now = TRY(read_log_end(source, lines));
    FrameReader frames;
    FollowedTail tail(lines, now.bytes);
    Result<void> sound;
    const auto piece = [&](std::string_view text) {
        const auto read = frames.take(text);
        if (!read.ok()) sound = read.error();
        if (!read.ok()) return false;
        for (const LogFrame& frame : *read) console.print(tail.take(frame));
        return true;
    };
    const Result<void> ended = source.read(query_of(true, "end", now.bytes, false), piece);
    console.print(tail.rest());
    if (!sound.ok()) return within(source.purpose(), sound.error());
    TRY(ended);
    return 0;
}

}  // namespace

Result<int> run(const AllocLogs& command, const Context& context) {
    const Api api = TRY(context.api());
    LogSource source{.api = api, .command = command, .alloc = {}, .task = {}};
    source.alloc = TRY(alloc_to_ask(api, {command.id, command.by_job, command.task}));
    const Value alloc = TRY(api.get(source.purpose(), "/v1/allocation/" + source.alloc));
    source.task = TRY(task_of(alloc_of(Json(alloc)), command.task));
    Console& console = context.console;
    const bool by_lines = !command.bytes && (command.lines || command.tail) && !context.json;
    const std::size_t lines = command.lines.value_or(kTailLines);
    if (by_lines && command.follow) return follow_end(source, lines, console);
    if (by_lines) {
        const TextEnd end = TRY(read_log_end(source, lines));
        console.print(last_lines(end.text, lines));
        return 0;
    }
    const Query query = query_of(command.follow, command.bytes ? "end" : "start",
                                 command.bytes.value_or(0), !context.json);
    TRY(source.read(query, [&](std::string_view text) {
        console.print(text);
        return true;
    }));
    return 0;
}

}  // namespace gaggle::cli
