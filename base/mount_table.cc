#include "base/mount_table.h"

#include <charconv>
#include <vector>

namespace gaggle {

namespace {

constexpr std::size_t kFields = 5;  ///< id, parent, device, root, point; what follows is not read

/// Blanks, line ends and backslashes are written as \040 and the like.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        const char* first = text.data() + at + 1;
        const bool coded = text[at] == '\\' && at + 3 < text.size() &&
                           std::from_chars(first, first + 3, byte, 8).ptr == first + 3;
        out += coded ? static_cast<char>(byte) : text[at];
        if (coded) at += 3;
    }
    return out;
}

}  // namespace

std::string MountLine::on_file_system(std::string_view path) const {
    std::string out = root == "/" ? "" : root;
    const std::string_view above = point == "/" ? std::string_view() : std::string_view(point);
    const bool inside = path.starts_with(above) && path.substr(above.size()).starts_with('/');
    if (inside) out += path.substr(above.size());
    return out.empty() ? "/" : out;
}

std::optional<MountLine> parse_mount_line(std::string_view line) {
    std::vector<std::string_view> fields;
    while (fields.size() < kFields) {
        const std::size_t end = line.find(' ');
        if (end == 0 || line.empty()) return std::nullopt;
        fields.push_back(line.substr(0, end));
        line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
    }
    MountLine out{.id = 0, .root = unescaped(fields[3]), .point = unescaped(fields[4])};
    const std::string_view id = fields[0];
    const auto read = std::from_chars(id.data(), id.data() + id.size(), out.id);
    if (read.ec != std::errc() || read.ptr != id.data() + id.size()) return std::nullopt;
    return out;
}

}  // namespace gaggle
