// One allocation directory with one task "main", made ready by a driver and run by a real shim.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/shim.h"
#include "allocrunner/drivers/spec_file.h"
#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

class DriverStage {
  public:
    explicit DriverStage(const std::string& driver, DriverSettings settings = {}) : name_(driver) {
        chmod(scratch_.path().c_str(), 0755);
        for (const char* folder : {"alloc/logs", "exit", "shim", "main/local", "main/tmp"})
            std::filesystem::create_directories(dir() + "/" + folder);
        settings.alloc_root = scratch_.path();
        settings.shim_path = built_program("gctl-shim");
        settings_ = settings;
        drivers_ = std::make_unique<Drivers>(settings_);
        spec_.driver = driver;
        spec_.env = {{"PATH", "/usr/bin:/bin"}, {"COLOUR", "green"}};
        spec_.task_dir = dir() + "/main";
        spec_.work_dir = driver == "raw_exec" ? spec_.task_dir : "/";
        if (driver == "exec") spec_.user = "nobody";
    }
    ~DriverStage() { stop(); }
    DriverStage(const DriverStage&) = delete;
    DriverStage& operator=(const DriverStage&) = delete;

    /// False where the machine lacks what the driver needs.
    bool usable() {
        const DriverState state = driver().fingerprint();
        return is_met(state.healthy, "driver " + name_ + ": " + state.description);
    }
    Driver& driver() { return *drivers_->find(name_); }
    TaskSpec& spec() { return spec_; }
    const std::string& root() const { return scratch_.path(); }
    std::string dir() const { return scratch_.path() + "/" + alloc_; }
    TaskLocation at() const { return {.alloc = alloc_, .alloc_dir = dir(), .task = "main"}; }
    StartedTask started() const {
        const auto found = find_started(at());
        REQUIRE(found.ok());
        return *found;
    }
    LiveShim& live() { return *live_; }
    std::uint32_t patience_ms = shim::kProgramTimeoutMs;
    std::string log(const std::string& file) const {
        return text_of(dir() + "/alloc/logs/main." + file);
    }

    /// What it needs is fetched, then it is prepared.
    Result<Launch> make_ready() {
        const auto needed = TRY(driver().fetching(at(), spec_));
        const FetchWatch watch{.say = [](const std::string&) {}, .cancelled = {}};
        if (needed) TRY(needed->run(watch));
        return driver().prepare(at(), spec_);
    }

    std::variant<LiveShim, StartFailure> try_start(std::vector<std::string> argv) {
        spec_.argv = std::move(argv);
        REQUIRE(make_driver_dir(at()).ok());
        spec_.env.merge(driver().machine_environment(at(), spec_).value());
        REQUIRE(save_spec(at(), spec_).ok());
        Result<Launch> launch = make_ready();
        if (!launch)
            return StartFailure{launch.error().detail, launch.error().code != Errc::invalid &&
                                                           launch.error().code != Errc::not_found};
        ShimOrder order;
        order.shim_path = built_program("gctl-shim");
        order.alloc_dir = dir();
        order.task = "main";
        order.title = "test/main";
        order.run = ++run_;
        order.spec = spec_;
        order.launch = std::move(*launch);
        order.patience_ms = patience_ms;
        return start_shim(order);
    }

    void start(std::vector<std::string> argv) {
        auto result = try_start(std::move(argv));
        const auto* failure = std::get_if<StartFailure>(&result);
        INFO((failure != nullptr ? failure->error : std::string()));
        REQUIRE(failure == nullptr);
        live_ = std::move(std::get<LiveShim>(result));
    }

    StartFailure failure(std::vector<std::string> argv) {
        auto result = try_start(std::move(argv));
        REQUIRE(std::holds_alternative<StartFailure>(result));
        return std::get<StartFailure>(result);
    }

    /// What the shim says last; its record is on disk by then.
    shim::Record wait_for_exit() {
        FrameReader reader;
        std::optional<shim::Record> last;
        for (;;) {
            pollfd wait{live_->socket.get(), POLLIN, 0};
            REQUIRE(poll(&wait, 1, 60'000) == 1);
            std::uint8_t bytes[256];
            const ssize_t got = read(live_->socket.get(), bytes, sizeof bytes);
            if (got <= 0) break;
            reader.feed(BytesView(bytes, static_cast<std::size_t>(got)));
            for (auto frame = reader.next(); frame && *frame; frame = reader.next())
                last = record_of((*frame)->payload);
        }
        waitpid(static_cast<pid_t>(live_->shim_pid), nullptr, 0);
        live_.reset();
        REQUIRE(last.has_value());
        return *last;
    }

    /// Kills the task and what its driver made.
    void stop() {
        if (live_) {
            send_kill(live_->socket.get()).ok();
            waitpid(static_cast<pid_t>(live_->shim_pid), nullptr, 0);
            live_.reset();
        }
        if (const auto found = find_started(at())) driver().clean_up(*found).ok();
    }

    /// Control groups and records of runc that are still there.
    std::vector<std::string> leftovers() const {
        std::vector<std::string> out;
        std::error_code ignored;
        for (const char* tree : {"memory", "cpu", "pids", "unified", "."})
            for (const auto& entry : std::filesystem::directory_iterator(
                     std::string("/sys/fs/cgroup/") + tree + "/gaggle", ignored))
                if (entry.path().string().find(alloc_) != std::string::npos)
                    out.push_back(entry.path());
        for (const auto& entry : std::filesystem::directory_iterator(root() + "/.runc", ignored))
            out.push_back(entry.path());
        return out;
    }

    void start_agent_again() { drivers_ = std::make_unique<Drivers>(settings_); }

    /// From here on `script` is run instead of runc; nullptr: there is none.
    void replace_runc(const char* script) {
        const std::string path = root() + "/runc";
        if (script != nullptr) {
            std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
            chmod(path.c_str(), 0755);
        }
        settings_.runc = path;
        drivers_ = std::make_unique<Drivers>(settings_);
    }

  private:
    /// Other tests of this machine have other ones.
    static std::string fresh_alloc() {
        static int made = 0;
        char text[40];
        snprintf(text, sizeof text, "5a6e0000-0000-4000-8000-%06x%06x", getpid() & 0xffffff,
                 ++made);
        return text;
    }

    const std::string alloc_ = fresh_alloc();
    ScratchDir scratch_;
    std::string name_;
    DriverSettings settings_;
    std::unique_ptr<Drivers> drivers_;
    TaskSpec spec_;
    std::uint64_t run_ = 0;
    std::optional<LiveShim> live_;
};

}  // namespace gaggle::allocrunner
