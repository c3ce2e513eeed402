#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <type_traits>

#include "allocrunner/alloc_dir.h"
#include "allocrunner/drivers/shim.h"
#include "allocrunner/inside.h"
#include "allocrunner/logs.h"
#include "base/log.h"
#include "gctl/agent/clock.h"
#include "gctl/agent/host_figures.h"
#include "gctl/agent/local_worker.h"

namespace gaggle::agent {

namespace {

using node::LocalAnswer;

constexpr const char* kNoDirectory =
    "it has no directory on this peer: if it has ended, it was collected (by age, by count, "
    "because "
    "the disk was filling up, or because somebody asked for it); else it has not begun";

/// What an error says was attempted.
std::string purpose(const node::ReadLogs&) { return "read the logs"; }
std::string purpose(const node::ListFiles&) { return "list files"; }
std::string purpose(const node::StatFile&) { return "look at a file"; }
std::string purpose(const node::ReadFile&) { return "read a file"; }
std::string purpose(const node::MeasureAlloc&) { return "measure the tasks"; }
std::string purpose(const node::MeasureHost&) { return "measure this machine"; }
std::string purpose(const node::MeasurePeer&) { return "measure all tasks"; }
/// The node answers the others itself.
template <class What>
std::string purpose(const What&) {
    return "answer a question";
}

Result<allocrunner::LogPlace> place_of(const std::string& alloc_dir, const node::ReadLogs& what,
                                       allocrunner::LogStream stream) {
    if (what.from) return allocrunner::LogPlace{what.from->file, what.from->offset};
    const auto origin = what.from_end ? allocrunner::LogOrigin::end : allocrunner::LogOrigin::start;
    return allocrunner::log_place(alloc_dir, what.task, stream, origin, what.offset);
}

template <class What>
Result<LocalAnswer> answer(const std::string&, const What&) {
    return Error{Errc::invalid, "it is not for this thread"};
}

Result<LocalAnswer> answer(const std::string& alloc_dir, const node::ReadLogs& what) {
    const auto stream = what.error_stream ? allocrunner::LogStream::stderr_stream
                                          : allocrunner::LogStream::stdout_stream;
    const allocrunner::LogPlace from = TRY(place_of(alloc_dir, what, stream));
    allocrunner::LogChunk read = TRY(allocrunner::read_log(
        alloc_dir, what.task, stream, from, std::min(what.bytes_max, node::kChunkBytesMax)));
    return LocalAnswer(node::LogChunk{.from = {read.from.file, read.from.offset},
                                      .next = {read.next.file, read.next.offset},
                                      .skipped = read.skipped,
                                      .file_name = std::move(read.file_name),
                                      .data = std::move(read.bytes)});
}

Result<LocalAnswer> answer(const std::string& alloc_dir, const node::ListFiles& what) {
    return LocalAnswer(
        node::FileList{TRY(allocrunner::list_files(alloc_dir, what.path, node::kFilesListedMax))});
}

Result<LocalAnswer> answer(const std::string& alloc_dir, const node::StatFile& what) {
    return LocalAnswer(node::FileList{{TRY(allocrunner::stat_file(alloc_dir, what.path))}});
}

Result<LocalAnswer> answer(const std::string& alloc_dir, const node::ReadFile& what) {
    return LocalAnswer(TRY(allocrunner::read_file_part(
        alloc_dir, what.path, {.from_end = what.from_end, .offset = what.offset},
        std::min(what.bytes_max, node::kChunkBytesMax))));
}

bool measures(const node::LocalQuestion& question) {
    return std::holds_alternative<node::MeasureAlloc>(question) ||
           std::holds_alternative<node::MeasureHost>(question) ||
           std::holds_alternative<node::MeasurePeer>(question);
}

}  // namespace

Result<LocalAnswer> LocalWorker::look(const node::DoLocally& work) {
    const std::string dir = work.alloc.empty() ? "" : machine_.alloc_dir(work.alloc);
    return std::visit(
        [&](const auto& what) -> Result<LocalAnswer> {
            using What = std::decay_t<decltype(what)>;
            const auto said = [&]() -> Result<LocalAnswer> {
                if constexpr (std::is_same_v<What, node::MeasureHost>)
                    return LocalAnswer(
                        TRY(read_host(meter_, read_clocks().time, machine_.alloc_root)));
                else if constexpr (std::is_same_v<What, node::MeasurePeer>)
                    return LocalAnswer(TRY(measure_all()));
                else if constexpr (std::is_same_v<What, node::MeasureAlloc>) {
                    Round round{.mhz_per_core = mhz_per_core(), .silent = {}};
                    return LocalAnswer(measure(work.alloc, what.task, round));
                } else
                    return answer(dir, what);
            }();
            if (said.ok()) return said;
            const std::string of =
                work.alloc.empty() ? "" : " of allocation " + to_string(work.alloc);
            const bool gone = !work.alloc.empty() && said.error().code == Errc::not_found &&
                              ::access(dir.c_str(), F_OK) != 0;
            if (gone) return within(purpose(what) + of, Error{Errc::not_found, kNoDirectory});
            return within(purpose(what) + of, said.error());
        },
        work.what);
}

Result<node::PeerFigures> LocalWorker::measure_all() {
    node::PeerFigures out;
    out.host = TRY(read_host(meter_, read_clocks().time, machine_.alloc_root));
    Round round{.mhz_per_core = mhz_per_core(), .silent = {}};
    for (const AllocId& alloc : TRY(allocrunner::list_alloc_dirs(machine_.alloc_root))) {
        node::AllocFigures figures = measure(alloc, "", round);
        if (out.allocs.size() < node::kMeasuredMax && !figures.tasks.empty())
            out.allocs.emplace_back(alloc, std::move(figures));
    }
    return out;
}

node::AllocFigures LocalWorker::measure(const AllocId& alloc, const std::string& task,
                                        Round& round) {
    node::AllocFigures out{.tasks = {},
                           .mhz_per_core = round.mhz_per_core,
                           .disk_used = 0,
                           .disk_known = false,
                           .measured = read_clocks().wall};
    const std::string dir = machine_.alloc_dir(alloc);
    for (const std::string& name : allocrunner::started_tasks(dir)) {
        if ((!task.empty() && name != task) || stopping_) continue;
        auto figures =
            measure_task({.alloc = to_string(alloc), .alloc_dir = dir, .task = name}, round);
        if (figures) out.tasks.push_back(std::move(*figures));
    }
    if (const auto disk = machine_.disk_use ? machine_.disk_use(alloc) : std::nullopt) {
        out.disk_known = true;
        out.disk_used = disk->charged();
    }
    return out;
}

/// Nothing of a task that does not run, and of one whose driver does not say. An engine that hangs
/// costs its patience once in an answer, not once for each of its tasks.
std::optional<node::TaskFigures> LocalWorker::measure_task(const allocrunner::TaskLocation& at,
                                                           Round& round) {
    const auto now = read_clocks();
    const auto record = allocrunner::read_record(at.alloc_dir, at.task);
    const bool runs =
        record && record->state == allocrunner::shim::RecordState::running && machine_.drivers;
    if (!runs) return std::nullopt;
    const auto task = allocrunner::running_task(at);
    if (!task.ok() || round.silent.contains(task->spec.driver)) return std::nullopt;
    const auto usage = allocrunner::usage_inside(*machine_.drivers, at);
    if (!usage.ok()) {  // most likely it ended at this moment
        if (usage.error().code == Errc::timeout) round.silent.insert(task->spec.driver);
        log::debug("measure task {} of allocation {}: {}", at.task, at.alloc, usage.error().detail);
        return std::nullopt;
    }
    const auto age = std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(now.wall.nanoseconds - record->started));
    node::TaskFigures out = meter_.task(
        now.time, {.name = at.task, .alloc = at.alloc, .run = record->pid, .age = age}, *usage);
    out.measured = now.wall;
    return out;
}

