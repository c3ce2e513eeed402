// The name of an image, taken apart and judged: it goes into addresses that the engine is asked.
//
// The grammar is that of Docker's reference package (distribution/reference, regexp.go), but for
// the case of letters, which the engine judges. So a name that passes holds neither a space nor a
// line's end nor "..". Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gaggle::allocrunner {

/// "registry.example.com:5000/a/b:1.2@sha256:..." taken apart.
struct ImageName {
    std::string repository;
    std::string tag;  ///< "latest" when neither tag nor digest is written; empty with a digest
    std::string digest;
    std::string whole() const;
};

/// Errc::invalid for a name that is none.
Result<ImageName> image_name(std::string_view text);

}  // namespace gaggle::allocrunner
