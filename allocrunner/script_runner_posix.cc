#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "allocrunner/drivers/spec_file.h"
#include "allocrunner/script_runner.h"
#include "allocrunner/task_links.h"
#include "base/assert.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kOutputMax = 4'096;
constexpr std::int64_t kExitWarning = 1;

CheckDone judged(const RunCheck& check, const Result<ExecEnd>& end) {
    const std::string what = "script " + check.script->argv.front();
    const auto refused = [&](const std::string& why) {
        return CheckDone{check.alloc, check.check, false, what + ": " + why, false};
    };
    if (!end) return refused(end.error().detail);
    if (end->timed_out)
        return refused("killed, for it did not end within " + for_people(check.timeout));
    const bool warning = end->exit_code == kExitWarning;
    std::string said = end->output;
    while (said.ends_with('\n')) said.pop_back();
    if (said.empty()) said = what + ": exit code " + std::to_string(end->exit_code);
    return {check.alloc, check.check, end->exit_code == 0 || warning, said, warning};
}

}  // namespace

struct ScriptRunner::Impl {
    Impl(Drivers& all, std::function<std::string(const AllocId&)> dir,
         std::function<void(Input)> out)
        : drivers(all), alloc_dir_of(std::move(dir)), deliver(std::move(out)) {}

    using Clock = std::chrono::steady_clock;
    struct Job {
        TaskScript script;
        std::function<void(const Result<ExecEnd>&)> ended;
        Clock::time_point deadline;
    };

    Drivers& drivers;
    std::function<std::string(const AllocId&)> alloc_dir_of;
    std::function<void(Input)> deliver;
    std::mutex mutex;  // guards what follows
    std::condition_variable changed;
    std::deque<Job> waiting;
    std::map<AllocId, std::size_t> running;
    std::size_t idle = 0;  ///< threads
    bool stopping = false;
    Clock::time_point give_up_at;  ///< once stopping
    std::vector<std::thread> threads;
    std::thread clock;  ///< ends what waited too long

    bool given_up() {
        const std::lock_guard lock(mutex);
        return stopping && Clock::now() >= give_up_at;
    }

    Result<ExecEnd> act(const Job& job) {
        const TaskScript& script = job.script;
        const TaskLocation at{.alloc = to_string(script.alloc),
                              .alloc_dir = alloc_dir_of(script.alloc),
                              .task = script.task};
        const StartedTask task = TRY(find_started(at));
        Driver* driver = drivers.find(task.spec.driver);
        if (driver == nullptr)
            return {Errc::unavailable, "this peer does not offer driver " + task.spec.driver};
        const ExecRequest request{.argv = script.argv, .env = {}, .terminal = {}};
        auto session = TRY(driver->exec(task, request));
        const auto left = std::chrono::duration_cast<Duration>(job.deadline - Clock::now());
        return run_to_end(std::move(session), left, kOutputMax, [this] { return given_up(); });
    }

    /// The first that may run now.
    std::deque<Job>::iterator next() {
        return std::find_if(waiting.begin(), waiting.end(), [&](const Job& job) {
            const auto of_one = running.find(job.script.alloc);
            return of_one == running.end() || of_one->second < kScriptsOfOneMax;
        });
    }

    void work() {
        ::pthread_setname_np(::pthread_self(), "scripts");
        std::unique_lock lock(mutex);
        for (;;) {
            ++idle;
            changed.wait(lock, [&] { return stopping || next() != waiting.end(); });
            --idle;
            if (stopping) return;
            const auto found = next();
            const Job job = std::move(*found);
            waiting.erase(found);
            ++running[job.script.alloc];
            lock.unlock();
            const Result<ExecEnd> end = act(job);
            if (!given_up()) job.ended(end);
            lock.lock();
            if (--running[job.script.alloc] == 0) running.erase(job.script.alloc);
            changed.notify_all();
        }
    }

    void end_the_late() {
        ::pthread_setname_np(::pthread_self(), "scripts");
        std::unique_lock lock(mutex);
        while (!stopping) {
            const auto first = std::min_element(
                waiting.begin(), waiting.end(),
                [](const Job& one, const Job& other) { return one.deadline < other.deadline; });
            if (first == waiting.end()) {
                changed.wait(lock);
            } else if (Clock::now() < first->deadline) {
                const auto due = first->deadline;  // the job may be gone meanwhile
                changed.wait_until(lock, due);
            } else {
                const Job late = std::move(*first);
                waiting.erase(first);
                lock.unlock();
                late.ended(Error{Errc::timeout,
                                 "it waited for its turn all its time, for others hang"});
                lock.lock();
            }
        }
    }
};

ScriptRunner::ScriptRunner(Drivers& drivers,
                           std::function<std::string(const AllocId&)> alloc_dir_of,
                           std::function<void(Input)> deliver)
    : impl_(std::make_unique<Impl>(drivers, std::move(alloc_dir_of), std::move(deliver))) {}

ScriptRunner::~ScriptRunner() { stop(); }

void ScriptRunner::run(TaskScript script, std::function<void(const Result<ExecEnd>&)> ended) {
    Impl* raw = impl_.get();
    {
        const std::lock_guard lock(raw->mutex);
        if (raw->stopping) return;
        if (raw->waiting.size() < kScriptsWaitingMax) {
            const auto deadline = Impl::Clock::now() + script.timeout;
            raw->waiting.push_back({std::move(script), std::move(ended), deadline});
            // Most peers never run one: threads are made as scripts come.
            if (!raw->clock.joinable()) raw->clock = std::thread([raw] { raw->end_the_late(); });
            if (raw->waiting.size() > raw->idle && raw->threads.size() < kScriptThreads)
                raw->threads.emplace_back([raw] { raw->work(); });
            raw->changed.notify_all();
            return;
        }
    }
    ended(Error{Errc::unavailable, "too many scripts wait to be run"});
}

void ScriptRunner::run(RunCheck check) {
    INVARIANT(check.script.has_value());
    TaskScript script{check.alloc, check.script->task, check.script->argv, check.timeout};
    run(std::move(script), [impl = impl_.get(), check = std::move(check)](const auto& end) {
        impl->deliver({wall_clock(), judged(check, end)});
    });
}

void ScriptRunner::stop(Duration patience) {
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->stopping) impl_->give_up_at = Impl::Clock::now() + patience;
        impl_->stopping = true;
        impl_->changed.notify_all();
    }
    for (std::thread& thread : impl_->threads)
        if (thread.joinable()) thread.join();
    if (impl_->clock.joinable()) impl_->clock.join();
}

}  // namespace gaggle::allocrunner
