#include "allocrunner/setup/template_watch.h"

#include <doctest/doctest.h>

using namespace gaggle;
using namespace gaggle::setup;

namespace {

constexpr TimePoint kStart{};

TaskKey key(const std::string& task) { return {AllocId{}, task}; }

Template plain(ChangeMode mode, Duration splay = 0s) {
    Template out;
    out.destination = "local/x";
    out.change_mode = mode;
    out.change_signal = "SIGHUP";
    out.splay = splay;
    return out;
}

TemplateNeeds asks(const std::string& service) {
    TemplateNeeds out;
    out.services = {service};
    return out;
}

}  // namespace

TEST_CASE("only templates that asked for what changed are due, each once") {
    TemplateWatch watch(Rng(1));
    TemplateNeeds list;
    list.service_list = true;
    watch.watch(key("a"), {plain(ChangeMode::restart), plain(ChangeMode::restart)},
                {asks("web"), asks("db")});
    watch.watch(key("b"), {plain(ChangeMode::restart)}, {list});
    CHECK(watch.watches_services());
    CHECK(watch.take_due(kStart).empty());
    CHECK_FALSE(watch.next_wakeup());
    watch.services_changed(kStart, {"db"}, false);
    CHECK(watch.next_wakeup() == kStart);
    const auto due = watch.take_due(kStart);
    REQUIRE(due.size() == 1);
    CHECK((due[0].key == key("a") && due[0].which == 1));
    CHECK(watch.take_due(kStart).empty());
    watch.services_changed(kStart, {"other"}, true);
    CHECK(watch.take_due(kStart).size() == 1);
    watch.forget(key("a"));
    CHECK(watch.watches_services());  // the list of all
    watch.watch(key("b"), {plain(ChangeMode::restart)}, {TemplateNeeds{}});
    CHECK_FALSE(watch.watches_services());
}

TEST_CASE("what a template asks for may change with each rendering") {
    TemplateWatch watch(Rng(1));
    watch.watch(key("a"), {plain(ChangeMode::noop)}, {asks("web")});
    watch.rendered(kStart, {key("a"), 0}, asks("db"), true);
    watch.services_changed(kStart, {"web"}, false);
    CHECK(watch.take_due(kStart).empty());
    watch.services_changed(kStart, {"db"}, false);
    CHECK(watch.take_due(kStart).size() == 1);
}

TEST_CASE("once means once") {
    TemplateWatch watch(Rng(1));
    Template once = plain(ChangeMode::restart);
    once.once = true;
    watch.watch(key("a"), {once}, {asks("web")});
    watch.services_changed(kStart, {"web"}, true);
    CHECK(watch.take_due(kStart).empty());
}

TEST_CASE("wait: rendered after it was quiet for min, after max at the latest") {
    TemplateWatch watch(Rng(1));
    Template patient = plain(ChangeMode::noop);
    patient.wait = TemplateWait{.min = 2s, .max = 5s};
    watch.watch(key("a"), {patient}, {asks("web")});
    watch.services_changed(kStart, {"web"}, false);
    CHECK(watch.next_wakeup() == kStart + 2s);
    watch.services_changed(kStart + 1s, {"web"}, false);
    CHECK(watch.take_due(kStart + 2s).empty());
    CHECK(watch.next_wakeup() == kStart + 3s);
    for (auto at = 2s; at <= 4s; ++at) watch.services_changed(kStart + at, {"web"}, false);
    CHECK(watch.next_wakeup() == kStart + 5s);
    CHECK(watch.take_due(kStart + 5s).size() == 1);
    watch.services_changed(kStart + 9s, {"web"}, false);
    CHECK(watch.next_wakeup() == kStart + 11s);
}

TEST_CASE("a changed text gives an action within its splay; an unchanged one gives none") {
    TemplateWatch watch(Rng(7));
    watch.watch(key("a"), {plain(ChangeMode::restart, 5s)}, {asks("web")});
    watch.rendered(kStart, {key("a"), 0}, asks("web"), false);
    CHECK_FALSE(watch.next_wakeup());
    watch.rendered(kStart, {key("a"), 0}, asks("web"), true);
    REQUIRE(watch.next_wakeup());
    CHECK(*watch.next_wakeup() <= kStart + 5s);
    const auto actions = watch.take_actions(*watch.next_wakeup());
    REQUIRE(actions.size() == 1);
    CHECK(actions.at(key("a")).restart);
    CHECK_FALSE(watch.next_wakeup());
}

TEST_CASE("actions of one task that wait together are one") {
    TemplateWatch watch(Rng(7));
    Template script = plain(ChangeMode::script);
    script.change_script = ChangeScript{.command = "/bin/reload", .args = {}};
    watch.watch(
        key("a"),
        {plain(ChangeMode::signal), plain(ChangeMode::restart), script, plain(ChangeMode::noop)},
        {asks("w"), asks("w"), asks("w"), asks("w")});
    for (std::size_t at = 0; at < 4; ++at) watch.rendered(kStart, {key("a"), at}, asks("w"), true);
    const auto actions = watch.take_actions(kStart);
    REQUIRE(actions.size() == 1);
    const ChangeAction& one = actions.at(key("a"));
    CHECK(one.restart);
    CHECK(one.signals == std::set<std::string>{"SIGHUP"});
    CHECK(one.scripts.size() == 1);
}

TEST_CASE("what is forgotten is neither rendered nor acted upon") {
    TemplateWatch watch(Rng(7));
    watch.watch(key("a"), {plain(ChangeMode::restart)}, {asks("w")});
    watch.rendered(kStart, {key("a"), 0}, asks("w"), true);
    watch.services_changed(kStart, {"w"}, false);
    watch.forget(AllocId{});
    CHECK(watch.take_due(kStart).empty());
    CHECK(watch.take_actions(kStart + 1h).empty());
    watch.rendered(kStart, {key("a"), 0}, asks("w"), true);
    CHECK_FALSE(watch.next_wakeup());
}
