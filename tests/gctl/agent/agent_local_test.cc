#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include "gctl/agent/clock.h"
#include "gctl/agent/local_worker.h"
#include "tests/allocrunner/scratch.h"
#include "tests/gctl/agent/answers.h"

namespace gaggle::agent {

namespace {

using allocrunner::ScratchDir;

const AllocId kHere{{7}};

/// One allocation is here; no other is.
class Local {
  public:
    Local() {
        std::filesystem::create_directories(scratch_.path() + "/alloc/logs");
        std::ofstream(scratch_.path() + "/alloc/logs/web.stdout.0") << "one\ntwo\n";
    }
    Result<node::LocalAnswer> ask(node::LocalQuestion what, AllocId alloc = kHere) {
        worker_.carry_out({++asked_, alloc, std::move(what)});
        node::DoneLocally done = answers_.next();
        CHECK(done.work == asked_);
        return std::move(done.answer);
    }
    template <class Wanted>
    Wanted got(node::LocalQuestion what) {
        const auto answer = ask(std::move(what));
        if (!answer.ok()) FAIL(answer.error().detail);
        REQUIRE(std::holds_alternative<Wanted>(*answer));
        return std::get<Wanted>(*answer);
    }

  private:
    ScratchDir scratch_;
    Answers<node::DoneLocally> answers_;
    std::uint64_t asked_ = 0;
    LocalWorker worker_{{.alloc_dir =
                             [this](const AllocId& alloc) {
                                 return alloc == kHere ? scratch_.path()
                                                       : scratch_.path() + "/none";
                             },
                         .disk_use = [](const AllocId&) -> std::optional<allocrunner::DiskUse> {
                             return allocrunner::DiskUse{.bytes = 1'000, .inodes = 1};
                         },
                         .drivers = nullptr,
                         .alloc_root = scratch_.path()},
                        answers_.take()};
};

}  // namespace

TEST_CASE("logs are read on a thread of their own, part by part") {
    Local local;
    const auto all = local.got<node::LogChunk>(node::ReadLogs{.task = "web"});
    CHECK(to_text(all.data) == "one\ntwo\n");
    CHECK(all.file_name == "alloc/logs/web.stdout.0");
    const node::ReadLogs end{.task = "web", .from_end = true, .offset = 4};
    CHECK(to_text(local.got<node::LogChunk>(end).data) == "two\n");
    const node::ReadLogs on{.task = "web", .from = all.next};
    CHECK(local.got<node::LogChunk>(on).data.empty());
}

TEST_CASE("files are listed and read on the same thread") {
    Local local;
    const auto list = local.got<node::FileList>(node::ListFiles{"alloc/logs"});
    REQUIRE(list.files.size() == 1);
    CHECK(list.files[0].name == "web.stdout.0");
    const node::ReadFile part{.path = "alloc/logs/web.stdout.0", .offset = 4, .bytes_max = 3};
    const auto chunk = local.got<node::FileChunk>(part);
    CHECK(to_text(chunk.data) == "two");
    CHECK(chunk.size == 8);
    CHECK(local.got<node::FileList>(node::StatFile{"alloc/logs/web.stdout.0"}).files[0].size == 8);
}

TEST_CASE("an error says what was attempted, and of which allocation") {
    Local local;
    const auto missing = local.ask(node::ReadLogs{.task = "web"}, AllocId{{9}});
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().detail.starts_with(
        "read the logs of allocation 09000000-0000-0000-0000-000000000000"));
    CHECK(missing.error().code == Errc::not_found);
    CHECK(missing.error().detail.find("if it has ended, it was collected") != std::string::npos);
    const auto other = local.ask(node::ReadFile{.path = "no-such-file"});
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().detail.find("collected") == std::string::npos);
    const auto outside = local.ask(node::ReadFile{.path = "../../etc/passwd"});
    REQUIRE_FALSE(outside.ok());
    CHECK(outside.error().code == Errc::denied);
    CHECK(outside.error().detail.find("escapes the allocation's directory") != std::string::npos);
}

TEST_CASE("this machine is measured, and what an allocation takes") {
    Local local;
    const auto host = local.got<node::HostFigures>(node::MeasureHost{});
    CHECK(host.memory_total > host.memory_available);
    CHECK(host.memory_available > 0);
    CHECK(!host.cores.empty());
    CHECK(host.cores[0].name == "cpu0");
    CHECK(host.alloc_disk.size > 0);
    CHECK(host.uptime_seconds > 0);
    const auto alloc = local.got<node::AllocFigures>(node::MeasureAlloc{});
    CHECK(alloc.tasks.empty());
    CHECK(alloc.disk_known);
    CHECK(alloc.disk_used == 1'000 + allocrunner::kInodeBytes);
}

TEST_CASE("a measurement that hangs holds up neither logs nor files; what came too late is left") {
    ScratchDir scratch;
    std::filesystem::create_directories(scratch.path() + "/alloc/logs");
    std::ofstream(scratch.path() + "/alloc/logs/web.stdout.0") << "one\n";
    std::promise<void> hangs, ends;
    auto end = ends.get_future().share();
    std::atomic<int> measured = 0;
    Answers<node::DoneLocally> answers;
    constexpr Duration kPatience = 1s;
    LocalWorker worker({.alloc_dir = [&](const AllocId&) { return scratch.path(); },
                        .disk_use = [&](const AllocId&) -> std::optional<allocrunner::DiskUse> {
                            if (++measured == 1) hangs.set_value();
                            end.wait();
                            return std::nullopt;
                        },
                        .drivers = nullptr,
                        .alloc_root = scratch.path(),
                        .patience = kPatience},
                       answers.take());
    worker.carry_out({1, kHere, node::MeasureAlloc{}});
    REQUIRE(hangs.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    worker.carry_out({2, kHere, node::MeasureAlloc{}});
    const TimePoint asked = read_clocks().time;
    for (bool first = true; first || read_clocks().time <= asked + kPatience; first = false) {
        worker.carry_out({3, kHere, node::ReadLogs{.task = "web"}});
        REQUIRE(answers.next().work == 3);
    }
    ends.set_value();
    CHECK(answers.next().work == 1);
    const auto late = answers.next();
    CHECK(late.work == 2);
    REQUIRE_FALSE(late.answer.ok());
    CHECK(late.answer.error().code == Errc::timeout);
    CHECK(measured == 1);
}

}  // namespace gaggle::agent
