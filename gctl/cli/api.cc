#include "gctl/cli/api.h"

#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

constexpr Duration kAnswerTimeout = 30s;
constexpr std::size_t kBodyShownMax = 1'000;

std::string one_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.size() > kBodyShownMax) text = text.substr(0, kBodyShownMax) + "...";
    return text;
}

}  // namespace

std::string Api::target_of(const std::string& path, Query query) const {
    if (!name_space_.empty()) query.emplace_back("namespace", name_space_);
    std::string out = path;
    for (const auto& [name, value] : query) {
        out += out.find('?') == std::string::npos ? '?' : '&';
        out += url_encoded(name) + "=" + url_encoded(value);
    }
    return out;
}

Error Api::unreachable(const std::string& purpose, const Error& error) const {
    std::string out = purpose + ": " + error.detail;
    if (error.code == Errc::unavailable)
        out +=
            "\n  Is the agent running? Start it with `gctl agent`, or name another peer with "
            "--address or GCTL_ADDR.";
    return {error.code, out};
}

Error Api::refused(const std::string& purpose, const HttpReply& reply) const {
    const std::string why = one_line(reply.body);
    if (reply.status == 404) return {Errc::not_found, purpose + ": " + (why.empty() ? "404" : why)};
    if (reply.status == 403 || reply.status == 401) {
        std::string out = purpose + ": " + http_.address().url() + " refused: " + why;
        if (!token_hint_.empty()) out += "\n  No token was sent: " + token_hint_ + ".";
        if (why.find("token") == std::string::npos) return {Errc::denied, out};
        out += "\n  Pass the agent's token with --token-file DATA_DIR/http-token or GCTL_TOKEN.";
        return {Errc::denied, out};
    }
    const bool says_why = !why.empty() && why.front() != '<';  // an agent's are plain sentences
    return {reply.status >= 500 ? Errc::unavailable : Errc::invalid,
            purpose + ": " +
                (says_why ? why
                          : http_.address().url() + " answered with status " +
                                std::to_string(reply.status) +
                                " and no reason; is that an agent's address?")};
}

Result<Value> Api::ask(const std::string& purpose, const char* method, const std::string& target,
                       const std::string& body) const {
    const auto reply = http_.request(method, target, body, kAnswerTimeout);
    if (!reply.ok()) return unreachable(purpose, reply.error());
    if (reply->status < 200 || reply->status > 299) return refused(purpose, *reply);
    if (reply->body.empty()) return Value{};
    auto value = value_from_json(reply->body);
    if (!value.ok())
        return Error{Errc::corrupt, purpose + ": the answer of " + http_.address().url() + " is " +
                                        value.error().detail + "; is that an agent's address?"};
    return value;
}

Result<Value> Api::get(const std::string& purpose, const std::string& path,
                       const Query& query) const {
    return ask(purpose, "GET", target_of(path, query), "");
}

Result<Value> Api::put(const std::string& purpose, const std::string& path, const std::string& body,
                       const Query& query) const {
    return ask(purpose, "PUT", target_of(path, query), body);
}

Result<Value> Api::remove(const std::string& purpose, const std::string& path,
                          const Query& query) const {
    return ask(purpose, "DELETE", target_of(path, query), "");
}

Result<void> Api::follow(const std::string& purpose, const std::string& path, const Query& query,
                         const std::function<bool(std::string_view)>& piece) const {
    const auto reply = http_.stream(target_of(path, query), piece);
    if (!reply.ok()) return unreachable(purpose, reply.error());
    if (reply->status != 200) return refused(purpose, *reply);
    return {};
}

Result<int> Api::exec(const std::string& purpose, const std::string& path, const Query& query,
                      const ExecStyle& style) const {
    const auto reply = http_.exec(target_of(path, query), style);
    if (!reply.ok() && reply.error().detail.starts_with("connect to"))
        return unreachable(purpose, reply.error());
    if (!reply.ok()) return within(purpose, reply.error());
    if (reply->refused.status != 0) return refused(purpose, reply->refused);
    return reply->exit_code;
}

}  // namespace gaggle::cli
