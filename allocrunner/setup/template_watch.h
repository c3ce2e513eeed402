// When templates are rendered anew, and when what follows from it is due.
//
// Pure bookkeeping of all watched tasks: the catalogue changes, the templates that asked for what
// changed become due (at once, or when it has been quiet for their `wait`), and a result that is
// another one gives an action, due after a random part of the template's splay. Actions of one task
// that wait at the same time become one: a restart stands for all.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "allocrunner/setup/plan.h"
#include "allocrunner/setup/text_template.h"
#include "base/rng.h"
#include "base/time.h"

namespace gaggle::setup {

/// What has to be done to a task whose templates have changed.
struct ChangeAction {
    bool restart = false;
    std::set<std::string> signals;
    std::vector<ChangeScript> scripts;
    bool empty() const { return !restart && signals.empty() && scripts.empty(); }
};

class TemplateWatch {
  public:
    explicit TemplateWatch(Rng rng) : rng_(rng) {}

    /// From now on; `needs` has what each of the templates was made of. What was watched for this
    /// task is forgotten, and so are its actions.
    void watch(const TaskKey& key, std::vector<Template> templates,
               std::vector<TemplateNeeds> needs);
    void forget(const TaskKey& key);
    /// Every task of the allocation.
    void forget(const AllocId& alloc);

    /// Whether any template was made of services at all.
    bool watches_services() const;
    /// `names`: the services whose instances changed; `list`: a name or a tag came or went.
    void services_changed(TimePoint now, const std::set<std::string>& names, bool list);
    /// The files of these templates may have changed.
    void files_changed(TimePoint now, const TaskKey& key, std::size_t which);

    struct Due {
        TaskKey key;
        std::size_t which = 0;  ///< of its templates
    };
    /// Templates to render now; each is handed out once, and answered by rendered().
    std::vector<Due> take_due(TimePoint now);
    void rendered(TimePoint now, const Due& due, TemplateNeeds needs, bool changed);

    /// Tasks to act upon now.
    std::map<TaskKey, ChangeAction> take_actions(TimePoint now);
    /// When one of the two above has something next.
    std::optional<TimePoint> next_wakeup() const;

    /// Calls it for each watched template that reads files.
    void for_each_file(const std::function<void(const Due&, const std::string& path)>& act) const;

  private:
    struct Watched {
        Template what;
        TemplateNeeds needs;
        std::optional<TimePoint> due;
        std::optional<TimePoint> latest;  ///< `wait.max` after the first of the changes
    };
    struct Pending {
        ChangeAction action;
        TimePoint due;
    };

    static void change(TimePoint now, Watched& watched);

    Rng rng_;
    std::map<TaskKey, std::vector<Watched>> tasks_;
    std::map<TaskKey, Pending> pending_;
};

}  // namespace gaggle::setup
