#include "allocrunner/setup/artifact_source.h"

#include <algorithm>
#include <array>

namespace gaggle::setup {

namespace {

using Kind = ArtifactSource::Kind;

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char low = static_cast<char>(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool coded = text[at] == '%' && at + 2 < text.size() &&
                           hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0;
        if (coded) {
            out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
            at += 2;
        } else {
            out += text[at] == '+' ? ' ' : text[at];
        }
    }
    return out;
}

/// Options that are for us and not for the server.
bool is_ours(const std::string& name, Kind kind) {
    static constexpr std::array kAlways = {"checksum", "archive", "filename"};
    static constexpr std::array kGit = {"ref", "sshkey", "depth"};
    static constexpr std::array kS3 = {"region", "version", "aws_access_key_id",
                                       "aws_access_key_secret", "aws_access_token"};
    const auto has = [&](const auto& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    return has(kAlways) || (kind == Kind::git && has(kGit)) || (kind == Kind::s3 && has(kS3));
}

/// Moves our options out of the query.
void take_query(ArtifactSource& out) {
    const std::size_t mark = out.url.find('?');
    if (mark == std::string::npos) return;
    std::string kept;
    for (std::string_view rest = std::string_view(out.url).substr(mark + 1); !rest.empty();) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string name = decoded(pair.substr(0, equals));
        if (is_ours(name, out.kind))
            out.options.emplace(name, decoded(pair.substr(std::min(equals + 1, pair.size()))));
        else
            kept.append(kept.empty() ? "?" : "&").append(pair);
    }
    out.url.resize(mark);
    out.url += kept;
}

/// Moves the folder behind `//` out of the path.
void take_part(ArtifactSource& out) {
    const std::size_t scheme = out.url.find("://");
    const std::size_t from = scheme == std::string::npos ? 0 : scheme + 3;
    const std::size_t query = std::min(out.url.find('?', from), out.url.size());
    const std::size_t mark = out.url.find("//", from);
    if (mark == std::string::npos || mark >= query) return;
    out.part = out.url.substr(mark + 2, query - mark - 2);
    out.url.erase(mark, query - mark);
}

Result<void> take_kind(ArtifactSource& out, const std::string& forced) {
    const auto starts = [&](std::string_view with) { return out.url.starts_with(with); };
    if (forced == "git" || starts("git@") || starts("ssh://")) {
        out.kind = Kind::git;
    } else if (starts("github.com/") || starts("gitlab.com/") || starts("bitbucket.org/")) {
        out.kind = Kind::git;
        out.url.insert(0, "https://");
    } else if (forced == "s3") {
        out.kind = Kind::s3;
    } else if (out.url.find(".amazonaws.com/") < out.url.find('/') && !starts("http")) {
        out.kind = Kind::s3;
        out.url.insert(0, "https://");
    } else if (forced == "file" || starts("file://") || starts("/")) {
        out.kind = Kind::file;
        if (starts("file://")) out.url.erase(0, 7);
    } else if (forced.empty() || forced == "http" || forced == "https") {
        out.kind = Kind::http;
    } else {
        return {Errc::invalid,
                "\"" + forced + "::\" is not known; there are http, git, s3 and file"};
    }
    return {};
}

Result<void> check(const ArtifactSource& source) {
    const std::string url = lower(source.url.substr(0, 8));
    const bool web = url.starts_with("http://") || url.starts_with("https://");
    if ((source.kind == Kind::http || source.kind == Kind::s3) && !web)
        return {Errc::invalid, "\"" + shown_address(source.url) +
                                   "\" is no address; write https://, git::, s3:: or file://"};
    // Else git would take it for an option, or run a program for it (ext::).
    const bool plain = source.url.find("::") == std::string::npos && !source.url.starts_with('-');
    if (source.kind == Kind::git && !plain)
        return {Errc::denied, "\"" + source.url + "\" is not an address that git may use here"};
    const std::string dotted = "/" + source.part + "/";
    if (dotted.find("/../") != std::string::npos)
        return {Errc::denied, "the part \"//" + source.part + "\" leads out of what is fetched"};
    return {};
}

}  // namespace

std::string ArtifactSource::option(const std::string& name) const {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
}

std::string ArtifactSource::file_name() const {
    const std::string told = option("filename");
    const std::string path = url.substr(0, url.find_first_of("?#"));
    const std::size_t host = path.find("://");
    const std::string after = host == std::string::npos ? path : path.substr(host + 3);
    const std::size_t slash = after.rfind('/');
    const std::string last = slash == std::string::npos ? std::string() : after.substr(slash + 1);
    std::string name = told.empty() ? decoded(last) : told;
    if (name.find('/') != std::string::npos || name == ".." || name == ".") name.clear();
    return name.empty() ? "artifact" : name;
}

Result<ArtifactSource> artifact_source(const Artifact& artifact) {
    ArtifactSource out;
    out.url = artifact.source;
    std::string forced;
    const std::size_t mark = out.url.find("::");
    if (mark != std::string::npos && out.url.find_first_of(":/?") == mark) {
        forced = out.url.substr(0, mark);
        out.url.erase(0, mark + 2);
    }
    if (out.url.empty()) return Error{Errc::invalid, "an artifact without a source"};
    for (const char c : out.url)
        if (static_cast<unsigned char>(c) <= ' ')
            return Error{Errc::invalid, "a source with blanks or control characters in it"};
    TRY(take_kind(out, forced));
    take_query(out);
    take_part(out);
    for (const auto& [name, value] : artifact.options) out.options[name] = value;
    TRY(check(out));
    return out;
}

Result<std::string> archive_kind(const ArtifactSource& source) {
    struct Ending {
        std::string_view name;
        const char* kind;
    };
    static constexpr std::array kEndings = {
        Ending{"tar.gz", "tar"},  Ending{"tgz", "tar"},    Ending{"tar.bz2", "tar"},
        Ending{"tbz2", "tar"},    Ending{"tar.xz", "tar"}, Ending{"txz", "tar"},
        Ending{"tar.zst", "tar"}, Ending{"tzst", "tar"},   Ending{"tar", "tar"},
        Ending{"zip", "zip"},     Ending{"gz", "gz"},      Ending{"bz2", "bz2"},
        Ending{"xz", "xz"},       Ending{"zst", "zst"}};
    const std::string told = lower(source.option("archive"));
    if (told == "false" || told == "0") return std::string();
    const std::string name = lower(source.file_name());
    for (const Ending& one : kEndings) {
        if (told == one.name) return std::string(one.kind);
        if (told.empty() && name.ends_with("." + std::string(one.name)))
            return std::string(one.kind);
    }
    if (!told.empty() && told != "true")
        return Error{Errc::invalid, "archive \"" + told +
                                        "\" is not known; write false, zip, tar, tar.gz, tar.bz2, "
                                        "tar.xz, tar.zst, gz, bz2, xz or zst"};
    return std::string();
}

std::string shown_address(const std::string& url) {
    std::string out = url.substr(0, url.find('?'));
    const std::size_t scheme = out.find("://");
    const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
    const std::size_t slash = std::min(out.find('/', host), out.size());
    const std::size_t at = out.rfind('@', slash);
    if (scheme != std::string::npos && at != std::string::npos && at > host)
        out.erase(host, at + 1 - host);
    return out;
}

}  // namespace gaggle::setup
