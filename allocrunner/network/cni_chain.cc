#include "allocrunner/network/cni_chain.h"

#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

/// Version 1.1.1 (Debian 12) also looks for the IPv6 rules of an allocation that has no such
/// address, and fails when it finds ip6tables but not them.
constexpr std::string_view kNotChecked = "portmap";

}  // namespace

Result<Value> cni_add(const CniList& list, const CniRuntime& runtime, const CniRunner& run) {
    std::optional<Value> result;
    for (std::size_t at = 0; at < list.plugins.size(); ++at) {
        const std::string type = plugin_type(list, at);
        const std::string said = TRY(run({"ADD", type, cni_input(list, at, runtime, result)}));
        Result<Value> parsed = value_from_json(said);
        if (!parsed.ok())
            return {Errc::corrupt, "CNI plugin " + type + " (ADD) of network \"" + list.name +
                                       "\" said that it succeeded, but not with a result: " +
                                       parsed.error().detail};
        result = std::move(*parsed);
    }
    return std::move(*result);
}

Result<void> cni_check(const CniList& list, const CniRuntime& runtime, const Value& result,
                       const CniRunner& run) {
    if (!list.check) return {};
    for (std::size_t at = 0; at < list.plugins.size(); ++at) {
        const std::string type = plugin_type(list, at);
        if (type == kNotChecked) continue;
        TRY(run({"CHECK", type, cni_input(list, at, runtime, result)}));
    }
    return {};
}

Result<void> cni_delete(const CniList& list, const CniRuntime& runtime,
                        const std::optional<Value>& result, const CniRunner& run) {
    Result<void> first;
    for (std::size_t at = list.plugins.size(); at-- > 0;) {
        const auto done = run({"DEL", plugin_type(list, at), cni_input(list, at, runtime, result)});
        if (!done.ok() && first.ok()) first = done.error();
    }
    return first;
}

}  // namespace gaggle::allocrunner
