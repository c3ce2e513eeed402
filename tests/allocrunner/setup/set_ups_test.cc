// Set-up with the real thread, the real gctl-fetch and real directories.
#include "allocrunner/setup/set_ups.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>

#include "allocrunner/setup/render.h"
#include "tests/allocrunner/scratch.h"
#include "tests/allocrunner/setup/http_server.h"
#include "tests/allocrunner/setup/template_world.h"

using namespace gaggle;
using namespace gaggle::setup;
using allocrunner::built_program;
using allocrunner::ScratchDir;
using allocrunner::text_of;

namespace {

class Machine {
  public:
    explicit Machine(SetUpsConfig config = {}, Duration settle = 0s, Workers workers = {}) {
        config.fetch_path = built_program("gctl-fetch");
        config.fetch_stall = 1s;
        config.settle = settle;
        set_ups = std::move(*SetUps::open(config,
                                          {[this](const TaskKey&, SetUpEvent event) {
                                               const std::lock_guard lock(mutex_);
                                               notes_.push_back(std::move(event));
                                               changed_.notify_all();
                                           },
                                           [this](SetUpDone done) {
                                               const std::lock_guard lock(mutex_);
                                               done_.push_back(std::move(done));
                                               changed_.notify_all();
                                           },
                                           [this](const TaskKey&, ChangeAction action) {
                                               const std::lock_guard lock(mutex_);
                                               actions_.push_back(std::move(action));
                                               changed_.notify_all();
                                           }},
                                          std::move(workers)));
        for (const char* folder : {"/alloc/data", "/web/local", "/web/secrets"})
            std::filesystem::create_directories(scratch.path() + folder);
    }

    Plan plan() const {
        const std::string root = scratch.path();
        return {
            .key = {AllocId{}, "web"},
            .host = {.shared = root + "/alloc",
                     .task = root + "/web",
                     .local = root + "/web/local",
                     .secrets = root + "/web/secrets"},
            .inside = {.shared = "/alloc", .task = "/", .local = "/local", .secrets = "/secrets"},
            .env = {{"NAME", "web"}}};
    }

    SetUpDone done() {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, 20s, [&] { return !done_.empty(); }));
        SetUpDone out = std::move(done_.front());
        done_.erase(done_.begin());
        return out;
    }
    ChangeAction action() {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, 20s, [&] { return !actions_.empty(); }));
        ChangeAction out = std::move(actions_.front());
        actions_.erase(actions_.begin());
        return out;
    }
    bool noted(const std::string& part) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] {
            for (const SetUpEvent& one : notes_)
                if (one.text.find(part) != std::string::npos) return true;
            return false;
        });
    }
    std::size_t actions() {
        const std::lock_guard lock(mutex_);
        return actions_.size();
    }

    ScratchDir scratch;
    std::unique_ptr<SetUps> set_ups;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<SetUpEvent> notes_;
    std::vector<SetUpDone> done_;
    std::vector<ChangeAction> actions_;
};

Template text_to(const std::string& data, const std::string& destination) {
    Template out;
    out.data = data;
    out.destination = destination;
    out.splay = 0s;
    return out;
}

CatalogueSource catalogue(int instances) {
    Catalogue out;
    for (int i = 1; i <= instances; ++i) out["db"].push_back(instance("db", i));
    return [out] { return std::make_shared<const Catalogue>(out); };
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

namespace {

/// Workers that begin an allocation's pieces only when they are told to.
class HeldWorkers {
  public:
    Workers as_workers() {
        return [this](const AllocId& alloc, std::function<void()> piece) {
            {
                const std::lock_guard lock(mutex_);
                if (held_.contains(alloc)) {
                    pieces_.push_back(std::move(piece));
                    return changed_.notify_all();
                }
            }
            piece();
        };
    }
    void hold(const AllocId& alloc) {
        const std::lock_guard lock(mutex_);
        held_.insert(alloc);
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, 20s, [&] { return pieces_.size() == count; }));
    }
    void release() {
        std::vector<std::function<void()>> all;
        {
            const std::lock_guard lock(mutex_);
            held_.clear();
            all = std::exchange(pieces_, {});
        }
        for (const auto& piece : all) piece();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<AllocId> held_;
    std::vector<std::function<void()>> pieces_;
};

}  // namespace

