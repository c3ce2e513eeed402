// What must be true, in release builds too.
//
// An invariant is about our own code: when it fails, going on could lose or corrupt data, so the
// process says where and stops. Bad input from outside is never an invariant; it is a Result or an
// answer.
#pragma once

namespace gaggle {

/// Logs the broken condition with its place and aborts the process. Never returns.
[[noreturn]] void invariant_failed(const char* condition, const char* file, int line);

}  // namespace gaggle

#define INVARIANT(condition)                                            \
    do {                                                                \
        if (!(condition)) [[unlikely]]                                  \
            ::gaggle::invariant_failed(#condition, __FILE__, __LINE__); \
    } while (false)
