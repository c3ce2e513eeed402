// What the checks of an allocation's services say, whichever peer runs it.
#include <algorithm>

#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "base/hash.h"

namespace gaggle {

namespace {

/// The same as long as the allocation has this check. `at`: two checks may have one name.
std::string check_id(const AllocId& alloc, const allocrunner::CheckHealth& check, std::size_t at) {
    const std::string whole = to_string(alloc) + "/" + check.task + "/" + check.service + "/" +
                              check.check + "/" + std::to_string(at);
    AllocId id;
    const Hash hash = hash_of(as_bytes(whole));
    std::copy_n(hash.bytes.begin(), id.bytes.size(), id.bytes.begin());
    std::string text = to_string(id);
    std::erase(text, '-');  // Nomad's are 32 digits
    return text;
}

/// Nomad's map by check id. All are of its mode "healthiness": each counts for the health.
Value render_checks(const AllocId& alloc, const node::CheckList& list) {
    Object out;
    for (std::size_t at = 0; at < list.checks.size(); ++at) {
        const allocrunner::CheckHealth& check = list.checks[at];
        const std::string id = check_id(alloc, check, at);
        out[id] = val(Object{{"ID", val(id)},
                             {"Check", val(check.check)},
                             {"Group", val(list.name)},
                             {"Mode", val("healthiness")},
                             {"Output", val(check.output)},
                             {"Service", val(check.service)},
                             {"Status", val(allocrunner::to_string(check.status))},
                             {"StatusCode", val(check.code)},
                             {"Task", val(check.task)},
                             {"Timestamp", val(check.heard.nanoseconds / 1'000'000'000)}});
    }
    return val(std::move(out));
}

}  // namespace

void show_alloc_checks(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_alloc(exchange, [](Exchange& later, const NamedAlloc& alloc) {
        const AllocId id = alloc.id;
        ask_local<node::CheckList>(later, {.alloc = id, .what = node::ListChecks{}},
                                   [id](Exchange& last, node::CheckList& list) {
                                       last.respond({}, render_checks(id, list));
                                   });
    });
}

}  // namespace gaggle
