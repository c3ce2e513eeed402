#include "allocrunner/drivers/shim/engine_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "allocrunner/drivers/shim/text.h"

namespace gaggle::allocrunner::shim {

namespace {

constexpr std::size_t kBytes = 64U << 10U;
constexpr int kDrainMs = 5'000;
constexpr int kKilledCode = 137;  // 128 and SIGKILL
constexpr int kOomTries = 5;
constexpr int kOomAgainMs = 100;

char bytes_read[kBytes];
int patience_ms = kProgramTimeoutMs;  // with a step of an answer

std::int64_t wall_now() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void close_fd(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
}

bool wait_for(int fd, int ms) {
    pollfd wait{fd, POLLIN, 0};
    int ready = 0;
    do ready = poll(&wait, 1, ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0) errno = ETIMEDOUT;
    return ready > 0;
}

/// Takes the head of an answer from the socket, and no byte more: byte by byte, for it may come in
/// pieces. HTTP status, or -errno.
int read_status(int fd) {
    char head[2048];
    std::size_t have = 0;
    do {
        if (!wait_for(fd, patience_ms)) return -errno;
        const ssize_t got = read(fd, head + have, 1);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0) return got < 0 ? -errno : -ECONNRESET;
        head[++have] = '\0';
    } while (have + 1 < sizeof head &&
             (have < 4 || std::memcmp(head + have - 4, "\r\n\r\n", 4) != 0));
    const char* const code = strchr(head, ' ');
    const int status = code == nullptr ? 0 : atoi(code);
    return status > 0 ? status : -EPROTO;
}

/// Up to `size` - 1 bytes and a NUL, until the end of the stream.
void read_body(int fd, char* to, std::size_t size) {
    std::size_t have = 0;
    while (have + 1 < size && wait_for(fd, patience_ms)) {
        const ssize_t got = read(fd, to + have, size - 1 - have);
        if (got <= 0) break;
        have += static_cast<std::size_t>(got);
    }
    to[have] = '\0';
}

}  // namespace

