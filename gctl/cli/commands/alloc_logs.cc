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

constexpr std::size_t kLineBytes = 256;  // a guess to begin with
constexpr std::size_t kTailBytesMax = 64U << 20U;

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

/// The end of the log as it is now.
struct LogEnd {
    std::string text;
    std::size_t bytes = 0;  ///< so many were asked for
};

/// At least `lines` lines of it, or all of it.
Result<LogEnd> read_end(const LogSource& source, std::size_t lines) {
    LogEnd out{.text = "", .bytes = lines * kLineBytes};
    if (lines == 0) return out;
    for (;;) {
        out.text.clear();
        TRY(source.read(query_of(false, "end", out.bytes, true), [&](std::string_view piece) {
            out.text += piece;
            return true;
        }));
        const bool enough = last_lines(out.text, lines).size() < out.text.size();
        if (enough || out.text.size() < out.bytes || out.bytes >= kTailBytesMax) return out;
        out.bytes = std::min(out.bytes * 4, kTailBytesMax);
    }
}

Result<int> follow_end(const LogSource& source, std::size_t lines, Console& console) {
    const LogEnd now = TRY(read_end(source, lines));
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
    source.alloc = TRY(resolve_alloc(api, command.id));
    const Value alloc = TRY(api.get(source.purpose(), "/v1/allocation/" + source.alloc));
    source.task = TRY(task_of(alloc_of(Json(alloc)), command.task));
    Console& console = context.console;
    const std::size_t lines = command.lines.value_or(0);
    if (command.lines && !context.json) {
        if (command.follow) return follow_end(source, lines, console);
        const LogEnd end = TRY(read_end(source, lines));
        console.print(last_lines(end.text, lines));
        return 0;
    }
    const Query query = query_of(command.follow, command.lines ? "end" : "start",
                                 lines * kLineBytes, !context.json);
    TRY(source.read(query, [&](std::string_view text) {
        console.print(text);
        return true;
    }));
    return 0;
}

}  // namespace gaggle::cli
