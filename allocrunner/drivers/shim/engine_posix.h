// A container of an engine (Docker, Podman) on its Unix socket, seen from its supervisor.
//
// Three connections at most: one brings its output, one the answer to "wait until it has ended",
// one a signal on its way. All requests are HTTP/1.0, so that no answer comes in chunks. An engine
// that goes away is called again until it says what became of the container, has taken the signals
// and gives the output; once the container runs, nothing waits for the engine's answer.
#pragma once

#include "allocrunner/drivers/shim/log_posix.h"
#include "allocrunner/drivers/shim/start_posix.h"

namespace gaggle::allocrunner::shim {

inline constexpr std::size_t kEngineWordsMax = 1024;

class Engine {
  public:
    /// Attaches, starts, begins to wait. False with `why`, and the engine's own words in `words`.
    bool start(const Start& start, NotStarted& why, char (&words)[kEngineWordsMax]);
    /// Its first process on this machine; 0 when the engine does not say.
    std::int64_t pid() const { return pid_; }

    /// What to poll for input; -1: nothing.
    int output() const { return output_; }
    int waiting() const { return waiting_; }
    int signalling() const { return signalling_; }
    /// Milliseconds after which on_time() wants to be called; -1: never.
    int timeout_ms() const {
        const bool owed = waiting_ < 0 || owes_output_ || (signals_ > 0 && signalling_ < 0);
        return owed && !ended_ ? kCallAgainMs : -1;
    }

    /// One read of its output. False when there is nothing (more).
    bool on_output(Log& out, Log& err);
    void on_waiting();
    void on_signalling();
    /// Calls an engine that went away.
    void on_time(Log& err);

    /// Kept until the engine has taken it. 0: the one that the image is stopped by.
    void signal(int number);

    bool ended() const { return ended_; }
    std::int32_t code() const { return code_; }
    /// The container vanished while nobody looked.
    bool lost() const { return lost_; }

    /// After its end: what is left of its output, whether it ran out of memory, its removal.
    void drain(Log& out, Log& err);
    bool ran_out_of_memory();
    void remove();

  private:
    static constexpr int kCallAgainMs = 1'000;
    static constexpr std::size_t kAnswerMax = 512;
    static constexpr std::size_t kSignalsMax = 8;

    int request(const char* method, const char* what, bool upgrade = false);
    int ask(const char* method, const char* what, char* body, std::size_t size);
    void learn(const char* inspected);
    void listen_again();
    void send_signal();
    void begin_to_wait();
    void deliver(const char* bytes, std::size_t size, Log& out, Log& err);

    const char* socket_ = nullptr;
    const char* container_ = nullptr;
    bool terminal_ = false;
    int output_ = -1;
    int waiting_ = -1;
    int signalling_ = -1;
    int wanted_[kSignalsMax];  ///< signals, the first is under way or owed
    std::size_t signals_ = 0;
    char stop_signal_[16] = "SIGTERM";
    std::int64_t pid_ = 0;
    char answer_[kAnswerMax];  ///< to the wait, as far as it has come
    std::size_t answered_ = 0;
    bool away_ = false;
    bool owes_output_ = false;  ///< its log is to be asked for
    bool head_owed_ = false;    ///< of the answer on output_
    bool ended_ = false;
    bool lost_ = false;
    std::int32_t code_ = 0;
    std::int64_t heard_ = 0;  ///< wall time in nanoseconds of the last output
    unsigned char head_[8];   ///< of the frame under way
    std::size_t head_have_ = 0;
    std::uint32_t frame_left_ = 0;
    bool frame_is_err_ = false;
};

}  // namespace gaggle::allocrunner::shim
