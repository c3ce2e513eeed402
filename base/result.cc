#include "base/result.h"

namespace gaggle {

const char* to_string(Errc code) {
    switch (code) {
        case Errc::invalid: return "invalid";
        case Errc::not_found: return "not found";
        case Errc::unavailable: return "unavailable";
        case Errc::timeout: return "timeout";
        case Errc::corrupt: return "corrupt";
        case Errc::io: return "input/output";
        case Errc::denied: return "denied";
    }
    return "unknown";
}

Error within(std::string what, Error error) {
    return Error{error.code, std::move(what) + ": " + error.detail};
}

}  // namespace gaggle
