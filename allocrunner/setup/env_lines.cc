#include "allocrunner/setup/env_lines.h"

#include "allocrunner/setup/go_literal.h"
#include "base/bytes.h"

namespace gaggle::setup {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

bool is_letter(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Result<std::string> name_of(std::string_view text) {
    constexpr std::string_view kExport = "export ";
    if (text.starts_with(kExport)) text = trimmed(text.substr(kExport.size()));
    if (text.empty()) return {Errc::invalid, "the name before = is missing"};
    for (const char c : text)
        if (!is_letter(c) && (c < '0' || c > '9') && c != '.')
            return {Errc::invalid, "the name may hold letters, digits, _ and . only"};
    if (!is_letter(text.front())) return {Errc::invalid, "the name must begin with a letter or _"};
    return std::string(text);
}

/// One value with its quotes taken off.
class ValueReader {
  public:
    explicit ValueReader(std::string_view text) : text_(text) {}

    Result<std::string> read() {
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '#') return out_.substr(0, significant_);
            if (static_cast<unsigned char>(c) < ' ' && c != '\t')
                return Error{Errc::invalid, "a control character in the value"};
            if (c == '\'' || c == '"') {
                TRY(quoted(c));
                significant_ = out_.size();
            } else {
                out_ += c;
                if (c != ' ' && c != '\t') significant_ = out_.size();
            }
        }
        return out_;
    }

  private:
    Result<void> quoted(char quote) {
        for (;;) {
            if (at_ >= text_.size())
                return {Errc::invalid, std::string("a ") + quote + " that is not closed"};
            const char c = text_[at_++];
            if (c == quote) return {};
            if (quote == '"' && c == '\\')
                TRY(escape());
            else
                out_ += c;
        }
    }

    Result<void> escape() {
        constexpr std::string_view kMarks = "\"\\/ntrbf'";
        constexpr std::string_view kBytes = "\"\\/\n\t\r\b\f'";
        if (at_ >= text_.size()) return {Errc::invalid, "an escape that is not complete"};
        const char mark = text_[at_++];
        if (const std::size_t known = kMarks.find(mark); known != std::string_view::npos) {
            out_ += kBytes[known];
            return {};
        }
        const auto code = mark == 'u' ? from_hex(text_.substr(at_, 4)) : std::nullopt;
        if (!code || code->size() != 2)
            return {Errc::invalid, std::string("unknown escape \\") + mark};
        append_utf8(out_, static_cast<std::uint32_t>((*code)[0] << 8U | (*code)[1]));
        at_ += 4;
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
    std::size_t significant_ = 0;  ///< without blanks before a comment
};

}  // namespace

Result<std::map<std::string, std::string>> parse_env_lines(std::string_view text) {
    std::map<std::string, std::string> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const auto wrong = [&](const Error& error) {
            return within("line " + std::to_string(number) + " of the environment", error);
        };
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos)
            return wrong({Errc::invalid, "a = is missing; write NAME=value"});
        auto name = name_of(trimmed(line.substr(0, equals)));
        if (!name.ok()) return wrong(name.error());
        auto value = ValueReader(trimmed(line.substr(equals + 1))).read();
        if (!value.ok()) return wrong(value.error());
        out[std::move(*name)] = std::move(*value);
    }
    return out;
}

}  // namespace gaggle::setup
