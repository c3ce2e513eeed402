#include <sys/stat.h>

#include <algorithm>

#include "allocrunner/setup/artifact_source.h"
#include "allocrunner/setup/beneath_posix.h"
#include "allocrunner/setup/destination.h"
#include "allocrunner/setup/render.h"
#include "allocrunner/setup/set_up_work.h"

namespace gaggle::setup {

namespace {

constexpr Duration kFilesEvery = 3s;
constexpr Duration kServicesEvery = 100ms;
constexpr Duration kProgressEvery = 10s;

bool may_pass(const Error& error) {
    return error.code != Errc::invalid && error.code != Errc::denied;
}

std::string in_megabytes(std::int64_t bytes) { return std::to_string(bytes >> 20U) + " MB"; }

std::string numbered(const Plan& plan, std::size_t artifact) {
    const std::string address = shown_address(plan.artifacts[artifact].source);
    if (plan.artifacts.size() == 1) return address;
    return std::to_string(artifact + 1) + " of " + std::to_string(plan.artifacts.size()) + ", " +
           address;
}

std::set<std::string> names_with_tags(const Catalogue& all) {
    std::set<std::string> out;
    for (const auto& [name, instances] : all)
        for (const ServiceInstance& one : instances) {
            out.insert(one.name_space + "\n" + name);
            for (const std::string& tag : one.tags)
                out.insert(one.name_space + "\n" + name + "\n" + tag);
        }
    return out;
}

/// Names of the services whose instances differ.
std::set<std::string> difference(const Catalogue& before, const Catalogue& after) {
    std::set<std::string> out;
    for (const auto& [name, instances] : before)
        if (!after.contains(name) || after.at(name) != instances) out.insert(name);
    for (const auto& [name, instances] : after)
        if (!before.contains(name)) out.insert(name);
    return out;
}

}  // namespace

SetUpWork::SetUpWork(SetUpsConfig config, SetUpsEvents events, Render render)
    : config_(std::move(config)),
      events_(std::move(events)),
      render_(std::move(render)),
      watch_(Rng(config_.seed)),
      services_(std::make_shared<const Catalogue>()) {}

void SetUpWork::begin(TimePoint now, Plan plan, SetUpKind kind, std::uint64_t run) {
    end(plan.key);
    if (tasks_.size() >= kSetUpsMax) {
        const SetUpEvent why{SetUpEvent::Kind::failed, "too many tasks are set up on this peer"};
        return events_.done({plan.key, run, {}, SetUpFailure{why, true}});
    }
    const TaskKey key = plan.key;
    Task& task = tasks_[key];
    task.plan = std::make_shared<const Plan>(std::move(plan));
    task.token = ++tokens_;
    task.kind = kind;
    task.run = run;
    if (!settled_) settled_ = now + config_.settle;
    if (kind == SetUpKind::adopted && now < *settled_) return adopting_.push_back(key);
    if (kind != SetUpKind::first || task.plan->artifacts.empty()) return finish(now, task);
    events_.note(key, {SetUpEvent::Kind::downloading, "Client is downloading artifacts"});
    waiting_.push_back(key);
    start_waiting(now);
}

void SetUpWork::end(const TaskKey& key) {
    watch_.forget(key);
    std::erase(waiting_, key);
    std::erase(adopting_, key);
    std::erase_if(stamps_, [&](const auto& one) { return one.first.first == key; });
    const auto found = tasks_.find(key);
    if (found == tasks_.end()) return;
    if (found->second.process) --fetching_;
    tasks_.erase(found);
}

void SetUpWork::end(const AllocId& alloc) {
    std::vector<TaskKey> all;
    for (const auto& [key, task] : tasks_)
        if (key.alloc == alloc) all.push_back(key);
    for (const TaskKey& key : all) end(key);
}

void SetUpWork::start_waiting(TimePoint now) {
    while (fetching_ < kFetchesMax && !waiting_.empty()) {
        const TaskKey key = waiting_.front();
        waiting_.pop_front();
        start_fetch(now, tasks_.at(key));
    }
}

void SetUpWork::adopt_waiting(TimePoint now) {
    if (adopting_.empty() || now < *settled_) return;
    for (const TaskKey& key : std::exchange(adopting_, {})) finish(now, tasks_.at(key));
}

void SetUpWork::start_fetch(TimePoint now, Task& task) {
    const Artifact& artifact = task.plan->artifacts[task.artifact];
    const auto failed = [&](const Error& error) {
        fail(task, SetUpEvent::Kind::download_failed,
             within("artifact " + numbered(*task.plan, task.artifact), error), may_pass(error));
    };
    const auto to = destination_of(task.plan->host, task.plan->inside, artifact.destination);
    if (!to.ok()) return failed(to.error());
    FetchOrder order{.artifact = artifact, .root = root_of(task.plan->host, *to), .path = to->path};
    order.draft = ".gaggle-fetch." + task.plan->key.task + "." + std::to_string(task.artifact);
    if (artifact.chown) {
        const auto owner = owner_of(task.plan->user);
        if (!owner.ok()) return failed(owner.error());
        order.uid = owner->uid;
        order.gid = owner->gid;
    }
    order.file_allowed = config_.file_artifacts;
    order.bytes_max = config_.fetch_bytes_max;
    order.files_max = config_.fetch_files_max;
    order.stall = config_.fetch_stall;
    order.total = config_.fetch_total;
    auto process = FetchProcess::start(config_.fetch_path, order);
    if (!process.ok()) return failed(process.error());
    task.process.emplace(std::move(*process));
    task.verdict.reset();
    // gctl-fetch gives up by itself in time, as far as it is asked: git and unpacking are not.
    task.deadline = now + config_.fetch_total + config_.fetch_stall;
    task.note_after = now + kProgressEvery;
    ++fetching_;
}

void SetUpWork::read_fetch(TimePoint now, Task& task) {
    for (FetchLine& line : task.process->read()) {
        if (line.kind != FetchLine::Kind::progress) {
            task.verdict = std::move(line);
        } else if (now >= task.note_after) {
            task.note_after = now + kProgressEvery;
            const std::string of = line.of > 0 ? " of " + in_megabytes(line.of) : "";
            events_.note(task.plan->key, {SetUpEvent::Kind::downloading,
                                          "artifact " + numbered(*task.plan, task.artifact) + ": " +
                                              in_megabytes(line.bytes) + of});
        }
    }
    const bool ended = task.process->ended();
    if (!ended && now < task.deadline) return;
    task.process.reset();  // which kills it
    --fetching_;
    const std::string which = "artifact " + numbered(*task.plan, task.artifact);
    if (!ended)
        return fail(task, SetUpEvent::Kind::download_failed,
                    {Errc::timeout, which + ": not fetched and unpacked in time; given up"}, true);
    if (!task.verdict)
        return fail(task, SetUpEvent::Kind::download_failed,
                    {Errc::io, which + ": gctl-fetch ended without a word; the agent's log may say "
                                       "why"},
                    true);
    if (task.verdict->kind == FetchLine::Kind::failed)
        return fail(task, SetUpEvent::Kind::download_failed,
                    {Errc::io, which + ": " + task.verdict->text}, task.verdict->may_pass);
    if (++task.artifact < task.plan->artifacts.size())
        waiting_.push_front(task.plan->key);
    else
        finish(now, task);
}

/// All but its templates is there.
void SetUpWork::finish(TimePoint now, Task& task) {
    look_at_services(now);
    for (std::size_t at = 0; at < task.plan->templates.size(); ++at) task.due.insert(at);
    order_render(task);
}

/// Of one task one order at a time: what becomes due meanwhile is the next.
void SetUpWork::order_render(Task& task) {
    if (task.rendering || (task.ready && task.due.empty())) return;
    task.rendering = true;
    RenderOrder order{.plan = task.plan, .token = task.token, .which = {}, .services = services_};
    order.which.assign(task.due.begin(), task.due.end());
    order.payload = !task.ready && task.kind == SetUpKind::first;
    order.each = task.ready || task.kind == SetUpKind::adopted;
    task.due.clear();
    render_(std::move(order));
}

void SetUpWork::rendered(TimePoint now, RenderDone done) {
    const auto found = tasks_.find(done.key);
    if (found == tasks_.end() || found->second.token != done.token) return;  // it was ended
    Task& task = found->second;
    const TaskKey key = done.key;
    const auto since = done.services;
    task.rendering = false;
    if (task.ready)
        renewed(now, task, std::move(done));
    else
        set_up(now, task, std::move(done));
    if (since != services_) tell_changes(now, *since);
    if (const auto still = tasks_.find(key); still != tasks_.end()) order_render(still->second);
}

void SetUpWork::set_up(TimePoint now, Task& task, RenderDone done) {
    const TaskKey key = task.plan->key;
    const auto failed = [&](const Error& error) {
        fail(task, SetUpEvent::Kind::failed, error, may_pass(error));
    };
    if (!done.payload.ok()) return failed(done.payload.error());
    SetUpDone out{.key = key, .run = task.run, .env = {}, .failure = {}};
    std::vector<TemplateNeeds> needs;
    std::vector<bool> changed;
    for (auto& [at, result] : done.templates) {
        if (!result.ok() && task.kind == SetUpKind::adopted) {  // it runs on with what it has
            events_.note(key, {SetUpEvent::Kind::templates, result.error().detail});
            needs.emplace_back();
            changed.push_back(false);
            continue;
        }
        if (!result.ok()) return failed(result.error());
        needs.push_back(std::move(result->needs));
        changed.push_back(result->changed);
        for (auto& [name, value] : result->env) out.env[name] = std::move(value);
    }
    const std::size_t count = needs.size();
    watch_.watch(key, task.plan->templates, needs);
    for (std::size_t at = 0; at < count && task.kind == SetUpKind::adopted; ++at)
        watch_.rendered(now, {key, at}, std::move(needs[at]), changed[at]);
    task.ready = true;
    if (!look_at_) look_at_ = now + kFilesEvery;
    watch_.for_each_file([&](const TemplateWatch::Due& due, const std::string& path) {
        if (due.key == key) stamps_[{key, path}] = stamp_of(*task.plan, path);
    });
    if (count == 0) tasks_.erase(key);  // nothing to watch
    events_.done(std::move(out));
}

void SetUpWork::renewed(TimePoint now, const Task& task, RenderDone done) {
    for (auto& [at, result] : done.templates) {
        if (!result.ok()) {
            events_.note(done.key, {SetUpEvent::Kind::templates, result.error().detail});
            continue;
        }
        if (result->changed)
            events_.note(done.key, {SetUpEvent::Kind::templates,
                                    "Template " + task.plan->templates[at].destination +
                                        " was rendered anew"});
        watch_.rendered(now, {done.key, at}, std::move(result->needs), result->changed);
    }
}

void SetUpWork::fail(Task& task, SetUpEvent::Kind kind, const Error& error, bool passes) {
    const SetUpFailure failure{{kind, error.detail}, passes};
    SetUpDone done{task.plan->key, task.run, {}, failure};
    end(task.plan->key);  // `task` is gone
    events_.done(std::move(done));
}

void SetUpWork::look_at_services(TimePoint now) {
    if (!source_) return;
    const auto next = std::exchange(source_, nullptr)();
    services_next_ = now + kServicesEvery;
    const auto before = std::exchange(services_, next);
    tell_changes(now, *before);
}

/// Who was rendered with the catalogue as it was then may be of another text now.
void SetUpWork::tell_changes(TimePoint now, const Catalogue& since) {
    const std::set<std::string> names = difference(since, *services_);
    if (names.empty()) return;
    const bool list = names_with_tags(since) != names_with_tags(*services_);
    watch_.services_changed(now, names, list);
}

void SetUpWork::render_due(TimePoint now) {
    std::set<TaskKey> touched;
    for (const TemplateWatch::Due& due : watch_.take_due(now)) {
        const auto found = tasks_.find(due.key);
        if (found == tasks_.end()) continue;
        found->second.due.insert(due.which);
        touched.insert(due.key);
    }
    for (const TaskKey& key : touched) order_render(tasks_.at(key));
    for (auto& [key, action] : watch_.take_actions(now)) events_.act(key, std::move(action));
}

SetUpWork::Stamp SetUpWork::stamp_of(const Plan& plan, const std::string& path) const {
    const auto to = destination_of(plan.host, plan.inside, path);
    struct stat about {};
    if (!to.ok() || stat((root_of(plan.host, *to) + "/" + to->path).c_str(), &about) != 0)
        return {};
    return {static_cast<std::int64_t>(about.st_ino), about.st_size,
            about.st_mtim.tv_sec * 1'000'000'000LL + about.st_mtim.tv_nsec};
}

void SetUpWork::look_at_files(TimePoint now) {
    std::vector<TemplateWatch::Due> changed;
    bool any = false;
    watch_.for_each_file([&](const TemplateWatch::Due& due, const std::string& path) {
        any = true;
        const Stamp stamp = stamp_of(*tasks_.at(due.key).plan, path);
        const auto [known, is_new] = stamps_.try_emplace({due.key, path}, stamp);
        if (!is_new && known->second != stamp) changed.push_back(due);
    });
    for (const TemplateWatch::Due& due : changed) {
        watch_.files_changed(now, due.key, due.which);
        for (auto& [of, stamp] : stamps_)
            if (of.first == due.key) stamp = stamp_of(*tasks_.at(due.key).plan, of.second);
    }
    look_at_ = any ? std::optional(now + kFilesEvery) : std::nullopt;
}

void SetUpWork::step(TimePoint now) {
    std::vector<TaskKey> fetching;
    for (const auto& [key, task] : tasks_)
        if (task.process) fetching.push_back(key);
    for (const TaskKey& key : fetching)
        if (const auto found = tasks_.find(key); found != tasks_.end())
            read_fetch(now, found->second);
    start_waiting(now);
    adopt_waiting(now);
    if (services_matter() && now >= services_next_) look_at_services(now);
    if (look_at_ && now >= *look_at_) look_at_files(now);
    render_due(now);
}

std::vector<int> SetUpWork::descriptors() const {
    std::vector<int> out;
    for (const auto& [key, task] : tasks_)
        if (task.process) out.push_back(task.process->fd());
    return out;
}

std::optional<TimePoint> SetUpWork::next_wakeup() const {
    std::optional<TimePoint> first = watch_.next_wakeup();
    if (look_at_ && (!first || *look_at_ < *first)) first = look_at_;
    if (services_matter() && (!first || services_next_ < *first)) first = services_next_;
    for (const auto& [key, task] : tasks_)
        if (task.process && (!first || task.deadline < *first)) first = task.deadline;
    if (!adopting_.empty() && (!first || *settled_ < *first)) first = settled_;
    return first;
}

}  // namespace gaggle::setup
