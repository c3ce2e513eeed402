// A file that only its owner may read, and that is either whole or an error.
//
// Layout: the line "gaggle KIND 1\n", the checksum64 of what follows (8 bytes, big end first), the
// encoded struct. Written beside, made durable, then renamed, so that a crash leaves the old file
// or the new one. Read back only when its mode keeps everybody else out: a secret that others could
// read is no longer one, and the operator must know.
#pragma once

#include <string>

#include "base/wire.h"

namespace gaggle {

/// Creates or replaces `path` with mode 0600, durable on return.
Result<void> write_secret_file(const std::string& path, BytesView bytes);
/// `not_found`, `denied` when group or others have any right to it, `io`; `corrupt` above 64 KiB.
Result<Bytes> read_secret_file(const std::string& path);

Bytes seal_secret(std::string_view kind, BytesView payload);
/// The payload; `corrupt` when it is another kind, cut or garbled. `path` is for the message.
Result<Bytes> open_secret(const std::string& path, std::string_view kind, BytesView file);

template <class T>
Result<void> save_secret(const std::string& path, std::string_view kind, const T& value) {
    return write_secret_file(path, seal_secret(kind, encode(value)));
}

template <class T>
Result<T> load_secret(const std::string& path, std::string_view kind) {
    const Bytes file = TRY(read_secret_file(path));
    const Bytes payload = TRY(open_secret(path, kind, file));
    auto value = decode<T>(payload, kind, Limits{.fields = Fields::exact});
    if (!value.ok()) return within("read " + path, value.error());
    return value;
}

}  // namespace gaggle
