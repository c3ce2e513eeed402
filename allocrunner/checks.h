// The checks of an allocation's services.
//
// A check runs while what it is about does, a task or the whole group: at its interval, one probe
// at a time. What a result does to a check's status, and when it restarts a task, is
// check_verdict.h's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/check_verdict.h"
#include "allocrunner/context.h"
#include "allocrunner/input.h"
#include "allocrunner/interpolate.h"

namespace gaggle::allocrunner {

struct CheckRestartWanted {
    std::string task;  ///< empty: all
    std::string check;
};

/// What a result changed.
struct CheckOutcome {
    bool changed = false;  ///< `health`
    std::optional<CheckRestartWanted> restart;
};

class Checks {
  public:
    /// A check whose port cannot be found, or that is not run here, fails from the start and says
    /// so.
    Checks(const Host& host, const Order& order, const std::optional<AllocNetwork>& network);

    /// `serves(task)` is whether that task runs; of "": whether all do. Probes of what serves go
    /// out when they are due; a check of what does not is as in the beginning. True when it changed
    /// `health`.
    bool advance(Context& context, const std::function<bool(const std::string&)>& serves,
                 std::vector<CheckHealth>& health);
    /// Requires the `health` that initial() began.
    CheckOutcome on_done(Context& context, const CheckDone& done,
                         std::vector<CheckHealth>& health);

    std::optional<TimePoint> next_wakeup() const;
    std::vector<CheckHealth> initial() const;

    /// For a changed order: takes the place of `before`, whose results are `health`. A check that
    /// still asks the same of the same port keeps its result, its turn and its patience; the others
    /// begin anew.
    /// Returns the results to go on with.
    std::vector<CheckHealth> succeed(const Checks& before, const std::vector<CheckHealth>& health);

  private:
    struct Probe {
        CheckHealth health;  ///< as it starts
        RunCheck work;
        bool broken = false;  ///< it can never be asked
        Duration interval;
        CheckVerdict verdict;
        CheckPatience patience;
        std::string restarts;  ///< the task; empty: all
        bool active = false;   ///< what it is about runs
        TimePoint next{};
        std::optional<std::uint64_t> out;  ///< id of the probe under way
    };
    static bool ask_the_same(const Probe& one, const Probe& other);
    void add(const Host& host, const Order& order, const std::string& task, const Service& service,
             const Names& names, const std::optional<AllocNetwork>& network);
    static std::optional<std::string> aim(Probe& probe, const Order& order, const Service& service,
                                          const ServiceCheck& check, const Names& names);

    std::vector<Probe> probes_;
    std::uint64_t last_id_ = 0;
};

}  // namespace gaggle::allocrunner
