#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <vector>

#include "allocrunner/drivers/docker_images.h"
#include "allocrunner/drivers/engine_http.h"
#include "allocrunner/drivers/json_words.h"
#include "allocrunner/drivers/spec_file.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kPullPatience = 2min;  // without any progress
constexpr Duration kLoadPatience = 2min;

TimePoint present() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::microseconds(time.tv_nsec / 1'000));
}

/// {"status": "Downloading", "progressDetail": {"current": 1, "total": 9}} a line, or {"error":
/// ...}.
class PullProgress {
  public:
    PullProgress(std::string image, const std::function<void(std::string)>& say)
        : image_(std::move(image)), say_(say) {}

    void feed(std::string_view part) {
        line_ += part;
        for (std::size_t end = 0; (end = line_.find('\n')) != std::string::npos;) {
            read(line_.substr(0, end));
            line_.erase(0, end + 1);
        }
        if (line_.size() > kLineMax) line_.clear();
    }
    const std::string& error() const { return error_; }

  private:
    static constexpr std::size_t kLineMax = 1U << 20U;

    void read(const std::string& line) {
        const auto value = value_from_json(line);
        if (!value) return;
        if (const std::string error = json::text_at(*value, {"error"}); !error.empty())
            error_ = error;
        const std::int64_t total = json::number_at(*value, {"progressDetail", "total"});
        if (total <= 0) return;
        layers_[json::text_at(*value, {"id"})] = {
            json::number_at(*value, {"progressDetail", "current"}), total};
        std::int64_t have = 0;
        std::int64_t all = 0;
        for (const auto& [id, layer] : layers_) {
            have += layer.first;
            all += layer.second;
        }
        const std::int64_t quarter = 4 * have / std::max<std::int64_t>(1, all);
        if (quarter <= said_ || quarter >= 4) return;
        said_ = quarter;
        say_("Downloading image " + image_ + ": " + std::to_string(25 * quarter) + " %");
    }

    std::string image_;
    const std::function<void(std::string)>& say_;
    std::string line_;
    std::string error_;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> layers_;
    std::int64_t said_ = 0;
};

/// The registry's words, sorted by what can be done about them.
Error pull_error(const std::string& image, const std::string& words) {
    const auto has = [&](const char* sign) { return words.find(sign) != std::string::npos; };
    const std::string what = "download image " + image + ": " + words;
    if (has("manifest unknown") || has("not found") || has("does not exist"))
        return {Errc::not_found, what};
    if (has("denied") || has("unauthorized") || has("authentication required"))
        return {Errc::denied, what + "; give the right user and password in the block auth"};
    return {Errc::unavailable, what};
}

