#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "allocrunner/drivers/ownership.h"
#include "allocrunner/drivers/shim.h"
#include "base/account.h"
#include "base/assert.h"
#include "base/hash.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

constexpr int kAnswerTimeoutMs = 15'000 + 2 * shim::kProgramTimeoutMs;
constexpr std::size_t kProgramLogMax = 64U << 10U;
constexpr std::size_t kSocketNameMax = 64;

std::string why() { return std::strerror(errno); }

/// A socket's path has room for 107 bytes; this one is short wherever the data directory is.
struct SocketPlace {
    UniqueFd folder;
    sockaddr_un address{};
};

Result<SocketPlace> socket_place(const std::string& alloc_dir, const std::string& task) {
    SocketPlace place;
    const std::string folder = alloc_dir + "/shim";
    place.folder.reset(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!place.folder)
        return {errno == ENOENT ? Errc::not_found : Errc::io, "open " + folder + ": " + why()};
    const std::uint64_t hash = checksum64(as_bytes(task));
    const std::string name = task.size() <= kSocketNameMax ? task : std::to_string(hash);
    const std::string path = "/proc/self/fd/" + std::to_string(place.folder.get()) + "/" + name;
    INVARIANT(path.size() < sizeof place.address.sun_path);
    place.address.sun_family = AF_UNIX;
    std::memcpy(place.address.sun_path, path.c_str(), path.size() + 1);
    return place;
}

Result<UniqueFd> connect_to(const SocketPlace& place) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return {Errc::io, "make a socket: " + why()};
    const auto* address = reinterpret_cast<const sockaddr*>(&place.address);
    if (connect(fd.get(), address, sizeof place.address) != 0)
        return {Errc::unavailable, "connect to shim: " + why()};
    return fd;
}

Result<UniqueFd> listen_at(const SocketPlace& place) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return {Errc::io, "make a socket: " + why()};
    unlink(place.address.sun_path);
    const auto* address = reinterpret_cast<const sockaddr*>(&place.address);
    if (bind(fd.get(), address, sizeof place.address) != 0 ||
        chmod(place.address.sun_path, 0600) != 0 || listen(fd.get(), 8) != 0)
        return {Errc::io, "bind the shim's socket: " + why()};
    return fd;
}

Result<void> send_frame(int socket, shim::Kind kind, BytesView payload) {
    Bytes frame(5);
    const auto length = static_cast<std::uint32_t>(payload.size() + 1);
    std::memcpy(frame.data(), &length, sizeof length);
    frame[4] = static_cast<std::uint8_t>(kind);
    frame.insert(frame.end(), payload.begin(), payload.end());
    for (std::size_t sent = 0; sent < frame.size();) {
        const ssize_t part = send(socket, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return {Errc::unavailable, "send to shim: " + why()};
        sent += static_cast<std::size_t>(part);
    }
    return {};
}

/// The next frame, and no byte of the one after it. Errc::unavailable when the shim is gone.
Result<FrameReader::Frame> receive_frame(int socket, FrameReader& reader, int timeout_ms) {
    for (;;) {
        std::optional<FrameReader::Frame> frame = TRY(reader.next());
        if (frame) return std::move(*frame);
        pollfd wait{socket, POLLIN, 0};
        const int ready = poll(&wait, 1, timeout_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return {Errc::timeout, "the shim does not answer"};
        std::uint8_t bytes[512];
        const ssize_t got = read(socket, bytes, std::min(sizeof bytes, reader.wanted()));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != ECONNRESET) return {Errc::io, "read from the shim: " + why()};
        if (got <= 0) return {Errc::unavailable, "the shim is gone"};
        reader.feed(BytesView(bytes, static_cast<std::size_t>(got)));
    }
}

void put_text(Bytes& out, const std::string& text) {
    out.insert(out.end(), text.begin(), text.end());
    out.push_back(0);
}

void put_texts(Bytes& out, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) put_text(out, text);
}

/// What the three kinds of launch have in common, as the message has it.
struct Plan {
    shim::LaunchKind kind = shim::LaunchKind::process;
    std::string executable, pid_file, oom_file, group;
    TaskNetwork network;
    std::vector<std::string> argv, start, remove;
    std::optional<Account> account;
    bool terminal = false;
};

Result<Plan> plan_of(const ShimOrder& order) {
    Plan plan;
    if (const auto* process = std::get_if<LaunchProcess>(&order.launch)) {
        plan.executable = process->executable;
        plan.network = process->network;
        plan.group = process->group;
        plan.argv = order.spec.argv;
        if (process->user.empty()) return plan;
        plan.account = TRY(account_of(process->user));
        TRY(give_to(*plan.account, order.spec.task_dir));
    } else if (const auto* container = std::get_if<LaunchContainer>(&order.launch)) {
        plan.kind = shim::LaunchKind::container;
        plan.executable = container->create.front();
        plan.argv = container->create;
        plan.start = container->start;
        plan.remove = container->remove;
        plan.pid_file = container->pid_file;
        plan.oom_file = container->oom_file;
    } else {
        const auto& engine = std::get<LaunchEngine>(order.launch);
        plan.kind = shim::LaunchKind::engine;
        plan.argv = {engine.socket, engine.container};
        plan.terminal = engine.terminal;
    }
    return plan;
}

