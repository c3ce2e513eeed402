// A running gctl-fetch: one artifact on its way, in a process of its own
// (docs/decisions/0013: what strangers send is read by a program that can be killed).
#pragma once

#include <string>
#include <vector>

#include "allocrunner/setup/fetch_order.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace gaggle::setup {

class FetchProcess {
  public:
    /// Errc::not_found when the program is missing, Errc::io.
    static Result<FetchProcess> start(const std::string& program, const FetchOrder& order);
    FetchProcess(FetchProcess&& other) noexcept = default;
    FetchProcess& operator=(FetchProcess&&) = delete;
    ~FetchProcess();  ///< kills it with all that it started, and waits for it

    /// Readable when it has something to say or has ended.
    int fd() const { return output_.get(); }
    /// Lines that have come in since; never blocks.
    std::vector<FetchLine> read();
    /// It says no more.
    bool ended() const { return ended_; }

  private:
    FetchProcess() = default;
    struct Pid {
        explicit Pid(int pid = 0) : value(pid) {}
        Pid(Pid&& other) noexcept : value(std::exchange(other.value, 0)) {}
        int value;
    };
    Pid pid_;
    UniqueFd output_;
    std::string partial_;
    bool ended_ = false;
};

}  // namespace gaggle::setup
