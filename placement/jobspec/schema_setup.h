// The description of what is made ready before a task starts. See schema.h.
#pragma once

#include "placement/jobspec/schema.h"

namespace gaggle::schema {

constexpr Names kHooks{"", "prestart", "poststart", "poststop"};
constexpr Names kChangeModes{"restart", "signal", "script", "noop"};
constexpr Names kArtifactModes{"any", "file", "dir"};
constexpr Names kPayloads{"optional", "required", "forbidden"};

template <class A, One<Lifecycle> C>
void describe(A& a, C& c) {
    a.choice("hook", "Hook", c.hook, kHooks);
    a.attribute("sidecar", "Sidecar", c.sidecar);
}

template <class A, One<Artifact> C>
void describe(A& a, C& c) {
    a.attribute("source", "GetterSource", c.source);
    a.attribute("destination", "RelativeDest", c.destination);
    a.choice("mode", "GetterMode", c.mode, kArtifactModes);
    a.pairs("options", "GetterOptions", c.options);
    a.pairs("headers", "GetterHeaders", c.headers);
    a.attribute("chown", "Chown", c.chown);
    a.attribute("insecure", "GetterInsecure", c.insecure);
}

template <class A, One<ChangeScript> C>
void describe(A& a, C& c) {
    a.attribute("command", "Command", c.command);
    a.attribute("args", "Args", c.args);
    a.attribute("timeout", "Timeout", c.timeout);
    a.attribute("fail_on_error", "FailOnError", c.fail_on_error);
}

template <class A, One<TemplateWait> C>
void describe(A& a, C& c) {
    a.attribute("min", "Min", c.min);
    a.attribute("max", "Max", c.max);
}

template <class A, One<Template> C>
void describe(A& a, C& c) {
    a.attribute("source", "SourcePath", c.source);
    a.attribute("destination", "DestPath", c.destination);
    a.attribute("data", "EmbeddedTmpl", c.data);
    a.choice("change_mode", "ChangeMode", c.change_mode, kChangeModes);
    a.attribute("change_signal", "ChangeSignal", c.change_signal);
    a.block("change_script", "ChangeScript", c.change_script);
    a.attribute("splay", "Splay", c.splay);
    a.attribute("perms", "Perms", c.perms);
    a.attribute("uid", "Uid", c.uid);
    a.attribute("gid", "Gid", c.gid);
    a.attribute("left_delimiter", "LeftDelim", c.left_delimiter);
    a.attribute("right_delimiter", "RightDelim", c.right_delimiter);
    a.attribute("env", "Envvars", c.env);
    a.attribute("once", "Once", c.once);
    a.block("wait", "Wait", c.wait);
    a.attribute("error_on_missing_key", "ErrMissingKey", c.error_on_missing_key);
    a.ignored("vault_grace", "VaultGrace", kNoNumber);
}

template <class A, One<DispatchPayload> C>
void describe(A& a, C& c) {
    a.attribute("file", "File", c.file);
}

template <class A, One<Parameterized> C>
void describe(A& a, C& c) {
    a.choice("payload", "Payload", c.payload, kPayloads);
    a.attribute("meta_required", "MetaRequired", c.meta_required);
    a.attribute("meta_optional", "MetaOptional", c.meta_optional);
}

}  // namespace gaggle::schema
