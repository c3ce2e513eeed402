#include "allocrunner/setup/fetch/fetch.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "allocrunner/setup/fetch/git.h"
#include "base/rng.h"
#include "base/unique_fd.h"
#include "tests/allocrunner/setup/fetch/tar_bytes.h"
#include "tests/allocrunner/setup/http_server.h"

using namespace gaggle;
using namespace gaggle::setup;
namespace fs = std::filesystem;

namespace {

/// A task's directory, and orders that fetch into it.
class Place {
  public:
    Place() {
        std::string pattern = fs::temp_directory_path() / "gaggle-fetch-XXXXXX";
        root_ = mkdtemp(pattern.data());
        fs::create_directories(root_ / "task/local");
    }
    ~Place() { fs::remove_all(root_); }

    FetchOrder order(const std::string& source,
                     std::map<std::string, std::string> options = {}) const {
        FetchOrder out;
        out.artifact.source = source;
        out.artifact.options = std::move(options);
        out.root = root_ / "task";
        out.path = "local";
        out.draft = ".gaggle-fetch.t.0";
        out.bytes_max = 1 << 20;
        out.files_max = 100;
        out.stall = 1s;
        out.total = 20s;
        return out;
    }

    /// "done", or the error.
    std::string fetched(const FetchOrder& order) const {
        const auto out = fetch(order, [](std::int64_t, std::int64_t) {});
        return out.ok() ? "done" : out.error().detail;
    }

    std::string text(const std::string& path) const {
        std::ifstream in(root_ / path, std::ios::binary);
        std::ostringstream out;
        out << in.rdbuf();
        return out.str();
    }
    void put(const std::string& path, const std::string& text) const {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path, std::ios::binary) << text;
    }
    /// Everything that is there, sorted, without the folders of the place itself.
    std::string listing() const {
        std::vector<std::string> all;
        for (const auto& one : fs::recursive_directory_iterator(root_))
            all.push_back(one.path().lexically_relative(root_));
        std::sort(all.begin(), all.end());
        std::string out;
        for (const std::string& one : all)
            if (one != "task" && one != "task/local") out += one + " ";
        return out;
    }
    const fs::path& root() const { return root_; }

  private:
    fs::path root_;
};

std::string little_endian(std::uint64_t number, int bytes) {
    std::string out;
    for (int at = 0; at < bytes; ++at) out += static_cast<char>(number >> (8 * at) & 0xffU);
    return out;
}

/// One empty file, stored (APPNOTE.TXT 4.3).
std::string zip_of_empty_file(const std::string& name, bool says_utf8) {
    constexpr std::uint64_t kUtf8 = 0x800;
    constexpr std::uint64_t kPlainFile = 0100644ULL << 16U;
    const std::string about = little_endian(20, 2) + little_endian(says_utf8 ? kUtf8 : 0, 2) +
                              little_endian(0, 2 + 4) + little_endian(0, 3 * 4) +
                              little_endian(name.size(), 2) + little_endian(0, 2);
    const std::string local = "PK\x03\x04" + about + name;
    const std::string listed = "PK\x01\x02" + little_endian(0x0314, 2) + about +
                               little_endian(0, 2 * 3) + little_endian(kPlainFile, 4) +
                               little_endian(0, 4) + name;
    return local + listed + "PK\x05\x06" + little_endian(0, 4) + little_endian(1, 2) +
           little_endian(1, 2) + little_endian(listed.size(), 4) + little_endian(local.size(), 4) +
           little_endian(0, 2);
}

