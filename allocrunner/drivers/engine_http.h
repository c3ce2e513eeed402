// Requests to a container engine over its Unix socket: Docker's Engine API, which Podman speaks
// too.
//
// Each call is a connection of its own and ends in time: an engine that hangs costs its timeout and
// nothing else. Blocks; may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "placement/jobspec/value.h"

namespace gaggle::allocrunner {

struct EngineCall {
    std::string method = "GET";
    std::string target;                          ///< "/containers/json?all=1"
    std::map<std::string, std::string> headers;  ///< in addition
    Value body;                                  ///< an object, sent as JSON; anything else: none
    std::string file;                            ///< its bytes are the body instead; or empty
    std::string archive;                         ///< a tar file, the body instead; or empty
    Duration patience = 20s;                     ///< for each step: a connect, a part of an answer
    /// Gets the body part by part instead of the answer.
    std::function<void(std::string_view)> parts;
    /// Asked ten times a second; once it says yes the connection is closed: Errc::unavailable.
    std::function<bool()> cancelled;
};

struct EngineAnswer {
    int status = 0;
    std::string body;  ///< at most 16 MiB
    bool ok() const { return status >= 200 && status < 300; }
    bool missing() const { return status == 404; }
    /// The body as JSON; an empty value when it is none.
    Value json() const;
    /// What the engine says of itself: {"message": ...}.
    std::string message() const;
};

/// Errc::unavailable when nobody listens, Errc::timeout when it does not answer in time,
/// Errc::invalid for a target with a byte outside of 0x21..0x7e: nothing is sent then.
Result<EngineAnswer> call_engine(const std::string& socket, const EngineCall& call);

/// For what stands in a target: all but letters, digits and `-_.~` as %XX.
std::string percent_encoded(std::string_view text);

/// RFC 4648, section 5 (safe in a URL), with padding: what X-Registry-Auth is written in.
std::string base64(std::string_view bytes);

}  // namespace gaggle::allocrunner
