#include "allocrunner/setup/template_watch.h"

#include <algorithm>

namespace gaggle::setup {

namespace {

void keep_first(std::optional<TimePoint>& first, const std::optional<TimePoint>& other) {
    if (other && (!first || *other < *first)) first = other;
}

void add(ChangeAction& action, const Template& what) {
    switch (what.change_mode) {
        case ChangeMode::restart: action.restart = true; break;
        case ChangeMode::signal: action.signals.insert(what.change_signal); break;
        case ChangeMode::script:
            if (what.change_script) action.scripts.push_back(*what.change_script);
            break;
        case ChangeMode::noop: break;
    }
}

}  // namespace

void TemplateWatch::watch(const TaskKey& key, std::vector<Template> templates,
                          std::vector<TemplateNeeds> needs) {
    INVARIANT(templates.size() == needs.size());
    forget(key);
    auto& all = tasks_[key];
    for (std::size_t at = 0; at < templates.size(); ++at)
        all.push_back({.what = std::move(templates[at]), .needs = std::move(needs[at])});
}

void TemplateWatch::forget(const TaskKey& key) {
    tasks_.erase(key);
    pending_.erase(key);
}

void TemplateWatch::forget(const AllocId& alloc) {
    std::erase_if(tasks_, [&](const auto& one) { return one.first.alloc == alloc; });
    std::erase_if(pending_, [&](const auto& one) { return one.first.alloc == alloc; });
}

void TemplateWatch::change(TimePoint now, Watched& watched) {
    if (watched.what.once) return;
    watched.due = now;
    if (!watched.what.wait) return;
    if (!watched.latest) watched.latest = now + watched.what.wait->max;
    watched.due = std::min(now + watched.what.wait->min, *watched.latest);
}

bool TemplateWatch::watches_services() const {
    for (const auto& [key, all] : tasks_)
        for (const Watched& one : all)
            if (one.needs.service_list || !one.needs.services.empty()) return true;
    return false;
}

void TemplateWatch::services_changed(TimePoint now, const std::set<std::string>& names, bool list) {
    for (auto& [key, all] : tasks_)
        for (Watched& one : all) {
            const bool asked =
                std::any_of(one.needs.services.begin(), one.needs.services.end(),
                            [&](const std::string& name) { return names.contains(name); });
            if (asked || (list && one.needs.service_list)) change(now, one);
        }
}

void TemplateWatch::files_changed(TimePoint now, const TaskKey& key, std::size_t which) {
    const auto found = tasks_.find(key);
    if (found != tasks_.end() && which < found->second.size()) change(now, found->second[which]);
}

std::vector<TemplateWatch::Due> TemplateWatch::take_due(TimePoint now) {
    std::vector<Due> out;
    for (auto& [key, all] : tasks_)
        for (std::size_t at = 0; at < all.size(); ++at) {
            Watched& one = all[at];
            if (!one.due || *one.due > now) continue;
            one.due.reset();
            one.latest.reset();
            out.push_back({key, at});
        }
    return out;
}

void TemplateWatch::rendered(TimePoint now, const Due& due, TemplateNeeds needs, bool changed) {
    const auto found = tasks_.find(due.key);
    if (found == tasks_.end() || due.which >= found->second.size()) return;
    Watched& one = found->second[due.which];
    one.needs = std::move(needs);
    if (!changed || one.what.change_mode == ChangeMode::noop) return;
    const auto part = rng_.below(static_cast<std::uint64_t>(one.what.splay.count()) + 1);
    const TimePoint at = now + Duration(static_cast<std::int64_t>(part));
    const auto [pending, is_new] = pending_.try_emplace(due.key, Pending{{}, at});
    if (!is_new) pending->second.due = std::min(pending->second.due, at);
    add(pending->second.action, one.what);
}

std::map<TaskKey, ChangeAction> TemplateWatch::take_actions(TimePoint now) {
    std::map<TaskKey, ChangeAction> out;
    for (auto one = pending_.begin(); one != pending_.end();) {
        if (one->second.due > now) {
            ++one;
            continue;
        }
        out.emplace(one->first, std::move(one->second.action));
        one = pending_.erase(one);
    }
    return out;
}

std::optional<TimePoint> TemplateWatch::next_wakeup() const {
    std::optional<TimePoint> first;
    for (const auto& [key, all] : tasks_)
        for (const Watched& one : all) keep_first(first, one.due);
    for (const auto& [key, one] : pending_) keep_first(first, one.due);
    return first;
}

void TemplateWatch::for_each_file(
    const std::function<void(const Due&, const std::string&)>& act) const {
    for (const auto& [key, all] : tasks_)
        for (std::size_t at = 0; at < all.size(); ++at)
            for (const std::string& path : all[at].needs.files)
                if (!all[at].what.once) act({key, at}, path);
}

}  // namespace gaggle::setup
