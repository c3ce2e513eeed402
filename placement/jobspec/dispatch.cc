#include "placement/jobspec/dispatch.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gaggle {

namespace {

bool contains(const std::vector<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void add(std::string& list, const std::string& key) { list += (list.empty() ? "" : " ") + key; }

std::string wrong_payload(const Parameterized& rules, const std::string& payload) {
    if (payload.size() > kPayloadBytesMax)
        return "Payload exceeds maximum size; " + std::to_string(payload.size()) + " > " +
               std::to_string(kPayloadBytesMax);
    if (rules.payload == Parameterized::Payload::required && payload.empty())
        return "Payload is not provided but required by parameterized job";
    if (rules.payload == Parameterized::Payload::forbidden && !payload.empty())
        return "Payload provided but forbidden by parameterized job";
    return "";
}

std::string wrong_meta(const Parameterized& rules, const Meta& meta) {
    std::string unknown, missing;
    for (const auto& [key, value] : meta)
        if (!contains(rules.meta_required, key) && !contains(rules.meta_optional, key))
            add(unknown, key);
    for (const std::string& key : rules.meta_required)
        if (!meta.contains(key)) add(missing, key);
    if (!unknown.empty())
        return "Dispatch request included unpermitted metadata keys: [" + unknown + "]";
    if (!missing.empty()) return "Dispatch did not provide required meta keys: [" + missing + "]";
    return "";
}

}  // namespace

std::string dispatched_id(const Job& parent, const Dispatch& dispatch, WallTime now,
                          std::uint32_t unique) {
    std::array<char, 9> tail{};
    std::snprintf(tail.data(), tail.size(), "%08x", unique);
    const std::string prefix = dispatch.id_prefix.empty() ? "" : dispatch.id_prefix + "-";
    return parent.id + "/dispatch-" + prefix + std::to_string(now.nanoseconds / 1'000'000'000) +
           "-" + tail.data();
}

Result<Job> dispatched(const Job& parent, const Dispatch& dispatch, std::string id) {
    const auto refuse = [](std::string why) { return Error{Errc::invalid, std::move(why)}; };
    if (!waits_for_dispatch(parent))
        return refuse("Specified job \"" + parent.id + "\" is not a parameterized job");
    if (auto why = wrong_payload(*parent.parameterized, dispatch.payload); !why.empty())
        return refuse(std::move(why));
    if (auto why = wrong_meta(*parent.parameterized, dispatch.meta); !why.empty())
        return refuse(std::move(why));
    Job child = parent;
    child.id = child.name = std::move(id);
    child.parent = parent.id;
    child.payload = dispatch.payload;
    for (const auto& [key, value] : dispatch.meta) child.meta[key] = value;
    return child;
}

}  // namespace gaggle