TEST_CASE("who is set up does not wait for another allocation's templates") {
    HeldWorkers workers;
    Machine machine({}, 0s, workers.as_workers());
    Plan heavy = machine.plan();
    heavy.key.alloc.bytes[0] = 1;
    heavy.templates = {text_to("heavy", "local/heavy")};
    Plan light = machine.plan();
    light.key.alloc.bytes[0] = 2;
    light.templates = {text_to("light", "local/light")};
    workers.hold(heavy.key.alloc);
    machine.set_ups->begin(heavy, SetUpKind::first, 1);
    workers.wait_for(1);
    machine.set_ups->begin(light, SetUpKind::first, 1);
    CHECK(machine.done().key == light.key);
    workers.release();
    CHECK(machine.done().key == heavy.key);
    CHECK(text_of(machine.scratch.path() + "/web/local/heavy") == "heavy");
}

TEST_CASE("what is ended while it is rendered is over, and what changes meanwhile is seen") {
    HeldWorkers workers;
    Machine machine({}, 0s, workers.as_workers());
    machine.set_ups->services(catalogue(1));
    Plan plan = machine.plan();
    plan.key.alloc.bytes[0] = 1;
    plan.templates = {text_to("{{ range nomadService \"db\" }}{{ .Port }} {{ end }}", "local/db")};
    workers.hold(plan.key.alloc);
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    workers.wait_for(1);
    machine.set_ups->end(plan.key);
    machine.set_ups->begin(plan, SetUpKind::first, 2);
    workers.wait_for(2);
    machine.set_ups->services(catalogue(2));
    Plan other = machine.plan();  // once it is rendered, the newer catalogue is known
    other.templates = {text_to("{{ len (nomadService \"db\") }}", "local/count")};
    machine.set_ups->begin(other, SetUpKind::first, 7);
    CHECK(machine.done().run == 7);
    CHECK(text_of(machine.scratch.path() + "/web/local/count") == "2");
    workers.release();
    CHECK(machine.done().run == 2);
    CHECK(machine.action().restart);
    CHECK(text_of(machine.scratch.path() + "/web/local/db") == "8001 8002 ");
}

TEST_CASE("a template makes no file that gives its reader another's rights") {
    for (const char* perms : {"4755", "2755", "1777", "07777"}) {
        CAPTURE(perms);
        Machine machine;
        Plan plan = machine.plan();
        plan.templates = {text_to("#!/bin/sh", "local/run")};
        plan.templates[0].perms = perms;
        machine.set_ups->begin(plan, SetUpKind::first, 1);
        const SetUpDone done = machine.done();
        REQUIRE(done.failure.has_value());
        CHECK(done.failure->why.text.find("more than 0777") != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(machine.scratch.path() + "/web/local/run"));
    }
}

TEST_CASE("payload, then templates in order, then what they add to the environment") {
    Machine machine;
    Plan plan = machine.plan();
    plan.payload = Payload{"in/payload", to_bytes("{\"n\":7}")};
    plan.templates = {
        text_to("{{ env \"NAME\" }}", "local/etc/name"),
        text_to("N={{ (file \"local/in/payload\" | parseJSON).n }}", "/secrets/n.env")};
    plan.templates[0].perms = "640";
    plan.templates[1].env = true;
    machine.set_ups->begin(plan, SetUpKind::first, 3);
    const SetUpDone done = machine.done();
    if (done.failure) FAIL(done.failure->why.text);
    CHECK(done.run == 3);
    CHECK(done.env == std::map<std::string, std::string>{{"N", "7"}});
    CHECK(text_of(machine.scratch.path() + "/web/local/etc/name") == "web");
    CHECK(text_of(machine.scratch.path() + "/web/secrets/n.env") == "N=7");
    struct stat about {};
    REQUIRE(stat((machine.scratch.path() + "/web/local/etc/name").c_str(), &about) == 0);
    CHECK((about.st_mode & 07777U) == 0640);
}

TEST_CASE("an artifact of which nothing comes is given up, and its place is another's") {
    // A server that git speaks its own protocol with: nothing there watches over silence.
    const HttpServer silent([](const std::string&) { return HttpServer::stalling(); });
    SetUpsConfig config;
    config.fetch_total = 1s;
    Machine machine(config);
    Plan plan = machine.plan();
    Artifact artifact;
    artifact.source = "git::git" + silent.url("/repo").substr(4);
    artifact.destination = "local/";
    plan.artifacts = {artifact};
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    const SetUpDone done = machine.done();
    REQUIRE(done.failure.has_value());
    CAPTURE(done.failure->why.text);
    CHECK(has(done.failure->why.text, "in time; given up"));
    CHECK(done.failure->may_pass);
}

