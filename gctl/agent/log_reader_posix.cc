#include <pthread.h>

#include <algorithm>

#include "allocrunner/logs.h"
#include "gctl/agent/log_reader.h"

namespace gaggle::agent {

namespace {

constexpr std::uint32_t kBytesMax = 256U << 10U;  ///< of one answer: it travels as a control frame

Result<allocrunner::LogPlace> place_of(const std::string& alloc_dir, const node::ReadLogs& what,
                                       allocrunner::LogStream stream) {
    if (what.from) return allocrunner::LogPlace{what.from->file, what.from->offset};
    const auto origin = what.from_end ? allocrunner::LogOrigin::end : allocrunner::LogOrigin::start;
    return allocrunner::log_place(alloc_dir, what.task, stream, origin, what.offset);
}

Result<node::LogChunk> chunk_of(const std::string& alloc_dir, const node::ReadLogs& what) {
    const auto stream = what.error_stream ? allocrunner::LogStream::stderr_stream
                                          : allocrunner::LogStream::stdout_stream;
    const allocrunner::LogPlace from = TRY(place_of(alloc_dir, what, stream));
    allocrunner::LogChunk read = TRY(allocrunner::read_log(alloc_dir, what.task, stream, from,
                                                           std::min(what.bytes_max, kBytesMax)));
    return node::LogChunk{.from = {read.from.file, read.from.offset},
                          .next = {read.next.file, read.next.offset},
                          .skipped = read.skipped,
                          .file_name = std::move(read.file_name),
                          .data = std::move(read.bytes)};
}

}  // namespace

node::LogsRead read_logs(const std::string& alloc_dir, std::uint64_t read,
                         const node::ReadLogs& what) {
    auto chunk = chunk_of(alloc_dir, what);
    if (!chunk.ok())
        return {.read = read,
                .error = "read the logs of allocation " + to_string(what.alloc) + ": " +
                         chunk.error().detail,
                .chunk = {}};
    return {.read = read, .error = "", .chunk = std::move(*chunk)};
}

LogReader::LogReader(std::function<std::string(const AllocId&)> dir_of,
                     std::function<void(node::LogsRead)> done)
    : dir_of_(std::move(dir_of)), done_(std::move(done)), thread_([this] { run(); }) {}

LogReader::~LogReader() { stop(); }

void LogReader::read(node::ReadLogFile what) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() < kLogReadsMax) {
            queue_.push_back(std::move(what));
            changed_.notify_one();
            return;
        }
    }
    done_({.read = what.read,
           .error = "read the logs of allocation " + to_string(what.what.alloc) +
                    ": this peer is busy with " + std::to_string(kLogReadsMax) +
                    " other reads; try again in a moment",
           .chunk = {}});
}

void LogReader::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void LogReader::run() {
    ::pthread_setname_np(::pthread_self(), "logs");
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        const node::ReadLogFile next = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        done_(read_logs(dir_of_(next.what.alloc), next.read, next.what));
        lock.lock();
    }
}

}  // namespace gaggle::agent
