// A service that a group or a task offers, and how its health is checked.
//
// Names and meanings are Nomad's `service`, `check` and `check_restart` blocks. The provider is our
// own catalogue, which Nomad's files call "nomad".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"

namespace gaggle {

using Meta = std::map<std::string, std::string>;

/// Restarts the check's task once it has failed too often in a row.
struct CheckRestart {
    std::int64_t limit = 0;        ///< failures in a row; 0: never
    Duration grace = 1s;           ///< after each start of the task, failures do not count yet
    bool ignore_warnings = false;  ///< a warning is no failure
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.limit, s.grace, s.ignore_warnings);
    }
    bool operator==(const CheckRestart&) const = default;
};

struct ServiceCheck {
    std::string name;
    std::string type = "tcp";  ///< tcp, http or script
    std::string port;          ///< label or number; empty: the service's. Not for scripts
    std::string path;          ///< http: begins with /
    std::string protocol;      ///< http: "http" or "https"; empty means http
    std::string method;        ///< http; empty means GET
    Duration interval = 10s;
    Duration timeout = 2s;
    std::string command;            ///< script: run inside `task`; exit 0 passes, 1 warns
    std::vector<std::string> args;  ///< script
    std::string task;               ///< script: canonical jobs always say which one
    std::map<std::string, std::vector<std::string>> header;  ///< http
    std::string body;                                        ///< http
    bool tls_skip_verify = false;                            ///< https: take any certificate
    std::string tls_server_name;  ///< https: whom to ask for, and whose certificate; empty: the IP
    std::string initial_status;  ///< passing, warning or critical; empty: not known yet
    std::int64_t success_before_passing = 0;    ///< so many in a row turn it to passing; 0: one
    std::int64_t failures_before_critical = 0;  ///< so many in a row turn it to critical; 0: one
    std::optional<CheckRestart> check_restart;  ///< the service's laid under it
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.type, s.port, s.path, s.protocol, s.method, s.interval, s.timeout,
                        s.command, s.args, s.task, s.header, s.body, s.tls_skip_verify,
                        s.tls_server_name, s.initial_status, s.success_before_passing,
                        s.failures_before_critical, s.check_restart);
    }
    bool operator==(const ServiceCheck&) const = default;
};

struct Service {
    std::string name;
    std::string provider = "nomad";
    std::string port;                   ///< label or number
    std::string address_mode = "auto";  ///< auto, host or alloc
    std::string address;                ///< interpolated; in place of the one the mode would find
    std::string task;                   ///< of a group's service: whose scripts and restarts
    std::vector<std::string> tags;
    std::vector<std::string> canary_tags;  ///< in place of `tags` while it is a canary
    Meta meta;
    std::vector<ServiceCheck> checks;
    std::optional<CheckRestart> check_restart;  ///< what the checks leave out of theirs
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.provider, s.port, s.address_mode, s.address, s.task, s.tags,
                        s.canary_tags, s.meta, s.checks, s.check_restart);
    }
    bool operator==(const Service&) const = default;
};

}  // namespace gaggle
