#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <thread>
#include <vector>

#include "gctl/agent/exec_worker.h"

namespace gaggle::agent {

namespace {

constexpr Duration kReadPatience = 100ms;  ///< so soon a change is seen by a session that reads
constexpr Duration kWritePatience = 5ms;   ///< while the command has no room for its input

std::optional<allocrunner::TerminalSize> terminal_of(const std::optional<node::ExecSize>& size) {
    if (!size) return std::nullopt;
    return allocrunner::TerminalSize{.rows = size->rows, .columns = size->columns};
}

}  // namespace

class ExecWorker::Run {
  public:
    Run(node::ExecKey key, node::ExecBegin what, const Open& open,
        std::function<void(node::ExecNews)> news)
        : key_(key), what_(std::move(what)), news_(std::move(news)), thread_([this, open] {
              ::pthread_setname_np(::pthread_self(), "exec");
              run(open);
              end();
              over_ = true;
          }) {}
    ~Run() {
        kill();
        thread_.join();
    }

    void input(node::ExecInput input) {
        const std::lock_guard lock(mutex_);
        waiting_.insert(waiting_.end(), input.data.begin(), input.data.end());
        closing_ = closing_ || input.close;
        if (session_) write();
    }
    void resize(node::ExecSize size) {
        const std::lock_guard lock(mutex_);
        size_ = size;
        changed_.notify_all();
    }
    void more(std::uint64_t until) {
        const std::lock_guard lock(mutex_);
        until_ = until;
        changed_.notify_all();
    }
    void kill() {
        const std::lock_guard lock(mutex_);
        killed_ = true;
        changed_.notify_all();
    }
    bool over() const { return over_; }

  private:
    void say(decltype(node::ExecNews::what) what) { news_({key_, std::move(what)}); }

    /// With `mutex_`. What there is room for; tells how far it came.
    void write() {
        std::size_t bytes = 0;
        if (!waiting_.empty()) {
            const auto taken = session_->write(waiting_);
            bytes = taken.ok() ? *taken : waiting_.size();
        }
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(bytes));
        consumed_ += bytes;
        if (waiting_.empty() && std::exchange(closing_, false)) session_->close_input();
        if (bytes > 0) say(node::ExecConsumed{consumed_});
    }

    void run(const Open& open) {
        allocrunner::ExecRequest request{
            .argv = what_.argv, .env = {}, .terminal = terminal_of(what_.terminal)};
        if (request.terminal) request.env["TERM"] = "xterm-256color";
        auto opened = open(what_.alloc, what_.task, request);
        if (!opened.ok()) return say(node::ExecBegan{opened.error()});
        {
            const std::lock_guard lock(mutex_);
            session_ = std::move(*opened);
        }
        say(node::ExecBegan{});
        while (wait_for_room()) {
            const auto said = session_->read(patience());
            if (!said.ok()) return say(node::ExecEnded{.code = 1, .error = said.error().detail});
            read_ += said->out.size() + said->err.size();
            if (!said->out.empty()) say(node::ExecSaid{false, said->out});
            if (!said->err.empty()) say(node::ExecSaid{true, said->err});
            if (said->exit_code) return say(node::ExecEnded{.code = *said->exit_code, .error = ""});
            const std::lock_guard lock(mutex_);
            if (!waiting_.empty() || closing_) write();
        }
    }

    /// Kills a command that still runs. That may take long, so nobody may wait for it meanwhile.
    void end() {
        Session ended;
        const std::lock_guard lock(mutex_);
        ended.swap(session_);
    }

    Duration patience() {
        const std::lock_guard lock(mutex_);
        return waiting_.empty() ? kReadPatience : kWritePatience;
    }

    /// False: it is to end. A new size is passed on meanwhile, without the lock: an engine may be
    /// slow to take it.
    bool wait_for_room() {
        std::unique_lock lock(mutex_);
        while (!killed_ && (read_ >= until_ || size_)) {
            if (const auto size = std::exchange(size_, std::nullopt)) {
                lock.unlock();
                session_->resize({.rows = size->rows, .columns = size->columns});
                lock.lock();
                continue;
            }
            changed_.wait_for(lock, kReadPatience);
            if (!waiting_.empty() || closing_) write();
        }
        return !killed_;
    }

    const node::ExecKey key_;
    const node::ExecBegin what_;
    const std::function<void(node::ExecNews)> news_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    Session session_;  ///< put in and taken out by the thread, which alone reads it without lock
    std::optional<node::ExecSize> size_;  ///< not yet passed on
    Bytes waiting_;  ///< input; at most what the node gives before it is consumed
    bool closing_ = false;
    std::uint64_t consumed_ = 0;
    std::uint64_t until_ = 0;
    bool killed_ = false;
    std::atomic<bool> over_ = false;  ///< the thread does nothing any more
    std::uint64_t read_ = 0;          ///< of the thread alone
    std::thread thread_;              // last: it uses the others
};

ExecWorker::ExecWorker(Open open, std::function<void(node::ExecNews)> news)
    : open_(std::move(open)), news_(std::move(news)) {}

ExecWorker::~ExecWorker() { stop(); }

void ExecWorker::carry_out(node::ExecWork work) {
    join_ended();
    if (auto* begin = std::get_if<node::ExecBegin>(&work.what))
        return this->begin(work.session, std::move(*begin));
    const auto found = runs_.find(work.session);
    if (found == runs_.end()) return;  // it ended meanwhile
    Run& run = *found->second;
    if (auto* input = std::get_if<node::ExecInput>(&work.what)) run.input(std::move(*input));
    if (const auto* size = std::get_if<node::ExecResize>(&work.what)) run.resize(size->size);
    if (const auto* more = std::get_if<node::ExecMore>(&work.what)) run.more(more->until);
    if (std::holds_alternative<node::ExecKill>(work.what)) {
        run.kill();
        ending_.push_back(std::move(found->second));
        runs_.erase(found);
    }
}

void ExecWorker::begin(const node::ExecKey& key, node::ExecBegin what) {
    if (runs_.size() + ending_.size() < kExecThreadsMax) {
        auto& run = runs_[key];
        if (run) ending_.push_back(std::move(run));  // its command has ended, its thread not quite
        run = std::make_unique<Run>(key, std::move(what), open_, news_);
        return;
    }
    news_({key, node::ExecBegan{Error{Errc::unavailable,
                                      "run a command in task " + what.task + ": " +
                                          std::to_string(kExecThreadsMax) +
                                          " of them are being ended and it takes long; is the "
                                          "container engine well? try again later"}}});
}

void ExecWorker::join_ended() {
    std::erase_if(runs_, [](auto& one) { return one.second->over(); });
    std::erase_if(ending_, [](auto& one) { return one->over(); });
}

void ExecWorker::stop() {
    for (auto& [key, run] : runs_) run->kill();
    runs_.clear();
    ending_.clear();
}

}  // namespace gaggle::agent
