#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
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

    struct Job {
        TaskScript script;
        std::function<void(const Result<ExecEnd>&)> ended;
    };

    Drivers& drivers;
    std::function<std::string(const AllocId&)> alloc_dir_of;
    std::function<void(Input)> deliver;
    std::mutex mutex;  // guards what follows
    std::condition_variable changed;
    std::deque<Job> waiting;
    bool stopping = false;
    std::vector<std::thread> threads;

    Result<ExecEnd> act(const TaskScript& script) {
        const TaskLocation at{.alloc = to_string(script.alloc),
                              .alloc_dir = alloc_dir_of(script.alloc),
                              .task = script.task};
        const StartedTask task = TRY(find_started(at));
        Driver* driver = drivers.find(task.spec.driver);
        if (driver == nullptr)
            return {Errc::unavailable, "this peer does not offer driver " + task.spec.driver};
        const ExecRequest request{.argv = script.argv, .env = {}, .terminal = {}};
        auto session = TRY(driver->exec(task, request));
        return run_to_end(std::move(session), script.timeout, kOutputMax);
    }

    void work() {
        ::pthread_setname_np(::pthread_self(), "scripts");
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [&] { return stopping || !waiting.empty(); });
            if (stopping) return;
            const Job job = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            job.ended(act(job.script));
            lock.lock();
        }
    }
};

ScriptRunner::ScriptRunner(Drivers& drivers,
                           std::function<std::string(const AllocId&)> alloc_dir_of,
                           std::function<void(Input)> deliver)
    : impl_(std::make_unique<Impl>(drivers, std::move(alloc_dir_of), std::move(deliver))) {}

ScriptRunner::~ScriptRunner() { stop(); }

void ScriptRunner::run(TaskScript script, std::function<void(const Result<ExecEnd>&)> ended) {
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->stopping) return;
        // Most peers never run one: threads are made as scripts come.
        const std::size_t count = impl_->threads.size();
        if (count < kScriptThreads && impl_->waiting.size() >= count)
            impl_->threads.emplace_back([raw = impl_.get()] { raw->work(); });
        if (impl_->waiting.size() < kScriptsWaitingMax) {
            impl_->waiting.push_back({std::move(script), std::move(ended)});
            impl_->changed.notify_one();
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

void ScriptRunner::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
        impl_->changed.notify_all();
    }
    for (std::thread& thread : impl_->threads)
        if (thread.joinable()) thread.join();
}

}  // namespace gaggle::allocrunner