/// Serves one body under every path.
HttpServer serving(const std::string& body) {
    return HttpServer([body](const std::string&) { return HttpServer::ok(body); });
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a file over http goes under its name, executable as Nomad's drivers make it") {
    const Place place;
    const HttpServer server = serving("#!/bin/sh\n");
    CHECK(place.fetched(place.order(server.url("/bin/tool?x=1"))) == "done");
    CHECK(place.listing() == "task/local/tool ");
    CHECK(place.text("task/local/tool") == "#!/bin/sh\n");
    struct stat about {};
    REQUIRE(stat((place.root() / "task/local/tool").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0755);
}

TEST_CASE("mode file names the file, also beside others and over an older one") {
    const Place place;
    place.put("task/local/etc/app", "old");
    place.put("task/local/etc/other", "stays");
    const HttpServer server = serving("new");
    FetchOrder order = place.order(server.url("/download"));
    order.artifact.mode = Artifact::Mode::file;
    order.path = "local/etc/app";
    CHECK(place.fetched(order) == "done");
    CHECK(place.text("task/local/etc/app") == "new");
    CHECK(place.text("task/local/etc/other") == "stays");
}

TEST_CASE("headers are sent, redirects are followed up to a limit") {
    const Place place;
    const HttpServer server([](const std::string& head) {
        if (path_of(head) == "/loop") return HttpServer::status("302 Found", "Location: /loop\r\n");
        if (path_of(head) == "/a") return HttpServer::status("302 Found", "Location: /b\r\n");
        if (!has(head, "X-Token: secret")) return HttpServer::status("403 Forbidden");
        return HttpServer::ok("got it");
    });
    FetchOrder order = place.order(server.url("/a"), {{"filename", "f"}});
    CHECK(has(place.fetched(order), "the server answered 403"));
    order.artifact.headers = {{"X-Token", "secret"}};
    CHECK(place.fetched(order) == "done");
    CHECK(place.text("task/local/f") == "got it");
    order = place.order(server.url("/loop"));
    CHECK(has(place.fetched(order), "more than 10 redirects"));
    order.artifact.source = "http://127.0.0.1:1/x";
    CHECK(has(place.fetched(order), "fetch http://127.0.0.1:1/x: Failed to connect"));
}

TEST_CASE("a server that is missing, slow, short or endless is an error and leaves nothing") {
    const Place place;
    const HttpServer server([](const std::string& head) {
        if (path_of(head) == "/stall") return HttpServer::stalling();
        if (path_of(head) == "/big") return HttpServer::ok(std::string(2 << 20, 'x'));
        if (path_of(head) == "/endless")
            return "HTTP/1.1 200 OK\r\n\r\n" + std::string(2 << 20, 'x');
        if (path_of(head) == "/garbage") return std::string("not http at all\r\n\r\n");
        if (path_of(head) == "/short")
            return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        return HttpServer::status("404 Not Found");
    });
    struct Row {
        const char* path;
        const char* error;
        bool passes;
    };
    for (const Row& row : {Row{"/none", "the server answered 404", true},
                           {"/stall", "given up after 1.0s without a byte", true},
                           {"/big", "larger than 1048576 bytes", false},
                           {"/endless", "larger than 1048576 bytes", false},
                           {"/garbage", "HTTP/0.9", false},
                           {"/short", "transfer closed", true}}) {
        CAPTURE(row.path);
        const auto out =
            fetch(place.order(server.url(row.path)), [](std::int64_t, std::int64_t) {});
        REQUIRE_FALSE(out.ok());
        CAPTURE(out.error().detail);
        CHECK(has(out.error().detail, row.error));
        CHECK(may_pass(out.error()) == row.passes);
        CHECK(place.listing().empty());
    }
}

TEST_CASE("a checksum is compared before anything is unpacked") {
    const Place place;
    const HttpServer server([](const std::string& head) {
        if (path_of(head) == "/sums")
            return HttpServer::ok(
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc.txt\n");
        return HttpServer::ok("abc");
    });
    const std::string source = server.url("/abc.txt");
    for (const std::string sum :
         {"md5:900150983cd24fb0d6963f7d28e17f72", "sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
          "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
          "sha512:"
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c"
          "23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
          "900150983cd24fb0d6963f7d28e17f72"}) {
        CAPTURE(sum);
        CHECK(place.fetched(place.order(source, {{"checksum", sum}})) == "done");
    }
    CHECK(place.fetched(place.order(source, {{"checksum", "file:" + server.url("/sums")}})) ==
          "done");
    fs::remove(place.root() / "task/local/abc.txt");
    const std::string wrong =
        place.fetched(place.order(source, {{"checksum", "md5:00000000000000000000000000000000"}}));
    CHECK(has(wrong, "the checksum is wrong: md5 of what was fetched is 900150983cd24fb0"));
    CHECK(has(place.fetched(place.order(source, {{"checksum", "md5:1"}})), "is not one"));
    CHECK(place.listing().empty());
}

TEST_CASE("an archive is unpacked and joined with what is there") {
    const Place place;
    place.put("task/local/app/kept", "kept");
    place.put("task/local/app/run", "old");
    const HttpServer server =
        serving(tar_bytes({{.name = "./"},
                           {.name = "app/", .type = '5', .mode = 0755},
                           {.name = "app/run", .data = "run", .mode = 0755},
                           {.name = "app/deep/er/x", .data = "x"},
                           {.name = "app/now", .type = '2', .target = "deep/er/x"},
                           {.name = "app/same", .type = '1', .target = "app/run"}}));
    CHECK(place.fetched(place.order(server.url("/a.tar"))) == "done");
    CHECK(place.text("task/local/app/run") == "run");
    CHECK(place.text("task/local/app/kept") == "kept");
    CHECK(place.text("task/local/app/now") == "x");
    CHECK(place.text("task/local/app/same") == "run");
    CHECK(place.listing() ==
          "task/local/app task/local/app/deep task/local/app/deep/er "
          "task/local/app/deep/er/x task/local/app/kept task/local/app/now "
          "task/local/app/run task/local/app/same ");
    CHECK(place.fetched(place.order(server.url("/a.tar//app/deep"), {})) == "done");
    CHECK(place.text("task/local/er/x") == "x");
    CHECK(
        has(place.fetched(place.order(server.url("/a.tar//nowhere"))), "no directory \"nowhere\""));
    CHECK(place.fetched(place.order(server.url("/b.tar"), {{"archive", "false"}})) == "done");
    CHECK(fs::file_size(place.root() / "task/local/b.tar") > 1024);
}

TEST_CASE("what may not be in an archive is named, and nothing of it is left") {
    struct Row {
        std::vector<TarEntry> entries;
        const char* error;
    };
    const TarEntry good{.name = "good", .data = "good"};
    for (const Row& row : {
             Row{{good, {.name = "../evil", .data = "x"}}, "entry \"../evil\" has .. in its path"},
             Row{{good, {.name = "a/../../evil", .data = "x"}}, "has .. in its path"},
             Row{{good, {.name = "/tmp/evil", .data = "x"}}, "has an absolute path"},
             Row{{good, {.name = "l", .type = '2', .target = "/etc/passwd"}},
                 "link \"l\" leads out of the destination, to \"/etc/passwd\""},
             Row{{good, {.name = "d/l", .type = '2', .target = "../../x"}}, "leads out"},
             Row{{good, {.name = "l", .type = '1', .target = "../../x"}}, "has .. in its path"},
             Row{{good, {.name = "h", .type = '1', .target = "missing"}}, "which is no file here"},
             Row{{{.name = "d", .type = '2', .target = "."}, {.name = "d/x", .data = "x"}}, "d"},
             Row{{{.name = "d/", .type = '5'},
                  {.name = "d/up", .type = '2', .target = ".."},
                  {.name = "d/up/l", .type = '2', .target = "../x"}},
                 "d/up"},
             Row{{good, {.name = "null", .type = '3'}}, "is a device, a pipe or a socket"},
             Row{{good, {.name = "pipe", .type = '6'}}, "is a device, a pipe or a socket"},
             Row{{good, {.name = "su", .data = "x", .mode = 04755}}, "run with another's rights"},
         }) {
        const Place place;
        const HttpServer server = serving(tar_bytes(row.entries));
        const auto out =
            fetch(place.order(server.url("/a.tar.gz")), [](std::int64_t, std::int64_t) {});
        REQUIRE_FALSE(out.ok());
        CAPTURE(out.error().detail);
        CHECK(has(out.error().detail, row.error));
        CHECK(place.listing().empty());
    }
}

TEST_CASE("an archive is bounded in bytes and in entries, and may be damaged") {
    const Place place;
    std::vector<TarEntry> many;
    for (int i = 0; i < 200; ++i) many.push_back({.name = "f" + std::to_string(i)});
    const std::string whole = tar_bytes({{.name = "a", .data = std::string(300000, 'a')}});
    const HttpServer server([&](const std::string& head) {
        const std::string path = path_of(head);
        if (path == "/many.tar") return HttpServer::ok(tar_bytes(many));
        if (path == "/cut.tar") return HttpServer::ok(whole.substr(0, 200000));
        return HttpServer::ok("this is no archive");
    });
    CHECK(has(place.fetched(place.order(server.url("/many.tar"))), "more than 100 entries"));
    CHECK(has(place.fetched(place.order(server.url("/cut.tar"))), "unpack: "));
    CHECK(has(place.fetched(place.order(server.url("/no.zip"))), "Unrecognized archive"));
    CHECK(place.listing().empty());
    // A small archive of something large.
    REQUIRE(
        std::system(("head -c 8000000 /dev/zero | gzip > " + (place.root() / "bomb.gz").string())
                        .c_str()) == 0);
    FetchOrder bomb = place.order((place.root() / "bomb.gz").string());
    bomb.file_allowed = true;
    CHECK(has(place.fetched(bomb), "more than 1048576 bytes"));
}

TEST_CASE("any bytes are an archive or an error, and stay in their place") {
    const Place place;
    Rng rng(5);
    const std::string good = tar_bytes({{.name = "d/", .type = '5'},
                                        {.name = "d/a", .data = "abc"},
                                        {.name = "l", .type = '2', .target = "d/a"},
                                        {.name = "z", .data = "zzz"}});
    for (int round = 0; round < 300; ++round) {
        std::string bad = good;
        for (std::uint64_t left = 1 + rng.below(6); left > 0; --left)
            bad[rng.below(bad.size())] = "./\0012\xff"[rng.below(6)];
        place.put("in.tar", bad);
        FetchOrder order = place.order((place.root() / "in.tar").string());
        order.file_allowed = true;
        const auto out = fetch(order, [](std::int64_t, std::int64_t) {});
        for (const auto& one : fs::directory_iterator(place.root())) {
            const std::string name = one.path().filename();
            CHECK((name == "task" || name == "in.tar"));
        }
        CHECK_FALSE(fs::exists(place.root() / "task/local" / order.draft));
        if (!out.ok()) CHECK_FALSE(out.error().detail.empty());
    }
}

TEST_CASE("names in any encoding come out of a zip as they went in") {
    for (const bool says_utf8 : {true, false}) {
        for (const std::string name : {"gr\u00fc\u00dfe.txt", "\u65e5\u672c.txt"}) {
            CAPTURE(name);
            const HttpServer server = serving(zip_of_empty_file(name, says_utf8));
            const Place place;
            CHECK(place.fetched(place.order(server.url("/x.zip"))) == "done");
            if (says_utf8) CHECK(fs::exists(place.root() / "task/local" / name));
            CHECK(place.listing() != "");
        }
    }
}

TEST_CASE("a single packed file loses its ending") {
    const Place place;
    place.put("notes.txt", "notes");
    REQUIRE(std::system(("gzip -k " + (place.root() / "notes.txt").string()).c_str()) == 0);
    FetchOrder order = place.order((place.root() / "notes.txt.gz").string());
    CHECK(has(place.fetched(order), "--file-artifacts on"));
    order.file_allowed = true;
    CHECK(place.fetched(order) == "done");
    CHECK(place.text("task/local/notes.txt") == "notes");
    order.artifact.source = place.root().string();
    CHECK(has(place.fetched(order), "it is no plain file"));
}

TEST_CASE("a link in the destination leads nowhere outside") {
    const Place place;
    fs::create_directory(place.root() / "outside");
    fs::create_directory_symlink(place.root() / "outside", place.root() / "task/local/out");
    const HttpServer server = serving(tar_bytes({{.name = "out/x", .data = "x"}}));
    CHECK_FALSE(place.fetched(place.order(server.url("/a.tar"))) == "done");
    FetchOrder order = place.order(server.url("/a.tar"));
    order.path = "local/out";
    CHECK(has(place.fetched(order), "leads out"));
    CHECK(fs::is_empty(place.root() / "outside"));
}

TEST_CASE("a repository by git, with ref and part; git runs no address of its own") {
    const Place place;
    const std::string repo = (place.root() / "web/repo").string();
    const std::string git = "git -c user.name=t -c user.email=t@t -C " + repo + " ";
    fs::create_directories(repo);
    place.put("web/repo/conf/app.conf", "one");
    const std::string script = git + "init -q -b main && " + git + "add . && " + git +
                               "commit -q -m one && " + git + "tag v1 && echo two > " + repo +
                               "/conf/app.conf && " + git + "commit -q -a -m two && " + git +
                               "update-server-info";
    REQUIRE(std::system((script + " >/dev/null 2>&1").c_str()) == 0);
    const HttpServer server([&](const std::string& head) {
        const std::string path = path_of(head);
        const fs::path file = place.root() / "web" / path.substr(1, path.find('?') - 1);
        if (!fs::is_regular_file(file)) return HttpServer::status("404 Not Found");
        return HttpServer::ok(place.text(fs::relative(file, place.root())));
    });
    const std::string source = "git::" + server.url("/repo/.git");
    CHECK(place.fetched(place.order(source + "//conf")) == "done");
    CHECK(place.text("task/local/app.conf") == "two\n");
    CHECK(place.fetched(place.order(source + "//conf", {{"ref", "v1"}})) == "done");
    CHECK(place.text("task/local/app.conf") == "one");
    CHECK(has(place.fetched(place.order(source, {{"ref", "nope"}})), "git: "));
    FetchOrder small = place.order(source + "//conf");
    small.bytes_max = 2;
    CHECK(has(place.fetched(small), "too large"));
    small = place.order(source + "//conf");
    small.files_max = 0;
    CHECK(has(place.fetched(small), "too many entries"));
    CHECK(has(place.fetched(place.order("git::" + repo)), "git: "));  // file:// is refused
    CHECK_FALSE(fs::exists(place.root() / "task/local/.gaggle-fetch.t.0"));
}

TEST_CASE("git over ssh has the job's key or none, and nothing of the agent's user") {
    const auto settings = [](const std::string& key) {
        const std::string command = ssh_command({.key_file = key, .home = "/no/h", .stall = "7"});
        const std::unique_ptr<FILE, int (*)(FILE*)> out(
            popen((command + " -G git@example.org 2>/dev/null").c_str(), "r"), pclose);
        std::string text;
        char part[4096];
        while (const std::size_t got = fread(part, 1, sizeof part, out.get()))
            text.append(part, got);
        return "\n" + text;
    };
    for (const std::string key : {"none", "/no/h/key"}) {
        const std::string said = settings(key);
        CHECK(has(said, "\nidentityfile " + key + "\n"));
        CHECK(said.find("\nidentityfile ") == said.rfind("\nidentityfile "));  // no other one
        CHECK(has(said, "\nidentitiesonly yes\n"));
        CHECK(has(said, "\nidentityagent none\n"));
        CHECK(has(said, "\nuserknownhostsfile /no/h/known_hosts\n"));
        CHECK(has(said, "\nserveraliveinterval 7\n"));
    }
}

TEST_CASE("the end of what git says is an end, also after a signal came in between") {
    const Place place;
    const pid_t child = fork();
    if (child == 0) {
        const UniqueFd folder(open(place.root().c_str(), O_RDONLY | O_DIRECTORY));
        alarm(30);  // which ends it
        errno = EINTR;
        const auto done = clone({.url = "file:///no"}, folder.get(), "tree", place.root());
        _exit(done.ok() ? 1 : 0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("a repository of which nothing comes is given up") {
    const HttpServer silent([](const std::string&) { return HttpServer::stalling(); });
    const Place place;
    CHECK(has(place.fetched(place.order("git::" + silent.url("/repo/.git"))), "git: "));
    CHECK(silent.heads().size() == 1);
}

TEST_CASE("s3: signed with keys, plain without") {
    const Place place;
    const HttpServer server = serving("object");
    const std::string source = "s3::" + server.url("/bucket/key.txt");
    CHECK(place.fetched(place.order(source)) == "done");
    CHECK(place.text("task/local/key.txt") == "object");
    CHECK(place.fetched(place.order(source, {{"aws_access_key_id", "AKID"},
                                             {"aws_access_key_secret", "SECRET"},
                                             {"aws_access_token", "TOKEN"},
                                             {"region", "eu-west-1"}})) == "done");
    REQUIRE(server.heads().size() == 2);
    CHECK_FALSE(has(server.heads()[0], "Authorization"));
    const std::string& signed_head = server.heads()[1];
    CAPTURE(signed_head);
    CHECK(has(signed_head, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/"));
    CHECK(has(signed_head, "/eu-west-1/s3/aws4_request"));
    CHECK(has(signed_head, "x-amz-content-sha256"));
    CHECK(has(signed_head, "x-amz-security-token"));
    CHECK_FALSE(has(signed_head, "SECRET"));
}
