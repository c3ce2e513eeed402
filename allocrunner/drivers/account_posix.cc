#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "allocrunner/drivers/account.h"
#include "base/bytes.h"

namespace gaggle::allocrunner {

namespace {

constexpr int kGroupsMax = 256;

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<Account> by_number(const std::string& user) {
    const std::size_t colon = user.find(':');
    const auto uid = number_of(std::string_view(user).substr(0, colon));
    if (!uid) return std::nullopt;
    if (colon == std::string::npos) return Account{*uid, *uid, {*uid}};
    const auto gid = number_of(std::string_view(user).substr(colon + 1));
    if (!gid) return std::nullopt;
    return Account{*uid, *gid, {*gid}};
}

}  // namespace

Result<Account> account_of(const std::string& user) {
    Bytes room(16'384);
    passwd entry{};
    passwd* found = nullptr;
    getpwnam_r(user.c_str(), &entry, reinterpret_cast<char*>(room.data()), room.size(), &found);
    if (found == nullptr) {
        if (const auto numbered = by_number(user)) return *numbered;
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

void give_to(const Account& account, const std::string& task_dir) {
    for (const char* folder : {"", "/local", "/tmp", "/secrets"})
        if (lchown((task_dir + folder).c_str(), account.uid, account.gid) != 0) return;
}

}  // namespace gaggle::allocrunner
