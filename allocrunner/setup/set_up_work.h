// What the thread "setup" does, without the thread: one call a wakeup.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "allocrunner/setup/fetch_process.h"
#include "allocrunner/setup/render.h"
#include "allocrunner/setup/set_ups.h"

namespace gaggle::setup {

class SetUpWork {
  public:
    /// `render` has an order carried out, somewhere; rendered() brings what came of it.
    using Render = std::function<void(RenderOrder)>;
    SetUpWork(SetUpsConfig config, SetUpsEvents events, Render render);

    void begin(TimePoint now, Plan plan, SetUpKind kind, std::uint64_t run);
    void end(const TaskKey& key);
    void end(const AllocId& alloc);
    void services(CatalogueSource source) { source_ = std::move(source); }
    void rendered(TimePoint now, RenderDone done);
    /// Reads what the downloads say, renders what is due, says what is to be done.
    void step(TimePoint now);

    /// Descriptors that call for step() when they are readable.
    std::vector<int> descriptors() const;
    std::optional<TimePoint> next_wakeup() const;

  private:
    struct Task {
        std::shared_ptr<const Plan> plan;  // shared with the renders under way
        SetUpKind kind = SetUpKind::first;
        std::uint64_t run = 0;
        std::size_t artifact = 0;  ///< the one under way, or next
        std::optional<FetchProcess> process;
        std::optional<FetchLine> verdict;
        TimePoint deadline;    ///< of the one under way
        TimePoint note_after;  ///< progress is told again from then on
        bool ready = false;    ///< set up; only its templates are watched
        std::uint64_t token = 0;    ///< no other task ever had it
        bool rendering = false;     ///< one order is out
        std::set<std::size_t> due;  ///< of its templates, to be rendered next
    };
    struct Stamp {
        std::int64_t inode = 0, size = 0, changed = 0;
        bool operator==(const Stamp&) const = default;
    };

    void start_waiting(TimePoint now);
    void adopt_waiting(TimePoint now);
    void start_fetch(TimePoint now, Task& task);
    void read_fetch(TimePoint now, Task& task);
    void finish(TimePoint now, Task& task);
    void order_render(Task& task);
    void set_up(TimePoint now, Task& task, RenderDone done);
    void renewed(TimePoint now, const Task& task, RenderDone done);
    void fail(Task& task, SetUpEvent::Kind kind, const Error& error, bool may_pass);
    /// There is a newer catalogue, and a template that may become another by it.
    bool services_matter() const { return source_ && watch_.watches_services(); }
    void look_at_services(TimePoint now);
    void tell_changes(TimePoint now, const Catalogue& since);
    void render_due(TimePoint now);
    void look_at_files(TimePoint now);
    Stamp stamp_of(const Plan& plan, const std::string& path) const;

    SetUpsConfig config_;
    SetUpsEvents events_;
    Render render_;
    std::uint64_t tokens_ = 0;
    std::map<TaskKey, Task> tasks_;
    std::deque<TaskKey> waiting_;  ///< for a place among the downloads
    std::size_t fetching_ = 0;
    std::vector<TaskKey> adopting_;  ///< wait for the catalogue to settle
    std::optional<TimePoint> settled_;
    TemplateWatch watch_;
    CatalogueSource source_;  ///< to be looked at; none: nothing is new
    TimePoint services_next_;
    // Shared with whoever made it.
    std::shared_ptr<const Catalogue> services_;
    std::map<std::pair<TaskKey, std::string>, Stamp> stamps_;
    std::optional<TimePoint> look_at_;  ///< at the files of templates, next
};

}  // namespace gaggle::setup
