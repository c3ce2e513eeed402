#include "allocrunner/network/name_files.h"

#include <algorithm>

namespace gaggle::allocrunner {

namespace {

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> out;
    for (;;) {
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) return out;
        line.remove_prefix(begin);
        const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
        out.emplace_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

void understand(const std::vector<std::string>& words, DnsConfig& out) {
    if (words.size() < 2 || words[0].front() == '#' || words[0].front() == ';') return;
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (words[0] == "nameserver") out.servers.push_back(rest[0]);
    if (words[0] == "search" || words[0] == "domain") out.searches = rest;
    if (words[0] == "options") out.options.insert(out.options.end(), rest.begin(), rest.end());
}

std::string line_of(const char* keyword, const std::vector<std::string>& values) {
    std::string out;
    for (const std::string& value : values) out += (out.empty() ? keyword : "") + (" " + value);
    return out.empty() ? out : out + "\n";
}

}  // namespace

DnsConfig parse_resolv_conf(std::string_view text) {
    DnsConfig out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        understand(words_of(text.substr(0, end)), out);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

bool only_local_servers(const DnsConfig& dns) {
    const auto is_local = [](const std::string& server) {
        return server.starts_with("127.") || server == "::1";
    };
    return !dns.servers.empty() && std::all_of(dns.servers.begin(), dns.servers.end(), is_local);
}

DnsConfig prefer(const DnsConfig& first, const DnsConfig& second) {
    return {.servers = first.servers.empty() ? second.servers : first.servers,
            .searches = first.searches.empty() ? second.searches : first.searches,
            .options = first.options.empty() ? second.options : first.options};
}

std::string resolv_conf(const DnsConfig& dns) {
    std::string out = line_of("search", dns.searches);
    for (const std::string& server : dns.servers) out += "nameserver " + server + "\n";
    return out + line_of("options", dns.options);
}

std::string hosts_file(const std::string& ip, const std::string& hostname) {
    std::string out =
        "127.0.0.1 localhost\n"
        "::1 localhost ip6-localhost ip6-loopback\n";
    if (!hostname.empty()) out += (ip.empty() ? "127.0.0.1" : ip) + " " + hostname + "\n";
    return out;
}

}  // namespace gaggle::allocrunner