LocalWorker::LocalWorker(LocalMachine machine, std::function<void(node::DoneLocally)> done)
    : machine_(std::move(machine)), done_(std::move(done)) {
    looking_.thread = std::thread([this] { run(looking_, "local"); });
    measuring_.thread = std::thread([this] { run(measuring_, "figures"); });
}

LocalWorker::~LocalWorker() { stop(); }

void LocalWorker::carry_out(node::DoLocally work) {
    Lane& lane = measures(work.what) ? measuring_ : looking_;
    {
        const std::lock_guard lock(mutex_);
        if (lane.queue.size() < kLocalQueueMax) {
            lane.queue.push_back({std::move(work), read_clocks().time});
            lane.changed.notify_one();
            return;
        }
    }
    done_({.work = work.work,
           .answer = Error{Errc::unavailable, "look inside allocation " + to_string(work.alloc) +
                                                  ": this peer is busy with " +
                                                  std::to_string(kLocalQueueMax) +
                                                  " other questions; try again in a moment"}});
}

void LocalWorker::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    for (Lane* lane : {&looking_, &measuring_}) {
        lane->changed.notify_one();
        if (lane->thread.joinable()) lane->thread.join();
    }
}

Result<LocalAnswer> LocalWorker::answer_to(const Waiting& waiting) {
    if (read_clocks().time - waiting.since <= machine_.patience) return look(waiting.work);
    return Error{Errc::timeout, "look inside allocation " + to_string(waiting.work.alloc) +
                                    ": this peer was busy for longer than anybody waits; try "
                                    "again in a moment"};
}

void LocalWorker::run(Lane& lane, const char* name) {
    ::pthread_setname_np(::pthread_self(), name);
    std::unique_lock lock(mutex_);
    for (;;) {
        lane.changed.wait(lock, [&] { return stopping_ || !lane.queue.empty(); });
        if (stopping_) return;
        const Waiting next = std::move(lane.queue.front());
        lane.queue.pop_front();
        lock.unlock();
        done_({.work = next.work.work, .answer = answer_to(next)});
        lock.lock();
    }
}

}  // namespace gaggle::agent
