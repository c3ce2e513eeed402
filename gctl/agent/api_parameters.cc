#include "gctl/agent/api_parameters.h"

#include <algorithm>
#include <charconv>

#include "placement/jobspec/convert.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

constexpr const char* kNamespace = "default";  // the only one in this version

bool read_blocking(Exchange& exchange, node::Query& query) {
    if (const std::string index = exchange.parameter("index"); !index.empty()) {
        const char* end = index.data() + index.size();
        const auto read = std::from_chars(index.data(), end, query.index);
        if (read.ec != std::errc() || read.ptr != end) {
            exchange.refuse(400, "Invalid index \"" + index + "\": wanted a whole number");
            return false;
        }
    }
    query.wait = kWaitDefault;
    if (const std::string wait = exchange.parameter("wait"); !wait.empty()) {
        const Result<Duration> span = as_duration(val(wait));
        if (!span.ok() || *span < Duration(0)) {
            exchange.refuse(400, "Invalid wait time \"" + wait +
                                     "\": wanted a span of time such as 2000ms, 30s or 5m");
            return false;
        }
        query.wait = std::min<Duration>(*span, kWaitDefault);
    }
    const std::optional<bool> stale = flag(exchange, "stale");
    if (!stale) return false;
    query.stale = *stale;
    return true;
}

}  // namespace

bool region_is_ours(Exchange& exchange) {
    const std::string region = exchange.parameter("region");
    if (region.empty() || region == exchange.info().region) return true;
    exchange.refuse(500, "No path to region \"" + region + "\": this peer belongs to region \"" +
                             exchange.info().region + "\"; ask a peer of that region");
    return false;
}

std::optional<node::Query> query_for(Exchange& exchange, node::QueryKind kind, std::string id,
                                     Filters filters) {
    if (filters == Filters::refused && exchange.request().query.contains("filter")) {
        exchange.refuse(400,
                        "filter expressions are not known here, in this version only for services; "
                        "leave `filter` out and choose among the answers");
        return std::nullopt;
    }
    node::Query query{.kind = kind, .id = std::move(id)};
    const std::string name_space = exchange.parameter("namespace");
    query.name_space = name_space.empty() ? kNamespace : name_space;
    if (!region_is_ours(exchange) || !read_blocking(exchange, query)) return std::nullopt;
    return query;
}

std::optional<node::Query> list_query(Exchange& exchange, node::QueryKind kind, IdKind ids) {
    const std::string prefix = exchange.parameter("prefix");
    if (ids == IdKind::uuid && prefix.size() == 1) {
        exchange.refuse(400,
                        "prefix \"" + prefix + "\" is too short: give at least two characters");
        return std::nullopt;
    }
    return query_for(exchange, kind, prefix);
}

std::optional<bool> flag(Exchange& exchange, const std::string& name, bool otherwise) {
    const auto found = exchange.request().query.find(name);
    if (found == exchange.request().query.end()) return otherwise;
    const std::string& text = found->second;
    for (const char* yes : {"", "1", "t", "T", "true", "TRUE", "True"})
        if (text == yes) return true;
    for (const char* no : {"0", "f", "F", "false", "FALSE", "False"})
        if (text == no) return false;
    exchange.refuse(400, "Failed to parse value of \"" + name + "\" (" + text +
                             ") as a bool: wanted true or false");
    return std::nullopt;
}

std::optional<Value> body_object(Exchange& exchange) {
    Result<Value> value = value_from_json(exchange.request().body);
    if (!value.ok()) {
        exchange.refuse(400, "read the request's body: " + value.error().detail);
        return std::nullopt;
    }
    if (!std::holds_alternative<Object>(value->data)) {
        exchange.refuse(400, "read the request's body: wanted a JSON object");
        return std::nullopt;
    }
    return std::move(*value);
}

}  // namespace gaggle
