// What is made ready before a task starts, and when in its group's life that is.
//
// Names and meanings are Nomad's `lifecycle`, `template`, `artifact` and `dispatch_payload` blocks.
// Paths are relative to the task's directory; they and most texts are interpolated on the peer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"

namespace gaggle {

/// A task without one is a main task.
struct Lifecycle {
    enum class Hook { none, prestart, poststart, poststop };  ///< none is never valid
    friend constexpr Hook wire_last(Hook) { return Hook::poststop; }
    Hook hook = Hook::none;
    bool sidecar = false;  ///< runs as long as the main tasks, and is restarted like them
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.hook, s.sidecar);
    }
    bool operator==(const Lifecycle&) const = default;
};

/// What follows when a template's text is another one than before.
enum class ChangeMode { restart, signal, script, noop };
constexpr ChangeMode wire_last(ChangeMode) { return ChangeMode::noop; }

struct ChangeScript {
    std::string command;
    std::vector<std::string> args;
    Duration timeout = 5s;
    bool fail_on_error = false;  ///< a script that fails fails the task
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.command, s.args, s.timeout, s.fail_on_error);
    }
    bool operator==(const ChangeScript&) const = default;
};

/// Rendering waits until what it shows has been quiet for `min`, but for `max` at most.
struct TemplateWait {
    Duration min = 0s;
    Duration max = 0s;  ///< canonical: four times `min` where nothing was written
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.min, s.max);
    }
    bool operator==(const TemplateWait&) const = default;
};

struct Template {
    std::string source;  ///< a file in the allocation; either this or `data`
    std::string data;
    std::string destination;
    ChangeMode change_mode = ChangeMode::restart;
    std::string change_signal;  ///< upper case, such as "SIGHUP"
    std::optional<ChangeScript> change_script;
    Duration splay = 5s;                   ///< a change is acted upon after a random part of this
    std::string perms = "0644";            ///< octal
    std::optional<std::int64_t> uid, gid;  ///< of the file; nothing: the task's
    bool env = false;                      ///< its lines `NAME=value` go into the environment
    bool once = false;                     ///< never rendered again
    std::optional<TemplateWait> wait;
    std::string left_delimiter = "{{";
    std::string right_delimiter = "}}";
    bool error_on_missing_key = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.source, s.data, s.destination, s.change_mode, s.change_signal,
                        s.change_script, s.splay, s.perms, s.uid, s.gid, s.env, s.once, s.wait,
                        s.left_delimiter, s.right_delimiter, s.error_on_missing_key);
    }
    bool operator==(const Template&) const = default;
};

struct Artifact {
    enum class Mode { any, file, dir };
    friend constexpr Mode wire_last(Mode) { return Mode::dir; }
    std::string source;       ///< as Nomad's go-getter reads it: "https://...", "git::..."
    std::string destination;  ///< canonical: "local/", or "local/<file>" in mode file
    Mode mode = Mode::any;    ///< any: archives are unpacked
    std::map<std::string, std::string> options;  ///< checksum, archive, depth, sshkey, aws_*, ...
    std::map<std::string, std::string> headers;  ///< of the request over http
    bool chown = false;                          ///< the task's user owns what was fetched
    bool insecure = false;                       ///< take any certificate
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.source, s.destination, s.mode, s.options, s.headers, s.chown, s.insecure);
    }
    bool operator==(const Artifact&) const = default;
};

/// Where a dispatched job's payload is written: a file in the task's `local`.
struct DispatchPayload {
    std::string file;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.file);
    }
    bool operator==(const DispatchPayload&) const = default;
};

}  // namespace gaggle
