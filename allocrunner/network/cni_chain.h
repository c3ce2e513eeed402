// Runs a list of CNI plugins in the order that the specification asks for.
//
// Who runs one plugin is given from outside, so this is plain logic: adding goes from first to last
// and stops at the first failure, deleting goes from last to first and never stops.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "allocrunner/network/cni_lists.h"
#include "base/result.h"

namespace gaggle::allocrunner {

struct CniCall {
    const char* command = "ADD";  ///< ADD, CHECK or DEL
    std::string type;             ///< the plugin's program
    std::string input;
};

/// Runs one plugin; its standard output, or why it failed.
using CniRunner = std::function<Result<std::string>(const CniCall&)>;

/// The last plugin's result. After an error the caller owes a cni_delete.
Result<Value> cni_add(const CniList& list, const CniRuntime& runtime, const CniRunner& run);

/// An error: the network is not as it was made. All are asked but `portmap`, whose CHECK is not to
/// be relied upon.
Result<void> cni_check(const CniList& list, const CniRuntime& runtime, const Value& result,
                       const CniRunner& run);

/// All plugins are asked, whatever the others say; the first error is returned. `result` is that of
/// cni_add; nothing when there was none.
Result<void> cni_delete(const CniList& list, const CniRuntime& runtime,
                        const std::optional<Value>& result, const CniRunner& run);

}  // namespace gaggle::allocrunner
