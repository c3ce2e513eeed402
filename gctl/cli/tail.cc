#include "gctl/cli/tail.h"

#include <utility>

#include "base/bytes.h"
#include "gctl/cli/json.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

constexpr std::size_t kFrameBytesMax = 4U << 20U;
constexpr std::size_t kLineBytes = 256;  // a guess to begin with
constexpr std::size_t kTailBytesMax = 64U << 20U;

Result<LogFrame> frame_of(const std::string& text) {
    const auto value = value_from_json(text);
    if (!value.ok()) return value.error();
    const auto data = from_base64(Json(*value)["Data"].text());
    if (!data) return Error{Errc::corrupt, "a frame of the log holds no base64"};
    const Json json(*value);
    return LogFrame{.data = to_text(*data),
                    .heartbeat = json.fields().empty(),
                    .event = json["FileEvent"].text(),
                    .alloc = json["AllocID"].text(),
                    .task = json["Task"].text(),
                    .error = json["Error"].text(),
                    .caught_up = json["CaughtUp"].flag()};
}

}  // namespace

std::string_view last_lines(std::string_view text, std::size_t lines) {
    std::size_t at = text.size();
    if (at > 0 && text[at - 1] == '\n') --at;
    for (; lines > 0; --lines) {
        if (at == 0) return text;
        const auto before = text.rfind('\n', at - 1);
        if (before == std::string_view::npos) return text;
        at = before;
    }
    return at == text.size() ? std::string_view() : text.substr(at + 1);
}

Result<TextEnd> read_end(
    std::size_t lines,
    const std::function<Result<void>(std::size_t bytes,
                                     const std::function<bool(std::string_view)>& piece)>& read) {
    TextEnd out{.text = "", .bytes = lines * kLineBytes};
    if (lines == 0) return out;
    for (;;) {
        out.text.clear();
        TRY(read(out.bytes, [&](std::string_view piece) {
            out.text += piece;
            return true;
        }));
        const bool enough = last_lines(out.text, lines).size() < out.text.size();
        if (enough || out.text.size() < out.bytes || out.bytes >= kTailBytesMax) return out;
        out.bytes = std::min(out.bytes * 4, kTailBytesMax);
    }
}

Result<std::vector<LogFrame>> FrameReader::take(std::string_view piece) {
    std::vector<LogFrame> out;
    for (const char letter : piece) {
        begun_ += letter;
        if (std::exchange(escaped_, false)) continue;
        if (letter == '\\') escaped_ = in_text_;
        if (letter == '"') in_text_ = !in_text_;
        if (in_text_ || (letter != '{' && letter != '}')) continue;
        depth_ += letter == '{' ? 1 : -1;
        if (depth_ > 0) continue;
        out.push_back(TRY(frame_of(begun_)));
        begun_.clear();
    }
    if (begun_.size() > kFrameBytesMax)
        return Error{Errc::corrupt, "a frame of the log has no end"};
    return out;
}

std::string FollowedTail::take(const LogFrame& frame) {
    if (passing_) return frame.data;
    kept_ += frame.data;
    return frame.heartbeat || kept_.size() >= bytes_ ? rest() : "";
}

std::string FollowedTail::rest() {
    passing_ = true;
    const std::string all = std::exchange(kept_, {});
    return std::string(last_lines(all, lines_));
}

}  // namespace gaggle::cli