TEST_CASE("artifacts come first, one after the other, and are told") {
    const HttpServer server(
        [](const std::string& head) { return HttpServer::ok("file " + path_of(head)); });
    Machine machine;
    Plan plan = machine.plan();
    for (const char* path : {"/a", "/b"}) {
        Artifact artifact;
        artifact.source = server.url(path);
        artifact.destination = "local/";
        plan.artifacts.push_back(artifact);
    }
    plan.templates = {text_to("{{ file \"local/a\" }}, {{ file \"/local/b\" }}", "local/both")};
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    const SetUpDone done = machine.done();
    if (done.failure) FAIL(done.failure->why.text);
    CHECK(machine.noted("Client is downloading artifacts"));
    CHECK(text_of(machine.scratch.path() + "/web/local/both") == "file /a, file /b");
    machine.set_ups->begin(plan, SetUpKind::again, 2);
    CHECK_FALSE(machine.done().failure);
    CHECK(server.heads().size() == 2);  // a later run fetches nothing
}

TEST_CASE("what goes wrong is a failure that says which part, and whether it may pass") {
    const HttpServer server([](const std::string& head) {
        return path_of(head) == "/stall" ? HttpServer::stalling()
                                         : HttpServer::status("404 Not Found");
    });
    Machine machine;
    struct Row {
        std::string source, destination, text, error;
        bool passes;
    };
    for (const Row& row : {
             Row{server.url("/none"), "local/", "", "the server answered 404", true},
             Row{server.url("/stall"), "local/", "", "without a byte", true},
             Row{"gopher://x", "local/", "", "is no address", false},
             Row{"/etc/passwd", "local/", "", "sources on the peer itself are not allowed", false},
             Row{server.url("/x"), "../../x", "", "leads out of the task's directory", false},
             Row{"", "local/x", "{{ nofunc }}", "template local/x: line 1, column 4", false},
             Row{"", "../x", "text", "template ../x: path \"../x\" leads out", false},
             Row{"", "local/x", "{{ file \"local/none\" }}", "No such file", false},
         }) {
        CAPTURE(row.error);
        Plan plan = machine.plan();
        if (!row.source.empty()) {
            Artifact artifact;
            artifact.source = row.source;
            artifact.destination = row.destination;
            plan.artifacts = {artifact};
        } else {
            plan.templates = {text_to(row.text, row.destination)};
        }
        machine.set_ups->begin(plan, SetUpKind::first, 1);
        const SetUpDone done = machine.done();
        REQUIRE(done.failure);
        CAPTURE(done.failure->why.text);
        CHECK(has(done.failure->why.text, row.error));
        CHECK(done.failure->may_pass == row.passes);
        const bool download = !row.source.empty();
        CHECK((done.failure->why.kind == SetUpEvent::Kind::download_failed) == download);
    }
}

TEST_CASE("a template's source that nobody has brought says who could have") {
    Machine machine;
    Plan plan = machine.plan();
    Template missing = text_to("", "local/x");
    missing.source = "local/none.tpl";
    plan.templates = {missing};
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    const SetUpDone done = machine.done();
    REQUIRE(done.failure);
    CAPTURE(done.failure->why.text);
    CHECK(has(done.failure->why.text, "template local/x: "));
    CHECK(has(done.failure->why.text,
              "local/none.tpl: No such file or directory; an artifact or a "
              "prestart task must bring the source"));
}

TEST_CASE("a download ends with its task") {
    const HttpServer server([](const std::string&) { return HttpServer::stalling(); });
    SetUpsConfig config;
    Machine machine(config);
    Plan plan = machine.plan();
    Artifact artifact;
    artifact.source = server.url("/slow");
    artifact.destination = "local/";
    plan.artifacts = {artifact};
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    REQUIRE(allocrunner::eventually([&] { return !server.heads().empty(); }));
    machine.set_ups->end(plan.key);
    // The next set-up of the same task is answered, and only that one.
    plan.artifacts.clear();
    machine.set_ups->begin(plan, SetUpKind::first, 2);
    CHECK(machine.done().run == 2);
}

