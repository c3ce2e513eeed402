// A machine that exists only in virtual time: carries out a Runner's work piece by piece, keeps
// processes as entries of a map, and writes one line per happening, so that a test reads like a
// story. Answers come when all work of a step is carried out. An agent can be made to die between
// two pieces of work.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/runner.h"

namespace gaggle::allocrunner {

/// Lines of FakeWorld::story.
using Story = std::vector<std::string>;

class FakeWorld {
  public:
    struct Process {
        std::uint64_t run = 0;
        std::int64_t pid = 0;
        bool ignores_signals = false;
    };

    explicit FakeWorld(std::uint64_t seed = 1);

    // What a test may do to it.
    void orders(std::vector<Order> orders);
    void start_unconfirmed() { feed({wall(), StartUnconfirmed{}}); }
    void wait(Duration span);  ///< virtual time passes; due ticks happen on their way
    void exit(const AllocId& alloc, const std::string& task, std::int64_t code);
    /// The agent starts again; with `reboot` all processes are gone, without their exits recorded.
    void restart_agent(bool reboot);
    void feed(Input input);

    // What the next work meets.
    bool port_open = true;
    bool check_warns = false;
    std::string check_says = "connection refused";  ///< while the port is not open
    std::uint16_t check_code = 0;
    std::optional<AllocNetwork> network;
    std::map<std::string, std::string> set_up_env;
    std::optional<SetUpFailure> set_up_failure;
    bool hold_tear_down = false;                     ///< TearDown is not answered
    std::optional<std::string> tear_down_error;
    std::optional<std::string> remove_error;
    bool hold_starts = false;                        ///< StartTask is not answered until begin()
    std::map<std::uint16_t, std::string> strangers;  ///< who is on which port
    std::optional<std::string> dir_error;
    std::optional<std::string> start_error;
    bool start_error_may_pass = false;
    bool ignore_signals = false;  ///< of processes started from now on
    bool hold_dirs = false;       ///< PrepareDir is not answered until release_dirs()
    void release_dirs();
    /// A task whose start was held runs now.
    void begin(const AllocId& alloc, const std::string& task, std::uint64_t run);
    Duration clock_set{};           ///< how much the wall clock was set forward
    bool agent_down = false;        ///< exits are recorded, and nobody is told
    std::optional<int> dies_after;  ///< pieces of work
    bool state_damaged = false;     ///< the next agent reads no state

    const AllocStatus& status(const AllocId& alloc) const;
    std::string events(const AllocId& alloc, const std::string& task) const;
    Process* process(const AllocId& alloc, const std::string& task);
    WallTime wall() const;

    std::vector<std::string> story;
    std::string removed_for;  ///< why the last directory went
    int dirs_made_again = 0;
    int torn_down = 0;
    std::optional<RunCheck> last_check;
    std::map<AllocId, AllocStatus> reported;
    std::map<AllocId, TaskSpec> last_spec;
    int pieces = 0;  ///< of work, carried out
    std::vector<PortTaken> ports_taken;
    Runner runner;
    TimePoint now{};

  private:
    using Key = std::pair<AllocId, std::string>;
    void carry_out(const Work& work);
    bool carry_out_all(const std::vector<Work>& work);
    void end(Key key, TaskExit exit);

    std::map<Key, Process> processes_;
    std::map<Key, FoundTask> exits_;
    std::map<AllocId, Order> order_files_;
    std::map<AllocId, Bytes> state_files_;
    std::vector<AllocId> held_dirs_;
    std::map<AllocId, AllocNetwork> networks_;
    std::deque<Input> inbox_;
    bool stepping_ = false;
    std::int64_t last_pid_ = 100;
};

/// A service with one task "main" of raw_exec; ids are small numbers.
Order order_of(std::uint8_t number, JobType type = JobType::service);
AllocId alloc_id(std::uint8_t number);
/// The same, to be stopped.
Order stopped(Order order);
/// With another task like its first.
Order with_task(Order order, const std::string& name);
/// With a task like its first around that one.
Order with_hook(Order order, const std::string& name, Lifecycle::Hook hook, bool sidecar = false);

}  // namespace gaggle::allocrunner
