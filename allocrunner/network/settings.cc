#include "allocrunner/network/settings.h"

#include <algorithm>
#include <charconv>

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kInterfaceNameMax = 15;  // the kernel's

/// Reads a number up to `most` and what must follow it; nothing else is right.
bool take(std::string_view& text, int most, char next) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0 || number > most) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (next == '\0') return text.empty();
    if (!text.starts_with(next)) return false;
    text.remove_prefix(1);
    return true;
}

/// "10.0.0.0/8" to "10.0.0.0/29": at least some allocations have room.
bool is_subnet(std::string_view text) {
    return take(text, 255, '.') && take(text, 255, '.') && take(text, 255, '.') &&
           take(text, 255, '/') && take(text, 29, '\0');
}

bool is_interface_name(const std::string& name) {
    return !name.empty() && name.size() <= kInterfaceNameMax &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                      (c >= 'A' && c <= 'Z');
           });
}

}  // namespace

Result<void> check_settings(const NetworkSettings& settings) {
    if (!is_interface_name(settings.bridge_name))
        return {Errc::invalid, "--bridge-name \"" + settings.bridge_name +
                                   "\" is no name for an interface: 1 to 15 letters, digits, "
                                   "- and _, such as \"gaggle\""};
    if (!is_subnet(settings.bridge_subnet))
        return {Errc::invalid, "--bridge-subnet \"" + settings.bridge_subnet +
                                   "\" is no IPv4 network, such as \"172.26.64.0/20\""};
    return {};
}

}  // namespace gaggle::allocrunner
