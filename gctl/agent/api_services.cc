// Reads of the catalogue of services, from the ledger.
//
// Nothing is registered or removed by hand: an instance is listed while its allocation offers it.
#include <charconv>

#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/filter.h"
#include "gctl/agent/render_service.h"

namespace gaggle {

namespace {

using node::Answer;
using node::QueryKind;

/// `choose=2|key`.
struct Choice {
    std::size_t count = 0;
    std::string key;
};

/// Nothing when the parameter is wrong, and then the exchange is refused. A count of 0 chooses all.
std::optional<Choice> choice_of(Exchange& exchange) {
    const std::string text = exchange.parameter("choose");
    if (text.empty()) return Choice{};
    const std::size_t bar = text.find('|');
    Choice out;
    const char* end = text.data() + std::min(bar, text.size());
    const auto read = std::from_chars(text.data(), end, out.count);
    const bool valid = bar != std::string::npos && read.ec == std::errc() && read.ptr == end &&
                       out.count > 0 && bar + 1 < text.size();
    if (!valid) {
        exchange.refuse(
            400, "choose \"" + text + "\": wanted a number, a bar and a key, such as 2|web-1");
        return std::nullopt;
    }
    out.key = text.substr(bar + 1);
    return out;
}

/// An empty expression keeps all. Nothing when it is wrong, and then the exchange is refused.
struct Wanted {
    std::optional<Filter> filter;
    List of(List records) const {
        return filter ? kept(*filter, std::move(records)) : std::move(records);
    }
};
std::optional<Wanted> wanted_of(Exchange& exchange) {
    const std::string text = exchange.parameter("filter");
    if (text.empty()) return Wanted{};
    Result<Filter> filter = Filter::parse(text);
    if (filter.ok()) return Wanted{std::move(*filter)};
    exchange.refuse(400, "read filter expression \"" + text + "\": " + filter.error().detail);
    return std::nullopt;
}

void list_of(Exchange& exchange, QueryKind kind, const char* or_else) {
    const auto query = query_for(exchange, kind, exchange.id(), Filters::taken);
    if (!query) return;
    const auto wanted = wanted_of(exchange);
    if (!wanted) return;
    exchange.query(
        *query,
        [wanted](Exchange& later, Answer& answer) {
            later.answer(answer, val(wanted->of(render_registrations(answer))));
        },
        or_else);
}

}  // namespace

void list_services(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::services, "", Filters::taken);
    if (!query) return;
    const auto wanted = wanted_of(exchange);
    if (!wanted) return;
    exchange.query(*query, [wanted](Exchange& later, Answer& answer) {
        later.answer(answer, val(wanted->of(render_service_names(answer))));
    });
}

void show_service(Exchange& exchange) {
    const auto query = query_for(exchange, QueryKind::service, exchange.id(), Filters::taken);
    if (!query) return;
    const auto choice = choice_of(exchange);
    if (!choice) return;
    const auto wanted = wanted_of(exchange);
    if (!wanted) return;
    exchange.query(*query, [name = exchange.id(), choice, wanted](Exchange& later, Answer& answer) {
        List all = wanted->of(render_registrations(answer, name));
        if (choice->count > 0) all = chosen(std::move(all), choice->count, choice->key);
        later.answer(answer, val(std::move(all)));
    });
}

void list_job_services(Exchange& exchange) {
    list_of(exchange, QueryKind::job_allocations, nullptr);
}

void list_allocation_services(Exchange& exchange) {
    list_of(exchange, QueryKind::allocation, "alloc not found");
}

}  // namespace gaggle
