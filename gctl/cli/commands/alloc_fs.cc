#include <algorithm>

#include "gctl/cli/commands.h"
#include "gctl/cli/model.h"
#include "gctl/cli/render.h"
#include "gctl/cli/tail.h"

namespace gaggle::cli {

namespace {

constexpr std::uint32_t kTailLines = 10;

std::string size_text(std::int64_t bytes, bool human) {
    return human ? human_bytes(bytes) : std::to_string(bytes) + " B";
}

Row row_of(const FileView& file, bool human) {
    return {file.mode, size_text(file.size, human), when_or_na(file.modified),
            file.name + (file.is_folder ? "/" : "")};
}

struct Files {
    const Api& api;
    const AllocFs& command;
    const Context& context;
    std::string alloc;

    std::string purpose() const {
        return "look into allocation " + short_id(alloc) + " at " + command.path;
    }
    std::string path_of(const char* verb) const {
        return std::string("/v1/client/fs/") + verb + "/" + alloc;
    }
    Result<Value> ask(const char* verb) const {
        return api.get(purpose(), path_of(verb), {{"path", command.path}});
    }
    Result<void> read(const char* verb, Query query,
                      const std::function<bool(std::string_view)>& piece) const {
        query.emplace_back("path", command.path);
        return api.follow(purpose(), path_of(verb), query, piece);
    }
};

Result<int> show_stat(const Files& files, const Value& stat) {
    if (files.context.json) return files.context.print_json(stat);
    const FileView file = file_of(Json(stat));
    std::vector<Row> rows{{"Mode", "Size", "Modified Time", "Content Type", "Name"}};
    Row row = row_of(file, files.command.human);
    row.insert(row.begin() + 3, file.content_type);
    rows.push_back(row);
    files.context.console.print(table(rows));
    return 0;
}

Result<int> list(const Files& files) {
    const Value answer = TRY(files.ask("ls"));
    if (files.context.json) return files.context.print_json(answer);
    std::vector<Row> rows{{"Mode", "Size", "Modified Time", "Name"}};
    for (const Json& file : Json(answer).items())
        rows.push_back(row_of(file_of(file), files.command.human));
    files.context.console.print(rows.size() > 1 ? table(rows) : "The directory is empty\n");
    return 0;
}

Result<int> print_all(const Files& files) {
    TRY(files.read("cat", {}, [&](std::string_view text) {
        files.context.console.print(text);
        return true;
    }));
    return 0;
}

Query from_end(std::size_t bytes, bool follow, bool plain) {
    return {{"origin", "end"},
            {"offset", std::to_string(bytes)},
            {"follow", follow ? "true" : "false"},
            {"plain", plain ? "true" : "false"}};
}

/// The last lines or bytes.
Result<int> print_end(const Files& files) {
    const AllocFs& command = files.command;
    Console& console = files.context.console;
    const auto read = [&](std::size_t bytes, const std::function<bool(std::string_view)>& piece) {
        return files.read("stream", from_end(bytes, false, true), piece);
    };
    if (command.bytes) {
        TRY(read(*command.bytes, [&](std::string_view text) {
            console.print(text);
            return true;
        }));
        return 0;
    }
    const std::size_t lines = command.lines.value_or(kTailLines);
    console.print(last_lines(TRY(read_end(lines, read)).text, lines));
    return 0;
}

/// The same, and what follows.
Result<int> follow_end(const Files& files) {
    const AllocFs& command = files.command;
    Console& console = files.context.console;
    const std::size_t lines = command.lines.value_or(kTailLines);
    const TextEnd now =
        TRY(read_end(command.bytes ? 0 : lines,
                     [&](std::size_t bytes, const std::function<bool(std::string_view)>& piece) {
                         return files.read("stream", from_end(bytes, false, true), piece);
                     }));
    FrameReader frames;
    FollowedTail tail(lines, command.bytes ? 0 : now.bytes);
    Result<void> sound;
    TRY(files.read("stream", from_end(command.bytes.value_or(now.bytes), true, false),
                   [&](std::string_view text) {
                       const auto read = frames.take(text);
                       if (!read.ok()) sound = read.error();
                       if (!read.ok()) return false;
                       for (const LogFrame& frame : *read) {
                           if (!frame.event.empty())
                               console.note(files.purpose() + ": " + frame.event);
                           console.print(tail.take(frame));
                       }
                       return true;
                   }));
    console.print(tail.rest());
    if (!sound.ok()) return within(files.purpose(), sound.error());
    return 0;
}

/// From the beginning on, and then what follows.
Result<int> follow_all(const Files& files) {
    TRY(files.read("stream", {{"origin", "start"}, {"follow", "true"}, {"plain", "true"}},
                   [&](std::string_view text) {
                       files.context.console.print(text);
                       return true;
                   }));
    return 0;
}

}  // namespace

Result<int> run(const AllocFs& command, const Context& context) {
    const Api api = TRY(context.api());
    Files files{.api = api, .command = command, .context = context, .alloc = {}};
    files.alloc = TRY(alloc_to_ask(api, {command.id, command.by_job, {}}));
    if (command.stat) return show_stat(files, TRY(files.ask("stat")));
    if (command.path == "/") return list(files);
    const Value stat = TRY(files.ask("stat"));
    // What a link leads to is for the peer to say.
    if (file_of(Json(stat)).is_folder) return list(files);
    if (context.json) return context.print_json(stat);
    const bool end = command.tail || command.lines || command.bytes;
    if (end) return command.follow ? follow_end(files) : print_end(files);
    return command.follow ? follow_all(files) : print_all(files);
}

}  // namespace gaggle::cli
