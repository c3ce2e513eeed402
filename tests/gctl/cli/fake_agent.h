// An agent's API that answers what it was told to, over the real HTTP server; and a fake machine.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gctl/agent/http.h"
#include "gctl/cli/commands.h"

namespace gaggle::cli {

class FakeAgent {
  public:
    FakeAgent() {
        auto opened = HttpServer::open({.port = 0, .token = "secret"},
                                       [this](auto request, auto to) { answer(request, to); });
        REQUIRE(opened.ok());
        server_ = std::move(*opened);
        address_ = "http://127.0.0.1:" + std::to_string(server_->port());
    }

    /// What "GET /v1/jobs" and the like answer, one after another; the last one stays.
    void on(const std::string& call, std::vector<std::string> bodies) {
        const std::lock_guard lock(mutex_);
        bodies_[call] = std::move(bodies);
    }
    /// "POST /v1/jobs" and its query as "a=b c=d", then the body.
    std::vector<std::string> calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    std::string address() const { return address_; }
    void stop() { server_->stop(); }

  private:
    void answer(const HttpRequest& request, const Responder& to) {
        const std::lock_guard lock(mutex_);
        const std::string call = request.method + " " + request.path;
        std::string seen = call;
        for (const auto& [name, value] : request.query) seen += " " + name + "=" + value;
        calls_.push_back(request.body.empty() ? seen : seen + " " + request.body);
        const auto found = bodies_.find(call);
        if (found == bodies_.end())
            return to.send({.status = 404, .content_type = "text/plain", .body = "nothing here"});
        const std::string body = found->second.front();
        if (found->second.size() > 1) found->second.erase(found->second.begin());
        if (body.starts_with("!"))
            return to.send({.status = std::stoi(body.substr(1, 3)),
                            .content_type = "text/plain",
                            .body = body.substr(5)});
        to.send({.body = body});
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> bodies_;
    std::vector<std::string> calls_;
    std::string address_;
    std::unique_ptr<HttpServer> server_;
};

struct Ran {
    int code = 0;
    std::string out, err;
};

/// Runs a command line against `agent` on a machine with these files, at 2023-11-14T22:13:20Z.
class FakeMachine {
  public:
    explicit FakeMachine(const std::string& address) {
        world_.environment = {{"GCTL_ADDR", address}, {"GCTL_TOKEN", "secret"}};
        world_.now = [] { return WallTime{1'700'000'000'000'000'000}; };
        world_.pause = [this](Duration span) { paused += span; };
        world_.read_file = [this](const std::string& path) -> Result<std::string> {
            const auto found = files.find(path);
            if (found == files.end())
                return Error{Errc::not_found, "read " + path + ": No such file or directory"};
            return found->second;
        };
        world_.default_data_dir = "/nowhere/gaggle";
    }
    Ran run(const std::vector<std::string>& words) {
        Ran out;
        out.code = run_command_line(
            words, world_, [&](std::string_view text) { out.out += text; },
            [&](std::string_view text) { out.err += text; });
        return out;
    }
    World& world() { return world_; }

    std::map<std::string, std::string> files;
    Duration paused{};

  private:
    World world_;
};

}  // namespace gaggle::cli
