// A statement and the signature under it.
//
// The signature covers the statement's encoding behind its label. A decoded statement encodes to
// the same bytes again (base/wire.h has one form for each value), so it is the meaning that is
// signed, and any changed field breaks it. Statements are read with Fields::exact: a field that we
// do not know could change the meaning, so a new field comes with a new label.
#pragma once

#include "base/wire.h"
#include "crypto/identity.h"

namespace gaggle {

/// `Body` has wire_fields and `static constexpr std::string_view kLabel`, unique in the project.
template <class Body>
struct Signed {
    Body body;
    Signature signature;

    bool signed_by(const PublicKey& key) const {
        return verify(key, Body::kLabel, encode(body), signature);
    }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.body, s.signature);
    }
    bool operator==(const Signed&) const = default;
};

template <class Body>
Signed<Body> seal(Body body, const SigningKey& key) {
    const Signature signature = key.sign(Body::kLabel, encode(body));
    return {std::move(body), signature};
}

}  // namespace gaggle
