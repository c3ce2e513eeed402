// Where an artifact comes from: Nomad's (go-getter's) addresses read.
//
//     https://host/app.tar.gz            git::https://host/repo.git//sub?ref=v1
//     github.com/user/repo               s3::https://s3.eu-west-1.amazonaws.com/bucket/key
//     bucket.s3.amazonaws.com/key        file:///srv/app.zip  or  /srv/app.zip
//
// `//` after the path names a part of what is fetched; options of the query (checksum, archive,
// ref, depth, sshkey, filename, region, aws_*) count like those of the job, which win. Pure.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "placement/jobspec/job_setup.h"

namespace gaggle::setup {

struct ArtifactSource {
    enum class Kind { http, git, s3, file };
    Kind kind = Kind::http;
    std::string url;   ///< for the program that fetches; of a file, its path
    std::string part;  ///< the folder behind `//`; empty: everything
    std::map<std::string, std::string> options;

    std::string option(const std::string& name) const;
    /// What a single file is called.
    std::string file_name() const;
};

/// Errc::invalid says what is not understood, Errc::denied what is not allowed anywhere.
Result<ArtifactSource> artifact_source(const Artifact& artifact);

/// How an archive is packed, by the option `archive` or the file's name; empty: no archive.
/// One of tar, zip (also with a filter around tar), gz, bz2, xz, zst (a single file).
Result<std::string> archive_kind(const ArtifactSource& source);

/// For messages: the address without user, password and query.
std::string shown_address(const std::string& url);

}  // namespace gaggle::setup
