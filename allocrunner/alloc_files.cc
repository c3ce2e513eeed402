#include "allocrunner/alloc_files.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "placement/jobspec/task_name.h"

namespace gaggle::allocrunner {

namespace {

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        if (!part.empty() && part != ".") parts.push_back(part);
        at = end + 1;
    }
    return parts;
}

Error denied(const std::string& path, const std::string& why) {
    return {Errc::denied, "open \"" + path + "\": " + why};
}

}  // namespace

Result<std::string> path_inside(const std::string& path) {
    if (path.find('\0') != std::string::npos)
        return Error{Errc::invalid, "open a path with a NUL byte in it: no file has such a name"};
    std::vector<std::string_view> true_parts;
    std::string out;
    for (const std::string_view part : parts_of(path)) {
        out += (out.empty() ? "" : "/") + std::string(part);
        if (part != "..") {
            true_parts.push_back(part);
        } else if (true_parts.empty()) {
            return denied(path, "it escapes the allocation's directory");
        } else {
            true_parts.pop_back();
        }
    }
    if (true_parts.empty()) return std::string(".");
    if (true_parts[0] != "alloc" && is_taken_task_name(true_parts[0]))
        return denied(path,
                      "that is the runner's own; `alloc` and the tasks' directories may be "
                      "looked into");
    const bool secret = true_parts.size() > 1 && true_parts[0] != "alloc" &&
                        (true_parts[1] == "secrets" || true_parts[1] == "private");
    if (secret) return denied(path, "a task's secrets are not shown to anybody but the task");
    return out;
}

std::string mode_text(std::uint32_t mode) {
    constexpr std::uint32_t kKind = 0170000;
    static const std::map<std::uint32_t, std::string> kinds{{0040000, "d"}, {0120000, "L"},
                                                            {0060000, "D"}, {0010000, "p"},
                                                            {0140000, "S"}, {0020000, "Dc"}};
    const auto kind = kinds.find(mode & kKind);
    std::string out = kind == kinds.end() ? "" : kind->second;
    if ((mode & 04000) != 0) out += 'u';
    if ((mode & 02000) != 0) out += 'g';
    if ((mode & 01000) != 0) out += 't';
    if (out.empty()) out = "-";
    constexpr std::string_view kLetters = "rwxrwxrwx";
    for (std::size_t bit = 0; bit < kLetters.size(); ++bit)
        out += (mode & (0400U >> bit)) != 0 ? kLetters[bit] : '-';
    return out;
}

std::string content_type_of(const std::string& name, BytesView first_bytes) {
    static const std::map<std::string, std::string> known{{".css", "text/css; charset=utf-8"},
                                                          {".gif", "image/gif"},
                                                          {".htm", "text/html; charset=utf-8"},
                                                          {".html", "text/html; charset=utf-8"},
                                                          {".jpeg", "image/jpeg"},
                                                          {".jpg", "image/jpeg"},
                                                          {".js", "text/javascript; charset=utf-8"},
                                                          {".json", "application/json"},
                                                          {".pdf", "application/pdf"},
                                                          {".png", "image/png"},
                                                          {".svg", "image/svg+xml"},
                                                          {".xml", "text/xml; charset=utf-8"}};
    const auto dot = name.rfind('.');
    if (dot != std::string::npos)
        if (const auto found = known.find(name.substr(dot)); found != known.end())
            return found->second;
    const bool binary = std::any_of(first_bytes.begin(), first_bytes.end(), [](std::uint8_t one) {
        return one < 0x20 && one != '\t' && one != '\n' && one != '\r' && one != '\f' &&
               one != 0x1b;
    });
    return binary ? "application/octet-stream" : "text/plain; charset=utf-8";
}

}  // namespace gaggle::allocrunner
