// One address over http or https, into whatever takes its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::setup {

struct S3Access {
    std::string key;
    std::string secret;
    std::string token;  ///< of a session; mostly empty
    std::string region;
};

struct Download {
    std::string url;
    std::map<std::string, std::string> headers;
    bool insecure = false;
    std::optional<S3Access> s3;  ///< sign the request (AWS signature, version 4)
    std::int64_t bytes_max = 0;
    Duration stall{};
    Duration total{};
};

using ByteSink = std::function<Result<void>(std::string_view bytes)>;
/// Bytes so far, and of how many; -1: not told.
using ProgressSink = std::function<void(std::int64_t bytes, std::int64_t of)>;

/// Follows up to ten redirects. Errc::unavailable and Errc::timeout may pass; Errc::not_found is
/// the server's 404; an error of the sink comes back as it is.
Result<void> download(const Download& what, const ByteSink& sink, const ProgressSink& progress);

}  // namespace gaggle::setup