shim::StartHeader header_of(const ShimOrder& order, const Plan& plan) {
    const TaskSpec& spec = order.spec;
    shim::StartHeader header;
    header.run = order.run;
    header.launch = plan.kind;
    header.argc = static_cast<std::uint32_t>(plan.argv.size());
    header.start_argc = static_cast<std::uint32_t>(plan.start.size());
    header.remove_argc = static_cast<std::uint32_t>(plan.remove.size());
    header.files_max = static_cast<std::uint64_t>(std::max<std::int64_t>(1, spec.logs.files_max));
    header.file_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(1, spec.logs.file_bytes));
    header.out_number = order.out_number;
    header.err_number = order.err_number;
    header.nofile_soft = order.nofile_soft;
    header.patience_ms = order.patience_ms;
    if (spec.logs.disabled) header.flags |= shim::kNoLogs;
    if (plan.terminal) header.flags |= shim::kTerminal;
    if (plan.kind == shim::LaunchKind::process) {
        header.envc = static_cast<std::uint32_t>(spec.env.size());
        if (spec.oom_score_adj) header.flags |= shim::kSetOomScore;
        header.oom_score_adj = static_cast<std::int32_t>(spec.oom_score_adj.value_or(0));
    }
    if (plan.account) {
        header.flags |= shim::kSwitchUser;
        header.uid = plan.account->uid;
        header.gid = plan.account->gid;
        header.groups = static_cast<std::uint32_t>(plan.account->groups.size());
    }
    return header;
}

Bytes start_message(const ShimOrder& order, const Plan& plan) {
    const shim::StartHeader header = header_of(order, plan);
    Bytes out(sizeof header);
    std::memcpy(out.data(), &header, sizeof header);
    for (std::uint32_t group : plan.account ? plan.account->groups : std::vector<std::uint32_t>{}) {
        const auto* first = reinterpret_cast<const std::uint8_t*>(&group);
        out.insert(out.end(), first, first + sizeof group);
    }
    const bool process = plan.kind == shim::LaunchKind::process;
    put_text(out, plan.executable);
    put_text(out, process ? order.spec.work_dir : "/");
    put_text(out, order.alloc_dir + "/alloc/logs/" + order.task + ".");
    put_text(out, order.alloc_dir + "/exit/" + order.task);
    const TaskNetwork& network = plan.network;
    put_texts(out, {network.netns, network.hostname, network.resolv_file, network.hosts_file,
                    network.hostname_file, plan.pid_file, plan.oom_file, plan.group});
    put_texts(out, plan.argv);
    put_texts(out, plan.start);
    put_texts(out, plan.remove);
    if (process)
        for (const auto& [name, value] : order.spec.env) put_text(out, name + "=" + value);
    return out;
}

Result<pid_t> spawn(const ShimOrder& order, int listening) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    for (const int standard : {0, 1, 2})
        posix_spawn_file_actions_addopen(&files, standard, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, listening, shim::kListenFd);
    posix_spawn_file_actions_addclosefrom_np(&files, shim::kListenFd + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string program = "gctl-shim";
    std::string title = order.title;
    char* argv[] = {program.data(), title.data(), nullptr};
    char* envp[] = {nullptr};
    pid_t pid = 0;
    const int error = posix_spawn(&pid, order.shim_path.c_str(), &files, &how, argv, envp);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    if (error == 0) return pid;
    return {Errc::io, "start " + order.shim_path + ": " + std::strerror(error) +
                          "; is gctl-shim installed beside gctl?"};
}

/// What was attempted, on what, in words; the reason is added by the caller.
std::string attempt_of(const ShimOrder& order, const Plan& plan, shim::Step step) {
    switch (step) {
        case shim::Step::message: return "read the order to start";
        case shim::Step::logs: return "open its log files";
        case shim::Step::record: return "write its record";
        case shim::Step::pipe: return "make its pipes";
        case shim::Step::fork: return "fork for it";
        case shim::Step::limits: return "set its limits";
        case shim::Step::user:
            return "switch the user (does the agent run as root?) to " + order.spec.user;
        case shim::Step::directory: return "change into work_dir " + order.spec.work_dir;
        case shim::Step::execute: return "execute " + plan.executable;
        case shim::Step::network: return "enter its network " + plan.network.netns;
        case shim::Step::create: return plan.executable + " create";
        case shim::Step::begin: return plan.executable + " start";
        case shim::Step::engine: return "start the container at " + plan.argv.front();
    }
    return "start it";
}

