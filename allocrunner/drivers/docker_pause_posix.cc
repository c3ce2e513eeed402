#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "allocrunner/drivers/docker_container.h"
#include "allocrunner/drivers/docker_pause.h"
#include "allocrunner/drivers/engine_http.h"
#include "allocrunner/drivers/engine_session.h"
#include "allocrunner/drivers/json_words.h"
#include "allocrunner/drivers/tar_file.h"
#include "base/hash.h"

namespace gaggle::allocrunner {

namespace {

constexpr const char* kProgram = "gctl-shim";  // in the image, at its root
constexpr const char* kNetnsInside = "/netns";
constexpr auto kEnterPatience = std::chrono::seconds(10);
constexpr auto kLookAgain = std::chrono::milliseconds(10);
constexpr std::size_t kImageHashBytes = 8;

Result<std::string> read_program(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string out{std::istreambuf_iterator<char>(file), {}};
    if (out.empty())
        return {Errc::not_found, "read " + path +
                                     ": it is not there; is gctl-shim installed "
                                     "beside gctl?"};
    return out;
}

/// As the allocation's hosts file has it.
std::string machine_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

/// Whether the process is in the namespace that is mounted at `netns`.
bool stands_in(std::int64_t pid, const std::string& netns) {
    struct stat its {};
    struct stat wanted {};
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
    return pid > 0 && stat(path.c_str(), &its) == 0 && stat(netns.c_str(), &wanted) == 0 &&
           its.st_ino == wanted.st_ino && its.st_dev == wanted.st_dev;
}

Error failure(const std::string& what, const std::string& name, const EngineAnswer& answer) {
    return {Errc::unavailable, what + " container " + name + ", which is to hold the " +
                                   "allocation's network: " + answer.message()};
}

}  // namespace

std::string pause_name(const std::string& alloc) { return "pause_" + alloc; }

Value pause_body(const PauseFacts& facts, const std::string& alloc, const std::string& image) {
    using json::text;
    using json::texts;
    using Texts = std::vector<std::string>;
    const std::string bind = facts.netns + ":" + kNetnsInside + ":ro";
    return json::object(
        {{"Image", text(image)},
         {"Entrypoint", texts(Texts{std::string("/") + kProgram, "--pause", kNetnsInside})},
         {"Hostname", text(facts.hostname)},
         {"Labels", json::map({{kOwnerLabel, facts.owner}, {"gaggle.pause", alloc}})},
         {"HostConfig", json::object({{"NetworkMode", text("none")},
                                      {"Binds", texts(Texts{bind})},
                                      {"CapDrop", texts(Texts{"ALL"})},
                                      {"CapAdd", texts(Texts{"SYS_ADMIN"})},  // to enter; then none
                                      {"ReadonlyRootfs", json::flag(true)}})}});
}

/// By its content: an agent of another version has another one.
Result<std::string> DockerPause::image() {
    const std::lock_guard lock(making_);
    const std::string program = TRY(read_program(shim_path_));
    if (image_.empty()) {
        const Hash hash = hash_of(as_bytes(program));
        image_ = "gaggle-pause:" + to_hex(BytesView(hash.bytes).first(kImageHashBytes));
    }
    TRY(images_.provide(image_, [&] { return tar_of_program(kProgram, as_bytes(program)); }));
    return image_;
}

Result<DockerPause::Found> DockerPause::look_for(const std::string& name) const {
    const EngineAnswer answer =
        TRY(call_engine(socket_, {.target = "/containers/" + name + "/json"}));
    if (answer.missing()) return Found{};
    if (!answer.ok()) return failure("look for", name, answer);
    const Value told = answer.json();
    const Value* runs = json::find(told, {"State", "Running"});
    return Found{runs != nullptr && *runs == Value{true}, json::number_at(told, {"State", "Pid"})};
}

Result<void> DockerPause::start(const std::string& name, const Value& body) const {
    const EngineAnswer made = TRY(call_engine(socket_, {.method = "POST",
                                                        .target = "/containers/create?name=" + name,
                                                        .headers = {},
                                                        .body = body}));
    if (!made.ok()) return failure("create", name, made);
    const EngineAnswer begun =
        TRY(call_engine(socket_, {.method = "POST", .target = "/containers/" + name + "/start"}));
    if (!begun.ok()) return failure("start", name, begun);
    return {};
}

/// What its process said before it ended.
std::string DockerPause::complaint(const std::string& name) const {
    const auto answer =
        call_engine(socket_, {.target = "/containers/" + name + "/logs?stdout=1&stderr=1&tail=5"});
    if (!answer || !answer->ok()) return {};
    StreamFrames frames;
    ExecOutput said;
    frames.feed(as_bytes(answer->body), said);
    return to_text(said.err);
}

Result<void> DockerPause::wait_until_inside(const std::string& name,
                                            const std::string& netns) const {
    const auto deadline = std::chrono::steady_clock::now() + kEnterPatience;
    Found found = TRY(look_for(name));
    while (found.runs && std::chrono::steady_clock::now() < deadline) {
        if (stands_in(found.pid, netns)) return {};
        std::this_thread::sleep_for(kLookAgain);
        found = TRY(look_for(name));
    }
    if (found.runs)
        return {Errc::timeout, "container " + name + " does not enter the allocation's network " +
                                   netns + ": is the engine on this machine, and in its mounts?"};
    return {Errc::io, "container " + name + " could not enter the allocation's network " + netns +
                          ": " + complaint(name)};
}

Result<void> DockerPause::make_present(const std::string& alloc, PauseFacts facts) {
    const std::string name = pause_name(alloc);
    if (facts.hostname.empty()) facts.hostname = machine_name();
    const Found found = TRY(look_for(name));
    if (found.runs && stands_in(found.pid, facts.netns)) return {};
    TRY(remove(alloc));
    const std::string made_of = TRY(image());
    Result<void> done = start(name, pause_body(facts, alloc, made_of));
    if (done) done = wait_until_inside(name, facts.netns);
    if (!done) (void)remove(alloc).ok();
    return done;
}

Result<void> DockerPause::remove(const std::string& alloc) const {
    const std::string name = pause_name(alloc);
    const EngineAnswer answer = TRY(call_engine(
        socket_, {.method = "DELETE", .target = "/containers/" + name + "?force=1&v=1"}));
    // 409: its removal is already under way.
    if (answer.ok() || answer.missing() || answer.status == 409) return {};
    return {Errc::io, failure("remove", name, answer).detail};
}

}  // namespace gaggle::allocrunner
