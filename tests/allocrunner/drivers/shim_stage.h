// One allocation directory with one task "main", run by a real shim as the agent would.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/shim.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

inline constexpr int kPatienceMs = 20'000;

/// As the agent does it: what the driver makes ready is what the shim starts.
inline std::variant<LiveShim, StartFailure> start_ready(ShimOrder order) {
    const TaskLocation at{.alloc = "test", .alloc_dir = order.alloc_dir, .task = order.task};
    const Drivers drivers{DriverSettings{}};
    Result<Launch> launch = drivers.find("raw_exec")->prepare(at, order.spec);
    if (!launch) return StartFailure{"start task " + order.task + ": " + launch.error().detail};
    order.launch = std::move(*launch);
    return start_shim(order);
}

class ShimStage {
  public:
    ShimStage() {
        for (const char* folder : {"alloc/logs", "exit", "shim", "main/local"})
            std::filesystem::create_directories(dir() + "/" + folder);
    }
    ~ShimStage() {
        if (live) send_kill(live->socket.get()).ok();
        if (live) wait_for_exit();
        const std::string groups = holding_dir(read_cgroups(), "/gaggle");
        const std::string mine = "." + std::to_string(checksum64(as_bytes(dir())));
        std::error_code gone;
        for (const auto& one : std::filesystem::directory_iterator(groups, gone))
            if (one.path().string().ends_with(mine)) end_group(one.path()).ok();
    }

    const std::string& dir() const { return scratch_.path(); }

    ShimOrder order(std::vector<std::string> argv, std::uint64_t run = 1) {
        ShimOrder order;
        order.shim_path = built_program("gctl-shim");
        order.alloc_dir = dir();
        order.task = "main";
        order.title = "test/main";
        order.run = run;
        order.spec.driver = "raw_exec";
        order.spec.argv = std::move(argv);
        order.spec.env = {{"PATH", "/usr/bin:/bin"}, {"COLOUR", "green"}};
        order.spec.task_dir = dir() + "/main";
        order.spec.work_dir = dir() + "/main";
        return order;
    }

    void start(const ShimOrder& order) {
        auto started = start_ready(order);
        const auto* failure = std::get_if<StartFailure>(&started);
        INFO((failure != nullptr ? failure->error : std::string()));
        REQUIRE(failure == nullptr);
        live = std::move(std::get<LiveShim>(started));
        shim_pid = live->shim_pid;
    }
    void start_shell(const std::string& script) { start(order({"/bin/sh", "-c", script})); }

    /// What the shim says last; its record is on disk by then.
    shim::Record wait_for_exit() {
        FrameReader reader;
        std::optional<shim::Record> last;
        for (;;) {
            pollfd wait{live->socket.get(), POLLIN, 0};
            REQUIRE(poll(&wait, 1, kPatienceMs) == 1);
            std::uint8_t bytes[256];
            const ssize_t got = read(live->socket.get(), bytes, sizeof bytes);
            if (got <= 0) break;
            reader.feed(BytesView(bytes, static_cast<std::size_t>(got)));
            for (auto frame = reader.next(); frame.ok() && *frame; frame = reader.next())
                last = record_of((*frame)->payload);
        }
        live.reset();
        if (shim_pid > 0) waitpid(static_cast<pid_t>(shim_pid), nullptr, 0);
        shim_pid = 0;
        REQUIRE(last.has_value());
        return *last;
    }

    std::string log(const std::string& name) { return text_of(dir() + "/alloc/logs/main." + name); }

    std::optional<LiveShim> live;
    std::int64_t shim_pid = 0;

  private:
    ScratchDir scratch_;
};

/// As an agent that starts again does it; nothing when the shim is gone.
inline std::optional<LiveShim> adopt_shim(const std::string& alloc_dir, const std::string& task) {
    ShimCall call = call_shim(alloc_dir, task);
    if (call.reach != ShimReach::reached) return std::nullopt;
    const auto record = hear_shim(call, 20s);
    if (!record) return std::nullopt;
    return LiveShim{std::move(call.socket), 0, *record};
}

inline std::string failure_of(const ShimOrder& order, bool* may_pass = nullptr) {
    auto started = start_ready(order);
    REQUIRE(std::holds_alternative<StartFailure>(started));
    if (may_pass != nullptr) *may_pass = std::get<StartFailure>(started).may_pass;
    return std::get<StartFailure>(started).error;
}

}  // namespace gaggle::allocrunner