bool errno_may_pass(int error) {
    return error == ENOMEM || error == EAGAIN || error == ENOSPC || error == EMFILE ||
           error == ENFILE || error == ETXTBSY || error == EIO;
}

/// The program's own words: the last line of its log that has some, `{"level":"error","msg":...}`.
std::string words_of_program(const ShimOrder& order) {
    const auto* container = std::get_if<LaunchContainer>(&order.launch);
    if (container == nullptr) return {};
    const UniqueFd fd(open(container->log_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::string text(kProgramLogMax, '\0');
    const ssize_t got = fd ? read(fd.get(), text.data(), text.size()) : 0;
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    std::string words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const auto line = value_from_json(std::string_view(text).substr(at, end - at));
        at = end + 1;
        const auto* fields = line ? std::get_if<Value::Map>(&line->data) : nullptr;
        const auto said = fields ? fields->find("msg") : Value::Map::const_iterator();
        if (fields == nullptr || said == fields->end()) continue;
        if (const auto* message = std::get_if<std::string>(&said->second.data)) words = *message;
    }
    return words;
}

/// What runc says of a command that cannot be executed or of its directory, however often it is
/// tried. The same reason of anything else (a control group, a namespace, a mount) may pass.
bool is_the_jobs_fault(const std::string& words) {
    const bool of_command = words.find("exec: ") != std::string::npos ||
                            words.find("chdir to cwd") != std::string::npos;
    if (!of_command) return false;
    for (const char* sign : {"no such file or directory", "permission denied", "not found",
                             "exec format error", "is a directory", "not a directory"})
        if (words.find(sign) != std::string::npos) return true;
    return false;
}

StartFailure failure_of(const ShimOrder& order, const Plan& plan, BytesView payload) {
    shim::NotStarted why_not;
    const std::string task = "start task " + order.task + ": ";
    if (payload.size() < sizeof why_not) return {task + "the shim's answer is damaged", true};
    std::memcpy(&why_not, payload.data(), sizeof why_not);
    const std::string text(payload.begin() + sizeof why_not, payload.end());
    const auto step = static_cast<shim::Step>(why_not.step);
    const std::string what = task + attempt_of(order, plan, step) + ": ";
    const bool foreign =
        step == shim::Step::create || step == shim::Step::begin || step == shim::Step::engine;
    if (!foreign) return {what + std::strerror(why_not.error), errno_may_pass(why_not.error)};
    if (why_not.error < 0)  // it could not be run or reached, or did not answer in time
        return {what + std::strerror(-why_not.error) +
                    (why_not.error == -ETIMEDOUT ? "; it hangs, and was given up" : ""),
                true};
    if (step == shim::Step::engine)
        return {what + "HTTP " + std::to_string(why_not.error) + ": " + text, why_not.error >= 500};
    const std::string words = words_of_program(order);
    if (words.empty()) return {what + "exit code " + std::to_string(why_not.error), true};
    return {what + words, !is_the_jobs_fault(words)};
}

}  // namespace

std::variant<LiveShim, StartFailure> start_shim(const ShimOrder& order) {
    const auto failed = [&](const Error& error, bool may_pass) {
        return StartFailure{"start task " + order.task + ": " + error.detail, may_pass};
    };
    const Result<Plan> plan = plan_of(order);
    if (!plan) return failed(plan.error(), false);
    const Bytes message = start_message(order, *plan);
    if (message.size() + 1 > shim::kFrameMax)
        return failed({Errc::invalid, "arguments and environment exceed 4 MiB"}, false);

    const Result<SocketPlace> place = socket_place(order.alloc_dir, order.task);
    if (!place) return failed(place.error(), true);
    Result<UniqueFd> listening = listen_at(*place);
    if (!listening) return failed(listening.error(), true);
    const Result<pid_t> pid = spawn(order, listening->get());
    if (!pid) return failed(pid.error(), true);
    listening->reset();  // from here on a connection shows whether the shim lives

    Result<UniqueFd> connection = connect_to(*place);
    Result<void> sent = connection ? send_frame(connection->get(), shim::Kind::start, message)
                                   : Result<void>(connection.error());
    FrameReader reader;
    Result<FrameReader::Frame> answer =
        sent ? receive_frame(connection->get(), reader, kAnswerTimeoutMs)
             : Result<FrameReader::Frame>(sent.error());
    if (answer && answer->kind == shim::Kind::state) {
        const auto record = record_of(answer->payload);
        fcntl(connection->get(), F_SETFL, O_NONBLOCK);
        if (record) return LiveShim{std::move(*connection), *pid, *record};
    }
    if (!answer || answer->kind != shim::Kind::not_started) kill(*pid, SIGKILL);
    waitpid(*pid, nullptr, 0);
    if (!answer) return failed(answer.error(), true);
    return failure_of(order, *plan, answer->payload);
}