TEST_CASE("a running task's template follows its service; actions follow the text") {
    Machine machine;
    Plan plan = machine.plan();
    plan.templates = {text_to("{{ range nomadService \"db\" }}{{ .Port }} {{ end }}", "local/db"),
                      text_to("{{ len (nomadService \"db\") }}", "local/count")};
    plan.templates[0].change_mode = ChangeMode::signal;
    plan.templates[0].change_signal = "SIGHUP";
    plan.templates[1].change_mode = ChangeMode::noop;
    machine.set_ups->services(catalogue(1));
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    CHECK_FALSE(machine.done().failure);
    const std::string file = machine.scratch.path() + "/web/local/db";
    CHECK(text_of(file) == "8001 ");
    machine.set_ups->services(catalogue(2));
    ChangeAction action = machine.action();
    CHECK_FALSE(action.restart);
    CHECK(action.signals == std::set<std::string>{"SIGHUP"});
    CHECK(text_of(file) == "8001 8002 ");
    CHECK(text_of(machine.scratch.path() + "/web/local/count") == "2");
    CHECK(machine.noted("Template local/db was rendered anew"));
    machine.set_ups->end(plan.key.alloc);
    machine.set_ups->services(catalogue(3));
    machine.set_ups->begin(plan, SetUpKind::again, 2);
    CHECK_FALSE(machine.done().failure);
    CHECK(text_of(file) == "8001 8002 8003 ");
    CHECK(machine.actions() == 0);  // who starts anew needs no signal
}

TEST_CASE("an adopted task is told what changed while the agent was away") {
    Machine machine;
    Plan plan = machine.plan();
    plan.templates = {text_to("{{ len (nomadService \"db\") }}", "local/count")};
    machine.set_ups->services(catalogue(1));
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    CHECK_FALSE(machine.done().failure);
    machine.set_ups->begin(plan, SetUpKind::adopted, 1);
    CHECK_FALSE(machine.done().failure);
    machine.set_ups->services(catalogue(2));
    CHECK(machine.action().restart);
    machine.set_ups->end(plan.key);
    machine.set_ups->services(catalogue(4));
    machine.set_ups->begin(plan, SetUpKind::adopted, 1);
    CHECK(machine.action().restart);
}

TEST_CASE("an adopted task waits until the catalogue has filled, and outlives a broken template") {
    SetUpsConfig config;
    Machine machine(config, 300ms);
    Plan plan = machine.plan();
    plan.templates = {text_to("{{ len (nomadService \"db\") }}", "local/count"),
                      text_to("{{ file \"local/none\" }}", "local/broken")};
    std::ofstream(machine.scratch.path() + "/web/local/count") << "1";
    machine.set_ups->begin(plan, SetUpKind::adopted, 1);
    machine.set_ups->services(catalogue(1));  // as gossip tells it, a moment later
    CHECK_FALSE(machine.done().failure);
    CHECK(machine.noted("template local/broken: "));
    CHECK(machine.actions() == 0);
    CHECK(text_of(machine.scratch.path() + "/web/local/count") == "1");
}

TEST_CASE("a file that a template reads is looked at") {
    Machine machine;
    Plan plan = machine.plan();
    plan.templates = {text_to("[{{ file \"local/in\" }}]", "local/out")};
    std::ofstream(machine.scratch.path() + "/web/local/in") << "one";
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    CHECK_FALSE(machine.done().failure);
    std::ofstream(machine.scratch.path() + "/web/local/in") << "two!";
    CHECK(machine.action().restart);
    CHECK(text_of(machine.scratch.path() + "/web/local/out") == "[two!]");
}

TEST_CASE("links that lead out are neither written through nor read through") {
    Machine machine;
    Plan plan = machine.plan();
    const std::string local = machine.scratch.path() + "/web/local";
    std::filesystem::create_directory(machine.scratch.path() + "/outside");
    std::ofstream(machine.scratch.path() + "/outside/secret") << "secret";
    std::filesystem::create_directory_symlink(machine.scratch.path() + "/outside", local + "/out");
    std::filesystem::create_symlink(machine.scratch.path() + "/outside/secret", local + "/file");
    for (const auto& one :
         {text_to("x", "local/out/x"), text_to("{{ file \"local/file\" }}", "local/y"),
          text_to("{{ file \"local/out/secret\" }}", "local/y")}) {
        plan.templates = {one};
        machine.set_ups->begin(plan, SetUpKind::first, 1);
        const SetUpDone done = machine.done();
        REQUIRE(done.failure);
        CHECK(has(done.failure->why.text, "leads out of the task's directory"));
        CHECK_FALSE(done.failure->may_pass);
    }
    // A link in the file's own place is replaced, not followed.
    plan.templates = {text_to("mine", "local/file")};
    machine.set_ups->begin(plan, SetUpKind::first, 1);
    CHECK_FALSE(machine.done().failure);
    CHECK(text_of(machine.scratch.path() + "/outside/secret") == "secret");
    CHECK(text_of(local + "/file") == "mine");
}