/// What is opened stays what it is, whatever a task puts in its place meanwhile.
Result<UniqueFd> open_beneath(const std::string& local, std::string_view file) {
    const std::string what = "load image from " + local + "/" + std::string(file) + ": ";
    file.remove_prefix(std::min(file.find_first_not_of('/'), file.size()));
    const UniqueFd folder(open(local.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a pipe would make us wait
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    UniqueFd fd(static_cast<int>(
        syscall(SYS_openat2, folder.get(), std::string(file).c_str(), &how, sizeof how)));
    struct stat about {};
    if (!fd && errno == EXDEV) return Error{Errc::invalid, what + "it leaves the task's directory"};
    if (!fd && errno == ENOENT)
        return Error{
            Errc::not_found,
            what + "it is not there; an artifact with destination \"local/\" puts it there"};
    if (!fd || fstat(fd.get(), &about) != 0) return Error{Errc::io, what + std::strerror(errno)};
    if (!S_ISREG(about.st_mode)) return Error{Errc::invalid, what + "it is no plain file"};
    return fd;
}

std::string credentials(const ConfigReader& options) {
    const auto blocks = options.blocks("auth");
    if (blocks.empty()) return {};
    const ConfigReader auth(blocks.front());
    return base64(
        value_to_json(json::object({{"username", json::text(auth.text("username"))},
                                    {"password", json::text(auth.text("password"))},
                                    {"email", json::text(auth.text("email"))},
                                    {"serveraddress", json::text(auth.text("server_address"))}})));
}

}  // namespace

Result<bool> DockerImages::is_here(const std::string& name,
                                   const std::function<bool()>& cancelled) {
    const EngineAnswer answer =
        TRY(call_engine(socket_, {.target = "/images/" + name + "/json", .cancelled = cancelled}));
    if (answer.ok() || answer.missing()) return answer.ok();
    return {Errc::unavailable, "look for image " + name + ": " + answer.message()};
}

Result<std::string> DockerImages::key_of(const TaskSpec& spec) {
    const ConfigReader options(spec.config);
    std::string key = TRY(image_name(options.text("image"))).whole();
    if (options.has("load")) return key + " from " + spec.task_dir + "/" + options.text("load");
    if (options.flag("force_pull")) key += " anew";
    return key + " " + credentials(options);
}

Result<void> DockerImages::make_present(const TaskSpec& spec, const FetchWatch& watch) {
    const ConfigReader options(spec.config);
    const ImageName name = TRY(image_name(options.text("image")));
    mark(name.whole(), false);  // from here on it is not collected
    if (const std::string file = options.text("load"); !file.empty()) {
        TRY(load(spec, file, watch));
        if (TRY(is_here(name.whole(), watch.cancelled))) {
            mark(name.whole(), true);
            return {};
        }
        return {Errc::not_found, "load image " + name.whole() + ": the archive " + file +
                                     " holds no image of that name"};
    }
    const bool newest = options.flag("force_pull") || name.tag == "latest";
    if (!newest && TRY(is_here(name.whole(), watch.cancelled))) return {};
    watch.say("Downloading image " + name.whole());
    TRY(pull(name, options, watch));
    mark(name.whole(), true);
    return {};
}

Result<void> DockerImages::provide(const std::string& name,
                                   const std::function<std::string()>& archive) {
    mark(name, false);
    if (TRY(is_here(name))) return {};
    const ImageName parts = TRY(image_name(name));
    const EngineCall call{
        .method = "POST",
        .target = "/images/create?fromSrc=-&repo=" + percent_encoded(parts.repository) +
                  "&tag=" + percent_encoded(parts.tag),
        .headers = {},
        .body = {},
        .file = {},
        .archive = archive(),
        .patience = kLoadPatience,
        .parts = {},
        .cancelled = {}};
    const EngineAnswer answer = TRY(call_engine(socket_, call));
    if (!answer.ok() || answer.body.find("\"error\"") != std::string::npos)
        return {Errc::unavailable, "make image " + name + ": " + answer.message()};
    mark(name, true);
    return {};
}

Result<void> DockerImages::load(const TaskSpec& spec, const std::string& file,
                                const FetchWatch& watch) {
    const UniqueFd archive = TRY(open_beneath(spec.task_dir + "/local", file));
    const EngineCall call{.method = "POST",
                          .target = "/images/load?quiet=1",
                          .headers = {},
                          .body = {},
                          .file = "/proc/self/fd/" + std::to_string(archive.get()),
                          .archive = {},
                          .patience = kLoadPatience,
                          .parts = {},
                          .cancelled = watch.cancelled};
    const EngineAnswer answer = TRY(call_engine(socket_, call));
    if (!answer.ok() || answer.body.find("\"error\"") != std::string::npos)
        return {Errc::invalid, "load image from " + file + ": " + answer.message()};
    return {};
}

Result<void> DockerImages::pull(const ImageName& name, const ConfigReader& options,
                                const FetchWatch& watch) {
    PullProgress progress(name.whole(), watch.say);
    EngineCall call{
        .method = "POST",
        .target = "/images/create?fromImage=" +
                  percent_encoded(name.digest.empty() ? name.repository
                                                      : name.repository + "@" + name.digest),
        .headers = {},
        .body = {},
        .file = {},
        .archive = {},
        .patience = kPullPatience,
        .parts = [&](std::string_view part) { progress.feed(part); },
        .cancelled = watch.cancelled};
    if (!name.tag.empty()) call.target += "&tag=" + percent_encoded(name.tag);
    if (const std::string auth = credentials(options); !auth.empty())
        call.headers["X-Registry-Auth"] = auth;
    const EngineAnswer answer = TRY(call_engine(socket_, call));
    if (!answer.ok()) return pull_error(name.whole(), answer.message());
    if (!progress.error().empty()) return pull_error(name.whole(), progress.error());
    return {};
}

void DockerImages::mark(const std::string& name, bool ours) {
    std::unique_lock lock(mutex_);
    removed_.wait(lock, [&] { return removing_ != name; });
    read_file();
    const bool known = ours_.count(name) != 0;
    if (!ours && !known) return;
    ours_[name] = present();
    if (!known) write_file();
}

void DockerImages::read_file() {
    if (std::exchange(read_, true)) return;
    std::ifstream file(file_);
    for (std::string name; std::getline(file, name);) ours_[name] = present();
}

void DockerImages::write_file() {
    std::string text;
    for (const auto& [name, when] : ours_) text += name + "\n";
    const auto written = write_driver_file(file_, as_bytes(text));
    if (!written) log::warn("remember images: {}", written.error().detail);
}

std::vector<std::string> DockerImages::ours() {
    const std::lock_guard lock(mutex_);
    read_file();
    std::vector<std::string> out;
    for (const auto& [name, when] : ours_) out.push_back(name);
    return out;
}

void DockerImages::collect() {
    const std::vector<std::string> names = ours();
    if (names.empty()) return;
    const auto listed = call_engine(socket_, {.target = "/containers/json?all=1"});
    const Value told = listed && listed->ok() ? listed->json() : Value{};
    const auto* containers = std::get_if<Value::List>(&told.data);
    if (containers == nullptr) return;
    std::set<std::string> used;
    for (const Value& container : *containers) {
        used.insert(json::text_at(container, {"Image"}));
        used.insert(json::text_at(container, {"ImageID"}));
    }
    for (const std::string& name : names) {
        if (used.count(name) != 0)
            mark(name, true);
        else
            remove_if_old(name);
    }
}

void DockerImages::remove_if_old(const std::string& name) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = ours_.find(name);
        if (known == ours_.end() || present() - known->second < keep_) return;
        removing_ = name;
    }
    // Large images take long. Tasks that want another one need not wait for that.
    const auto gone = call_engine(socket_, {.method = "DELETE", .target = "/images/" + name});
    const std::lock_guard lock(mutex_);
    removing_.clear();
    removed_.notify_all();
    if (!gone || (!gone->ok() && !gone->missing())) return;  // in use, or next time
    log::info("removed image {}: no task has used it for a while", name);
    ours_.erase(name);
    write_file();
}

}  // namespace gaggle::allocrunner
