#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/account.h"
#include "base/bytes.h"

namespace gaggle {

namespace {

constexpr int kGroupsMax = 256;

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<Account> numbered_account(const std::string& user) {
    const std::size_t colon = user.find(':');
    const auto uid = number_of(std::string_view(user).substr(0, colon));
    if (!uid) return std::nullopt;
    if (colon == std::string::npos) return Account{*uid, *uid, {*uid}};
    const auto gid = number_of(std::string_view(user).substr(colon + 1));
    if (!gid) return std::nullopt;
    return Account{*uid, *gid, {*gid}};
}

Result<Account> account_of(const std::string& user) {
    Bytes room(16'384);
    passwd entry{};
    passwd* found = nullptr;
    getpwnam_r(user.c_str(), &entry, reinterpret_cast<char*>(room.data()), room.size(), &found);
    if (found == nullptr) {
        if (const auto numbered = numbered_account(user)) return *numbered;
        return {Errc::not_found, "look up user \"" + user +
                                     "\": there is none of that name on "
                                     "this peer; create it or correct the task's user"};
    }
    std::vector<gid_t> groups(kGroupsMax);
    int count = kGroupsMax;
    if (getgrouplist(user.c_str(), entry.pw_gid, groups.data(), &count) < 0) count = kGroupsMax;
    groups.resize(static_cast<std::size_t>(count));
    return Account{entry.pw_uid, entry.pw_gid, {groups.begin(), groups.end()}};
}

}  // namespace gaggle
