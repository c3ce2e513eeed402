// Files of an allocation, whichever peer runs it: Nomad's /v1/client/fs.
#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/api_tail.h"

namespace gaggle {

namespace {

Value render_file(const allocrunner::FileInfo& file) {
    Object object{{"Name", val(file.name)},
                  {"IsDir", val(file.is_folder)},
                  {"Size", val(file.size)},
                  {"FileMode", val(file.mode)},
                  {"ModTime", moment(file.modified)}};
    if (!file.content_type.empty()) object["ContentType"] = val(file.content_type);
    return val(std::move(object));
}

/// The file's path; nothing when none is given, and then the exchange is refused.
std::optional<std::string> file_path(Exchange& exchange) {
    std::string path = exchange.parameter("path");
    if (!path.empty()) return path;
    exchange.refuse(400, "must provide a file name");
    return std::nullopt;
}

void read_plainly(Exchange& exchange, const node::ReadFile& read,
                  std::optional<std::uint64_t> limit) {
    with_alloc(exchange, [read, limit](Exchange& later, const NamedAlloc& alloc) {
        begin_tail(later, {.alloc = alloc.id, .what = read},
                   {.follow = false, .plain = true, .limit = limit});
    });
}

}  // namespace

void list_files(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_alloc(exchange, [](Exchange& later, const NamedAlloc& alloc) {
        const node::ListFiles list{later.parameter("path")};
        ask_local<node::FileList>(later, {.alloc = alloc.id, .what = list},
                                  [](Exchange& last, node::FileList& found) {
                                      List files;
                                      for (const allocrunner::FileInfo& file : found.files)
                                          files.push_back(render_file(file));
                                      last.respond({}, val(std::move(files)));
                                  });
    });
}

void stat_file(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<std::string> path = file_path(exchange);
    if (!path) return;
    with_alloc(exchange, [path](Exchange& later, const NamedAlloc& alloc) {
        ask_local<node::FileList>(later, {.alloc = alloc.id, .what = node::StatFile{*path}},
                                  [](Exchange& last, node::FileList& found) {
                                      if (found.files.empty())
                                          return last.refuse(404, "file not found");
                                      last.respond({}, render_file(found.files.front()));
                                  });
    });
}

void show_file(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<std::string> path = file_path(exchange);
    if (path) read_plainly(exchange, {.path = *path}, std::nullopt);
}

void show_file_part(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<std::string> path = file_path(exchange);
    if (!path) return;
    const std::optional<std::uint64_t> offset = number(exchange, "offset", 0);
    if (!offset) return;
    const std::optional<std::uint64_t> limit = number(exchange, "limit", 0);
    if (!limit) return;
    // None, or 0, is all of it.
    read_plainly(exchange, {.path = *path, .offset = *offset},
                 *limit == 0 ? std::nullopt : std::optional(*limit));
}

void stream_file(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<std::string> path = file_path(exchange);
    if (!path) return;
    const std::string origin = exchange.parameter("origin");
    if (!origin.empty() && origin != "start" && origin != "end")
        return exchange.refuse(400, "origin must be start or end");
    const std::optional<std::uint64_t> offset = number(exchange, "offset", 0);
    if (!offset) return;
    const std::optional<bool> follow = flag(exchange, "follow", true);
    if (!follow) return;
    const std::optional<bool> plain = flag(exchange, "plain");
    if (!plain) return;
    const node::ReadFile read{.path = *path, .from_end = origin == "end", .offset = *offset};
    const Tail::Style style{.follow = *follow, .plain = *plain, .limit = {}};
    with_alloc(exchange, [read, style](Exchange& later, const NamedAlloc& alloc) {
        begin_tail(later, {.alloc = alloc.id, .what = read}, style);
    });
}

}  // namespace gaggle
