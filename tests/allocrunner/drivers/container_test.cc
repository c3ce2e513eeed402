#include <doctest/doctest.h>

#include "allocrunner/drivers/docker_container.h"
#include "allocrunner/drivers/docker_pause.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/engine_http.h"
#include "allocrunner/drivers/engine_session.h"
#include "allocrunner/drivers/tar_file.h"
#include "base/rng.h"
#include "placement/jobspec/value_json.h"
#include "tests/allocrunner/scratch.h"
#include "tests/golden.h"

namespace gaggle::allocrunner {

namespace {

/// `{"image":"redis:7"} privileged netns=/run/x ...`: the config in JSON without blanks, then what
/// surrounds it; answers the body of POST /containers/create.
std::string container(const golden::Directive& asked) {
    const auto parsed = value_from_json(asked.name);
    if (!parsed) return parsed.error().detail;
    TaskContext context{.task = "main", .task_dir = "/data/1/main"};
    context.user = asked.get("user");
    context.env = {{"NOMAD_TASK_DIR", "/local"}};
    context.resources.cpu = MegaHertz{asked.number("cpu", 100)};
    context.resources.memory = MegaBytes{asked.number("memory", 64)};
    context.resources.memory_max = MegaBytes{asked.number("memory_max", 0)};
    context.ports = {{.label = "http", .host_ip = "10.0.0.1", .host = 20'001, .to = 80},
                     {.label = "also", .host_ip = "10.0.0.1", .host = 20'002, .to = 80}};
    context.network.netns = asked.get("netns");
    context.network.resolv_file = asked.get("resolv");
    context.network.hosts_file = asked.get("hosts");
    context.network.hostname = asked.get("hostname");
    context.labels = {{"job", "web"}};
    const auto& config = std::get<Value::Map>(parsed->data);
    const auto spec = known_driver("docker")->spec(config, context);
    if (!spec) return spec.error().detail;
    const auto body = container_body(*spec, {.alloc_dir = "/data/1",
                                             .cpus = asked.get("cpus"),
                                             .owner = "/data",
                                             .privileged_allowed = asked.says("privileged"),
                                             .volumes_allowed = !asked.says("no_volumes"),
                                             .caps_allowed = {},
                                             .joins = asked.get("joins", "container:pause_1"),
                                             .hosts_file = asked.get("own_hosts")});
    if (!body) return body.error().detail;
    if (!asked.has("show")) return value_to_json(*body, JsonLayout::indented);
    const Value* part = &*body;
    std::istringstream path(asked.get("show"));
    for (std::string key; std::getline(path, key, '.');) {
        const auto& fields = std::get<Value::Map>(part->data);
        if (fields.count(key) == 0) return "no " + key;
        part = &fields.at(key);
    }
    return value_to_json(*part);
}

std::string name_text(std::string_view text) {
    const auto name = image_name(text);
    return name ? name->whole() : "refused";
}

}  // namespace

TEST_CASE("a task of driver docker becomes a container") {
    golden::run_folder("container", [] { return golden::Handler(container); });
}

TEST_CASE("the container that holds an allocation's network may enter it, and nothing else") {
    const Value body = pause_body({.netns = "/run/netns/1", .hostname = "inside", .owner = "/data"},
                                  "1", "gaggle-pause:00");
    CHECK(value_to_json(body) ==
          R"({"Entrypoint":["/gctl-shim","--pause","/netns"],"HostConfig":{)"
          R"("Binds":["/run/netns/1:/netns:ro"],"CapAdd":["SYS_ADMIN"],"CapDrop":["ALL"],)"
          R"("NetworkMode":"none","ReadonlyRootfs":true},"Hostname":"inside",)"
          R"("Image":"gaggle-pause:00","Labels":{"gaggle.pause":"1","gaggle.root":"/data"}})");
}

TEST_CASE("extra hosts are added to the allocation's") {
    TaskSpec spec;
    const auto hosts = [&](const char* entry) {
        spec.config = {{"extra_hosts", Value{Value::List{Value{std::string(entry)}}}}};
        const auto text = with_extra_hosts("127.0.0.1 localhost\n", spec);
        return text ? *text : "refused";
    };
    CHECK(hosts("db:10.0.0.7") == "127.0.0.1 localhost\n10.0.0.7 db\n");
    CHECK(hosts("six:fd00::1") == "127.0.0.1 localhost\nfd00::1 six\n");
    for (const char* bad : {"db", ":10.0.0.7", "db:"}) CHECK_MESSAGE(hosts(bad) == "refused", bad);
}

TEST_CASE("a program is put into an archive that tar reads") {
    for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 70'000U}) {
        CAPTURE(size);
        const ScratchDir scratch;
        const std::string program(size, 'x');
        const std::string archive = tar_of_program("gctl-shim", as_bytes(program));
        CHECK(archive.size() % 512 == 0);
        std::ofstream(scratch.path() + "/it.tar", std::ios::binary) << archive;
        const std::string unpack =
            "tar -C " + scratch.path() + " -xf " + scratch.path() + "/it.tar";
        REQUIRE(std::system(unpack.c_str()) == 0);
        CHECK(text_of(scratch.path() + "/gctl-shim") == program);
        CHECK(access((scratch.path() + "/gctl-shim").c_str(), X_OK) == 0);
    }
}

TEST_CASE("a name of an image is taken apart") {
    CHECK(name_text("redis") == "redis:latest");
    CHECK(name_text("redis:7") == "redis:7");
    CHECK(name_text("https://registry.example.com/a/b") == "registry.example.com/a/b:latest");
    CHECK(name_text("localhost:5000/a") == "localhost:5000/a:latest");
    CHECK(name_text("localhost:5000/a:1.2") == "localhost:5000/a:1.2");
    CHECK(name_text("[fd00::1]:5000/a__b/c-d") == "[fd00::1]:5000/a__b/c-d:latest");
    const std::string digest = "@sha256:" + std::string(64, 'a');
    CHECK(name_text("a" + digest) == "a" + digest);
    CHECK(name_text("a:1" + digest) == "a" + digest);
    const std::string hex(32, '0');
    const std::vector<std::string> names = {
        "", ":7", "a:", "a b", "a?x=1", "a@", "a@b", "a\nb", "a:1\r\nb", "a:1 HTTP/1.1", "a:-1",
        "a:" + std::string(129, 'x'), "../containers/x", "a/../b", "a//b", "/a", "a/", "a/b:x/c",
        "host:/a", "host:5x/a", "a@sha256:0", "a@sha256:" + hex + "\r\n",
        "a@sha256:" + hex + " HTTP/1.1", "a@sha256:" + hex + "g", "a@:" + hex, "a@1:" + hex,
        "a@sha+:" + hex, "a@b@sha256:" + hex, "a:1\n@sha256:" + hex, "a\x7f", "a\xc3\xa9"};
    for (const std::string& bad : names)
        CHECK_MESSAGE(name_text(bad) == "refused", bad);
}

TEST_CASE("text is written as targets and headers want it") {
    CHECK(percent_encoded("a/b:c d") == "a%2Fb%3Ac%20d");
    CHECK(percent_encoded("\xff~") == "%FF~");
    CHECK(base64("").empty());
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("\xff\xfe\xfd") == "__79");
}

TEST_CASE("an engine's frames are put into the right stream, however they are cut") {
    Bytes stream;
    const auto put = [&](std::uint8_t which, const std::string& text) {
        const auto size = static_cast<std::uint8_t>(text.size());
        stream.insert(stream.end(), {which, 0, 0, 0, 0, 0, 0, size});
        stream.insert(stream.end(), text.begin(), text.end());
    };
    put(1, "out one\n");
    put(2, "err\n");
    put(1, "");
    put(1, "out two\n");
    Rng rng(3);
    for (int round = 0; round < 200; ++round) {
        StreamFrames frames;
        ExecOutput got;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t part = std::min<std::size_t>(1 + rng.below(9), stream.size() - at);
            frames.feed(BytesView(stream).subspan(at, part), got);
            at += part;
        }
        CHECK(std::string(got.out.begin(), got.out.end()) == "out one\nout two\n");
        CHECK(std::string(got.err.begin(), got.err.end()) == "err\n");
    }
}

}  // namespace gaggle::allocrunner
