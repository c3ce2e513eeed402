#include "gossip/records.h"

#include <string>

#include "base/wire.h"

namespace gaggle::gossip {

namespace {

/// A signature for one purpose must not pass for another's: the purpose is part of what is signed.
template <class Record>
Bytes unsigned_with_purpose(const char* purpose, Record record) {
    record.signature.clear();
    return encode(std::pair<std::string, Record>{purpose, std::move(record)});
}

}  // namespace

Bytes signed_part(const Announcement& announcement) {
    return unsigned_with_purpose("gaggle announcement 1", announcement);
}

Bytes signed_part(const Accusation& accusation) {
    return unsigned_with_purpose("gaggle accusation 1", accusation);
}

}  // namespace gaggle::gossip