ShimCall call_shim(const std::string& alloc_dir, const std::string& task) {
    // Only the kernel's word that nobody listens there means that the shim is gone.
    ShimCall call;
    const Result<SocketPlace> place = socket_place(alloc_dir, task);
    if (!place && place.error().code == Errc::not_found) call.reach = ShimReach::gone;
    if (!place) return call;
    call.socket.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!call.socket) return call;
    const auto* address = reinterpret_cast<const sockaddr*>(&place->address);
    if (connect(call.socket.get(), address, sizeof place->address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) call.reach = ShimReach::gone;
        call.socket.reset();
        return call;
    }
    // When it goes at this moment the answer is the end of the stream.
    (void)send_hello(call.socket.get()).ok();
    call.reach = ShimReach::reached;
    return call;
}

std::optional<shim::Record> hear_shim(ShimCall& call, Duration patience) {
    INVARIANT(call.reach == ShimReach::reached);
    const auto patience_ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
    const Result<FrameReader::Frame> answer =
        receive_frame(call.socket.get(), call.reader, static_cast<int>(patience_ms.count()));
    if (answer && answer->kind == shim::Kind::state)
        if (const auto record = record_of(answer->payload)) return record;
    // An answer that is damaged comes from one that lives.
    const bool gone = !answer && answer.error().code == Errc::unavailable;
    call.reach = gone ? ShimReach::gone : ShimReach::not_now;
    return std::nullopt;
}

std::optional<shim::Record> read_record(const std::string& alloc_dir, const std::string& task) {
    const std::string path = alloc_dir + "/exit/" + task;
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::uint8_t bytes[sizeof(shim::Record) + 1];
    const ssize_t got = fd ? read(fd.get(), bytes, sizeof bytes) : -1;
    if (got < 0) return std::nullopt;
    return record_of(BytesView(bytes, static_cast<std::size_t>(got)));
}

namespace {

template <class AnyRecord>
std::optional<AnyRecord> intact(BytesView payload) {
    AnyRecord record;
    if (payload.size() != sizeof record) return std::nullopt;
    std::memcpy(&record, payload.data(), sizeof record);
    if (!shim::is_intact(record)) return std::nullopt;
    return record;
}

}  // namespace

std::optional<shim::Record> record_of(BytesView payload) {
    if (const auto record = intact<shim::Record>(payload)) return record;
    const auto old = intact<shim::RecordV1>(payload);
    if (!old) return std::nullopt;
    shim::Record record;
    record.state = old->state;
    record.run = old->run;
    record.pid = old->pid;
    record.started = old->started;
    record.finished = old->finished;
    record.code = old->code;
    record.signal = old->signal;
    record.log_bytes_lost = old->log_bytes_lost;
    shim::seal(record);
    return record;
}

Result<void> send_hello(int socket) {
    const std::uint32_t version = shim::kVersion;
    return send_frame(socket, shim::Kind::hello,
                      BytesView(reinterpret_cast<const std::uint8_t*>(&version), sizeof version));
}

Result<void> send_signal(int socket, std::int32_t number) {
    return send_frame(socket, shim::Kind::signal,
                      BytesView(reinterpret_cast<const std::uint8_t*>(&number), sizeof number));
}

Result<void> send_kill(int socket) { return send_frame(socket, shim::Kind::kill, {}); }

std::size_t FrameReader::wanted() const {
    std::uint32_t length = 0;
    if (bytes_.size() < sizeof length) return sizeof length - bytes_.size();
    std::memcpy(&length, bytes_.data(), sizeof length);
    const std::size_t whole = sizeof length + length;
    return whole > bytes_.size() ? whole - bytes_.size() : 0;
}

Result<std::optional<FrameReader::Frame>> FrameReader::next() {
    std::uint32_t length = 0;
    if (bytes_.size() < sizeof length) return std::optional<Frame>();
    std::memcpy(&length, bytes_.data(), sizeof length);
    if (length < 1 || length > shim::kFrameMax)
        return {Errc::corrupt, "frame from shim: length " + std::to_string(length)};
    if (bytes_.size() < sizeof length + length) return std::optional<Frame>();
    const auto payload = bytes_.begin() + sizeof length + 1;
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(sizeof length + length);
    Frame frame{static_cast<shim::Kind>(bytes_[sizeof length]), Bytes(payload, end)};
    bytes_.erase(bytes_.begin(), end);
    return std::optional<Frame>(std::move(frame));
}

}  // namespace gaggle::allocrunner
