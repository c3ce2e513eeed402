#include "allocrunner/network/cni_result.h"

#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

using Object = Value::Map;
using List = Value::List;

constexpr std::size_t kComplaintMax = 600;

template <class T>
const T* get(const Object& object, const std::string& key) {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : std::get_if<T>(&found->second.data);
}

std::string text_of(const Object& object, const std::string& key) {
    const auto* found = get<std::string>(object, key);
    return found == nullptr ? std::string() : *found;
}

std::vector<std::string> texts_of(const Object& object, const std::string& key) {
    std::vector<std::string> out;
    const auto* list = get<List>(object, key);
    if (list == nullptr) return out;
    for (const Value& item : *list)
        if (const auto* one = std::get_if<std::string>(&item.data)) out.push_back(*one);
    return out;
}

std::string without_length(const std::string& address) {
    return address.substr(0, address.find('/'));
}

/// The interface of that number, when it is inside the namespace.
const Object* inside_interface(const Object& result, const std::int64_t* number) {
    const auto* all = get<List>(result, "interfaces");
    if (all == nullptr || number == nullptr || *number < 0 ||
        *number >= static_cast<std::int64_t>(all->size()))
        return nullptr;
    const auto* one = std::get_if<Object>(&(*all)[static_cast<std::size_t>(*number)].data);
    return one == nullptr || text_of(*one, "sandbox").empty() ? nullptr : one;
}

std::string_view trimmed_end(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return text.substr(text.size() - std::min(text.size(), kComplaintMax));
}

}  // namespace

Result<NetworkStatus> status_of_result(const Value& result) {
    const auto* top = std::get_if<Object>(&result.data);
    if (top == nullptr) return {Errc::corrupt, "the result is no JSON object"};
    NetworkStatus out;
    if (const auto* dns = get<Object>(*top, "dns"))
        out.dns = {.servers = texts_of(*dns, "nameservers"),
                   .searches = texts_of(*dns, "search"),
                   .options = texts_of(*dns, "options")};
    if (const auto* old = get<Object>(*top, "ip4")) out.ip = without_length(text_of(*old, "ip"));
    const auto* addresses = get<List>(*top, "ips");
    if (addresses == nullptr) return out;
    for (const Value& item : *addresses) {
        const auto* address = std::get_if<Object>(&item.data);
        if (address == nullptr) return {Errc::corrupt, "an entry of `ips` is no object"};
        const std::string ip = without_length(text_of(*address, "address"));
        const Object* inside = inside_interface(*top, get<std::int64_t>(*address, "interface"));
        if (inside != nullptr) {
            out.interface = text_of(*inside, "name");
            out.ip = ip;
            return out;
        }
        if (out.ip.empty()) out.ip = ip;
    }
    return out;
}

std::string cni_complaint(std::string_view out, std::string_view err) {
    const Result<Value> parsed = value_from_json(out);
    const auto* error = parsed.ok() ? std::get_if<Object>(&parsed->data) : nullptr;
    if (error != nullptr && !text_of(*error, "msg").empty()) {
        std::string words = text_of(*error, "msg").substr(0, kComplaintMax);
        const std::string details = text_of(*error, "details").substr(0, kComplaintMax);
        if (!details.empty()) words += ": " + details;
        if (const auto* code = get<std::int64_t>(*error, "code"))
            words += " (code " + std::to_string(*code) + ")";
        return words;
    }
    const std::string_view end = trimmed_end(err.empty() ? out : err);
    return std::string(end);
}

}  // namespace gaggle::allocrunner
