#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "allocrunner/disk_notice.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kKnownMax = 16'384;  ///< directories whose allocation is remembered
constexpr std::size_t kReadBytes = 64U << 10U;
constexpr int kReadsMax = 32;  ///< per look; what is left is read by the next one
constexpr std::uint64_t kEvents =
    FAN_MODIFY | FAN_CREATE | FAN_DELETE | FAN_MOVED_TO | FAN_MOVED_FROM | FAN_ONDIR;

using Handle = std::string;  ///< file_handle as it came, with its type

}  // namespace

struct DiskNotice::Impl {
    std::string root;  ///< with a slash at its end, no link in it
    UniqueFd root_fd;
    UniqueFd events;
    std::map<Handle, std::optional<AllocId>> known;  ///< nothing: it is no allocation's

    std::optional<AllocId> owner_of(const fanotify_event_info_fid& info);
    std::optional<AllocId> find_owner(file_handle* handle) const;
    void take(const char* begin, const char* end, Changes& out);
};

std::optional<AllocId> DiskNotice::Impl::find_owner(file_handle* handle) const {
    const UniqueFd folder(::open_by_handle_at(root_fd.get(), handle, O_PATH | O_CLOEXEC));
    if (!folder) return std::nullopt;  // removed meanwhile
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(folder.get());
    const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
    if (size <= 0) return std::nullopt;
    const std::string_view text(path.data(), static_cast<std::size_t>(size));
    if (!text.starts_with(root)) return std::nullopt;
    const std::string_view below = text.substr(root.size());
    return parse_id<AllocId>(below.substr(0, below.find('/')));
}

std::optional<AllocId> DiskNotice::Impl::owner_of(const fanotify_event_info_fid& info) {
    // The handle follows `info` in the buffer, aligned as the kernel left it: copied to be sure.
    file_handle head{};
    std::memcpy(&head, info.handle, sizeof head);
    Handle key(reinterpret_cast<const char*>(info.handle), sizeof head + head.handle_bytes);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    if (known.size() >= kKnownMax) known.clear();
    alignas(file_handle) std::array<char, sizeof head + MAX_HANDLE_SZ> copy{};
    if (key.size() > copy.size()) return std::nullopt;
    std::memcpy(copy.data(), key.data(), key.size());
    const auto owner = find_owner(reinterpret_cast<file_handle*>(copy.data()));
    known.emplace(std::move(key), owner);
    return owner;
}

void DiskNotice::Impl::take(const char* begin, const char* end, Changes& out) {
    for (const char* at = begin; at < end;) {
        fanotify_event_metadata event{};
        std::memcpy(&event, at, sizeof event);
        if (event.vers != FANOTIFY_METADATA_VERSION || event.event_len < sizeof event) return;
        if (event.mask & FAN_Q_OVERFLOW) out.anywhere = true;
        const char* info = at + event.metadata_len;
        at += event.event_len;
        if (info + sizeof(fanotify_event_info_fid) > at) continue;
        if (const auto owner = owner_of(*reinterpret_cast<const fanotify_event_info_fid*>(info)))
            out.touched.insert(*owner);
    }
}

DiskNotice::DiskNotice(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DiskNotice::~DiskNotice() = default;
DiskNotice::DiskNotice(DiskNotice&&) noexcept = default;
DiskNotice& DiskNotice::operator=(DiskNotice&&) noexcept = default;

Result<DiskNotice> DiskNotice::open(const std::string& alloc_root) {
    const auto failed = [&](const char* what) -> Error {
        const bool rights = errno == EPERM || errno == EACCES;
        return {rights ? Errc::denied : Errc::unavailable,
                std::string(what) + " " + alloc_root + ": " + std::strerror(errno)};
    };
    auto impl = std::make_unique<Impl>();
    impl->root_fd = UniqueFd(::open(alloc_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(alloc_root.c_str(), nullptr),
                                                        &::free);
    if (!impl->root_fd || !real) return failed("open");
    impl->root = std::string(real.get()) + "/";
    impl->events = UniqueFd(::fanotify_init(
        FAN_CLASS_NOTIF | FAN_REPORT_DIR_FID | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY));
    if (!impl->events) return failed("ask for notification of changes below");
    if (::fanotify_mark(impl->events.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, kEvents, AT_FDCWD,
                        alloc_root.c_str()) != 0)
        return failed("watch the file system of");
    // The rights for both are asked for apart: one without the other is no use.
    alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> handle{};
    auto* own = reinterpret_cast<file_handle*>(handle.data());
    own->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    if (::name_to_handle_at(AT_FDCWD, alloc_root.c_str(), own, &mount, 0) != 0)
        return failed("take the handle of");
    const UniqueFd again(::open_by_handle_at(impl->root_fd.get(), own, O_PATH | O_CLOEXEC));
    if (!again) return failed("open by its handle");
    return DiskNotice(std::move(impl));
}

void DiskNotice::forget_owners() { impl_->known.clear(); }

DiskNotice::Changes DiskNotice::take() {
    Changes out;
    alignas(fanotify_event_metadata) static thread_local std::array<char, kReadBytes> buffer;
    for (int reads = 0; reads < kReadsMax; ++reads) {
        const ssize_t got = ::read(impl_->events.get(), buffer.data(), buffer.size());
        if (got <= 0) return out;
        impl_->take(buffer.data(), buffer.data() + got, out);
    }
    return out;
}

}  // namespace gaggle::allocrunner