/// A connection on which `<method> /containers/<container><what>` was sent; -errno.
int Engine::request(const char* method, const char* what, bool upgrade) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!Text(address.sun_path).add(socket_).fits()) return -ENAMETOOLONG;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    char text[1024];
    Text line(text);
    line.add(method).add(" /containers/").add(container_).add(what);
    line.add(upgrade ? " HTTP/1.1\r\nHost: gaggle\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                     : " HTTP/1.0\r\n");
    line.add("Content-Length: 0\r\n\r\n");
    const std::size_t size = std::strlen(text);
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    if (!line.fits() || connect(fd, to, sizeof address) != 0 ||
        send(fd, text, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) {
        const int error = line.fits() ? errno : ENAMETOOLONG;
        close(fd);
        return -error;
    }
    return fd;
}

/// Status and body of a short answer; a status below 0 is -errno.
int Engine::ask(const char* method, const char* what, char* body, std::size_t size) {
    body[0] = '\0';
    int fd = request(method, what);
    if (fd < 0) return fd;
    const int status = read_status(fd);
    if (status > 0) read_body(fd, body, size);
    close_fd(fd);
    return status;
}

void Engine::begin_to_wait() {
    close_fd(waiting_);
    answered_ = 0;
    waiting_ = request("POST", "/wait?condition=not-running");
    if (waiting_ < 0) waiting_ = -1;  // called again
}

bool Engine::start(const Start& start, NotStarted& why, char (&words)[kEngineWordsMax]) {
    socket_ = strdup(start.argv[0]);
    container_ = strdup(start.argv[1]);
    terminal_ = (start.header.flags & kTerminal) != 0;
    patience_ms = static_cast<int>(start.header.patience_ms);
    heard_ = wall_now();
    words[0] = '\0';
    output_ = request("POST", "/attach?stream=1&stdout=1&stderr=1", true);
    int status = output_ < 0 ? output_ : read_status(output_);
    if (status == 101 || status == 200) {
        status = ask("POST", "/start", words, sizeof words);
        if (status == 204) {
            begin_to_wait();
            if (ask("GET", "/json", bytes_read, sizeof bytes_read) == 200) learn(bytes_read);
            return true;
        }
    } else if (status > 0) {
        read_body(output_, words, sizeof words);
    }
    close_fd(output_);
    why = {status, static_cast<std::uint32_t>(Step::engine)};
    return false;
}

/// `"Pid":1234` and, where the image says so, `"StopSignal":"SIGQUIT"`.
void Engine::learn(const char* inspected) {
    constexpr char kPid[] = "\"Pid\":";
    constexpr char kStop[] = "\"StopSignal\":\"";
    if (const char* pid = strstr(inspected, kPid)) pid_ = atoll(pid + sizeof kPid - 1);
    const char* const name = strstr(inspected, kStop);
    if (name == nullptr) return;
    const char* const begin = name + sizeof kStop - 1;
    const std::size_t size =
        strspn(begin, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-");
    if (size == 0 || size >= sizeof stop_signal_) return;
    std::memcpy(stop_signal_, begin, size);
    stop_signal_[size] = '\0';
}

/// A frame is a byte for the stream (2: stderr), three zeros, the length in network order, bytes.
void Engine::deliver(const char* bytes, std::size_t size, Log& out, Log& err) {
    if (terminal_) return out.write(bytes, size);
    while (size > 0) {
        if (frame_left_ == 0) {
            head_[head_have_++] = static_cast<unsigned char>(*bytes);
            ++bytes;
            --size;
            if (head_have_ < sizeof head_) continue;
            head_have_ = 0;
            frame_is_err_ = head_[0] == 2;
            for (int at = 4; at < 8; ++at) frame_left_ = frame_left_ << 8U | head_[at];
            continue;
        }
        const std::size_t part = size < frame_left_ ? size : frame_left_;
        (frame_is_err_ ? err : out).write(bytes, part);
        bytes += part;
        size -= part;
        frame_left_ -= static_cast<std::uint32_t>(part);
    }
}

bool Engine::on_output(Log& out, Log& err) {
    if (output_ < 0) return false;
    if (head_owed_) {
        head_owed_ = false;
        if (read_status(output_) == 200) return true;
        close_fd(output_);
        owes_output_ = true;
        return false;
    }
    const ssize_t got = read(output_, bytes_read, sizeof bytes_read);
    if (got > 0) {
        heard_ = wall_now();
        deliver(bytes_read, static_cast<std::size_t>(got), out, err);
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    close_fd(output_);
    return false;
}

/// `{"StatusCode":7}` somewhere in the answer, or 404: nobody knows it any more. An answer without
/// either is an engine that went away.
void Engine::on_waiting() {
    const ssize_t got = read(waiting_, answer_ + answered_, kAnswerMax - 1 - answered_);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) answered_ += static_cast<std::size_t>(got);
    answer_[answered_] = '\0';
    const char* const status = strchr(answer_, ' ');
    const char* const code = strstr(answer_, "\"StatusCode\":");
    if (status != nullptr && atoi(status) == 404) {
        ended_ = lost_ = true;
    } else if (code != nullptr && strpbrk(code, ",}") != nullptr) {
        ended_ = true;
        code_ = atoi(code + sizeof "\"StatusCode\":" - 1);
    } else if (got > 0 && answered_ + 1 < kAnswerMax) {
        return;
    }
    close_fd(waiting_);
    if (!ended_) away_ = true;
}

/// Its answer is here. Without one the engine went away, and is told again; what it refuses is done
/// with: the container has ended.
void Engine::on_signalling() {
    const int status = read_status(signalling_);
    close_fd(signalling_);
    if (status < 0) return;
    --signals_;
    std::memmove(wanted_, wanted_ + 1, signals_ * sizeof *wanted_);
    send_signal();
}

/// Its output from where it broke off: from the engine's own log.
void Engine::listen_again() {
    char what[128];
    constexpr std::int64_t kSecond = 1'000'000'000;
    char fraction[16];  // with its leading zeros: the added digit is taken for the point
    Text(fraction).add(static_cast<std::uint64_t>(kSecond + heard_ % kSecond));
    fraction[0] = '.';
    Text(what)
        .add("/logs?follow=1&stdout=1&stderr=1&since=")
        .add(static_cast<std::uint64_t>(heard_ / kSecond))
        .add(fraction);
    close_fd(output_);
    head_have_ = 0;
    frame_left_ = 0;
    output_ = request("GET", what);
    owes_output_ = output_ < 0;
    head_owed_ = output_ >= 0;
    if (output_ < 0) output_ = -1;
}

void Engine::on_time(Log& err) {
    if (ended_) return;
    if (waiting_ < 0) begin_to_wait();
    if (waiting_ < 0) return;
    if (away_) {
        away_ = false;
        owes_output_ = true;
        constexpr char kNote[] =
            "[gaggle: the container engine was away; output from around here may be missing or "
            "doubled]\n";
        err.write(kNote, sizeof kNote - 1);
    }
    if (owes_output_) listen_again();
    send_signal();
}

void Engine::signal(int number) {
    if (signals_ == kSignalsMax) --signals_;  // the newest one counts
    wanted_[signals_++] = number;
    send_signal();
}

void Engine::send_signal() {
    if (signalling_ >= 0 || signals_ == 0) return;
    char what[64];
    Text line(what);
    line.add("/kill?signal=");
    if (wanted_[0] == 0)
        line.add(stop_signal_);
    else
        line.add(static_cast<std::uint64_t>(wanted_[0]));
    const int fd = request("POST", what);
    if (fd >= 0) signalling_ = fd;
}

void Engine::drain(Log& out, Log& err) {
    for (int tries = owes_output_ || head_owed_ ? 2 : 1; tries > 0; --tries) {
        if (owes_output_) listen_again();
        while (output_ >= 0 && wait_for(output_, kDrainMs))
            while (on_output(out, err)) continue;
        if (!owes_output_) break;
    }
    close_fd(output_);
}

bool Engine::ran_out_of_memory() {
    // The engine hears of it from the kernel, perhaps a moment after it has told us of the end.
    for (int tries = code() == kKilledCode ? kOomTries : 1; tries > 0; --tries) {
        if (ask("GET", "/json", bytes_read, sizeof bytes_read) == 200 &&
            strstr(bytes_read, "\"OOMKilled\":true") != nullptr)
            return true;
        if (tries > 1) poll(nullptr, 0, kOomAgainMs);
    }
    return false;
}

void Engine::remove() {
    char words[kEngineWordsMax];
    ask("DELETE", "?force=1&v=1", words, sizeof words);
}

}  // namespace gaggle::allocrunner::shim
