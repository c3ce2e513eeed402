// Virtual time: what happens next, in an order that the seed alone decides.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/time.h"

namespace gaggle::sim {

class Events {
  public:
    using Action = std::function<void()>;

    TimePoint now() const { return now_; }
    /// 2026-01-01 and on, in step with virtual time.
    WallTime wall() const {
        return {1'767'225'600'000'000'000 + now_.time_since_epoch().count() * 1000};
    }

    /// Same moments keep the order in which they were asked for.
    void at(TimePoint when, Action action) {
        queue_.emplace(std::pair{std::max(when, now_), ++sequence_}, std::move(action));
    }
    void in(Duration span, Action action) { at(now_ + span, std::move(action)); }

    /// False when nothing is left before `end`; time then stands at `end`.
    bool step(TimePoint end) {
        if (queue_.empty() || queue_.begin()->first.first > end) {
            now_ = std::max(now_, end);
            return false;
        }
        auto node = queue_.extract(queue_.begin());
        now_ = node.key().first;
        node.mapped()();
        ++done_;
        return true;
    }
    std::uint64_t done() const { return done_; }

    /// Everything that a run does leaves its mark here: equal seeds must end with equal traces.
    void mark(std::string_view what, BytesView bytes = {}) {
        trace_ = checksum64(
            checksum64(trace_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count()),
                       as_bytes(what)),
            bytes);
    }
    std::uint64_t trace() const { return trace_; }

  private:
    TimePoint now_{1s};
    std::uint64_t sequence_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t trace_ = 0;
    std::map<std::pair<TimePoint, std::uint64_t>, Action> queue_;
};

}  // namespace gaggle::sim
