// Addresses, checksums and archive names of artifacts.
#include "allocrunner/setup/artifact_source.h"

#include <doctest/doctest.h>

#include "allocrunner/setup/checksum.h"
#include "allocrunner/setup/fetch_order.h"

using namespace gaggle;
using namespace gaggle::setup;

namespace {

Artifact artifact(const std::string& source, std::map<std::string, std::string> options = {}) {
    Artifact out;
    out.source = source;
    out.options = std::move(options);
    return out;
}

}  // namespace

TEST_CASE("sources are read as go-getter reads them") {
    using Kind = ArtifactSource::Kind;
    struct Row {
        const char* source;
        Kind kind;
        const char* url;
        const char* part;
    };
    for (const Row& row :
         {Row{"https://h/a.zip", Kind::http, "https://h/a.zip", ""},
          {"http://h:80/a?x=1&archive=false&y=2", Kind::http, "http://h:80/a?x=1&y=2", ""},
          {"https://h/a.tar.gz//sub/dir?checksum=md5:1", Kind::http, "https://h/a.tar.gz",
           "sub/dir"},
          {"git::https://h/r.git//part?ref=v1&depth=1", Kind::git, "https://h/r.git", "part"},
          {"git@github.com:user/repo.git", Kind::git, "git@github.com:user/repo.git", ""},
          {"git::ssh://git@h/r.git", Kind::git, "ssh://git@h/r.git", ""},
          {"github.com/user/repo", Kind::git, "https://github.com/user/repo", ""},
          {"s3::http://127.0.0.1:9000/bucket/key?region=x", Kind::s3,
           "http://127.0.0.1:9000/bucket/key", ""},
          {"bucket.s3.amazonaws.com/key", Kind::s3, "https://bucket.s3.amazonaws.com/key", ""},
          {"/srv/a.zip", Kind::file, "/srv/a.zip", ""},
          {"file:///srv/a.zip//in", Kind::file, "/srv/a.zip", "in"},
          {"file::/srv/a.zip", Kind::file, "/srv/a.zip", ""}}) {
        CAPTURE(row.source);
        const auto out = artifact_source(artifact(row.source));
        REQUIRE(out.ok());
        CHECK(out->kind == row.kind);
        CHECK(out->url == row.url);
        CHECK(out->part == row.part);
    }
    const auto both = artifact_source(artifact("git::https://h/r?ref=a&depth=2", {{"ref", "b"}}));
    REQUIRE(both.ok());
    CHECK(both->option("ref") == "b");
    CHECK(both->option("depth") == "2");
}

TEST_CASE("sources that are not understood, or never allowed, say so") {
    for (const char* source : {"", "ftp://h/a", "hg::https://h/r", "just words", "relative/path",
                               "https://h/a b", "git::ext::sh -c id", "git::--upload-pack=x",
                               "https://h/a.zip//../../x", "git::ext::sh"}) {
        CAPTURE(source);
        CHECK_FALSE(artifact_source(artifact(source)).ok());
    }
}

TEST_CASE("the name of a file, and what kind of archive it is") {
    struct Row {
        const char* source;
        const char* archive;
        const char* name;
        const char* kind;
    };
    for (const Row& row : {Row{"https://h/x/app.tar.gz?a=b", "", "app.tar.gz", "tar"},
                           {"https://h/app.TGZ", "", "app.TGZ", "tar"},
                           {"https://h/app.zip", "false", "app.zip", ""},
                           {"https://h/app", "zip", "app", "zip"},
                           {"https://h/app.xz", "", "app.xz", "xz"},
                           {"https://h/", "", "artifact", ""},
                           {"https://h", "", "artifact", ""},
                           {"https://h/%2e%2e%2fpasswd", "", "artifact", ""},
                           {"https://h/a%20b", "", "a b", ""}}) {
        CAPTURE(row.source);
        auto options = std::map<std::string, std::string>{};
        if (*row.archive != '\0') options["archive"] = row.archive;
        const auto out = artifact_source(artifact(row.source, options));
        REQUIRE(out.ok());
        CHECK(out->file_name() == row.name);
        CHECK(*archive_kind(*out) == row.kind);
    }
    CHECK_FALSE(archive_kind(*artifact_source(artifact("https://h/a", {{"archive", "rar"}}))).ok());
}

TEST_CASE("addresses are shown without what is secret in them") {
    CHECK(shown_address("https://me:pw@h/a?key=1") == "https://h/a");
    CHECK(shown_address("git@h:a") == "git@h:a");
    CHECK(shown_address("https://h/@x") == "https://h/@x");
}

TEST_CASE("checksums by name, by length, in a list") {
    const std::string sha1(40, 'a');
    CHECK(*parse_checksum("sha1:" + sha1) == Checksum{Checksum::Kind::sha1, sha1});
    CHECK(*parse_checksum(std::string(32, 'B')) ==
          Checksum{Checksum::Kind::md5, std::string(32, 'b')});
    for (const std::string& text :
         {std::string("md5:" + sha1), std::string("crc:1"), std::string(), std::string(64, 'x')}) {
        CAPTURE(text);
        CHECK_FALSE(parse_checksum(text).ok());
    }
    const std::string list = "junk\n" + std::string(64, '1') + "  other\n" + std::string(64, '2') +
                             " *./app.zip\nSHA1 (old.zip) = " + sha1 + "\n";
    CHECK(checksum_in_list(list, "app.zip")->hex == std::string(64, '2'));
    CHECK(*checksum_in_list(list, "old.zip") == Checksum{Checksum::Kind::sha1, sha1});
    CHECK(checksum_in_list(list, "none").error().code == Errc::not_found);
}

TEST_CASE("lines of gctl-fetch") {
    CHECK(fetch_line("progress 5 -1")->bytes == 5);
    CHECK(fetch_line("progress 5 10")->of == 10);
    CHECK(fetch_line("done all of it")->text == "all of it");
    CHECK(fetch_line("failed 1 no way")->may_pass);
    CHECK_FALSE(fetch_line("failed 0 no way")->may_pass);
    for (const char* line : {"", "done?", "progress x 1", "progress 1", "failed 2 x", "failed"}) {
        CAPTURE(line);
        CHECK_FALSE(fetch_line(line).has_value());
    }
}
