// What a CNI plugin answers: a result, or an error in words.
#pragma once

#include <string>
#include <string_view>

#include "allocrunner/network/alloc_network.h"
#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle::allocrunner {

/// The interface and address that an allocation is reached at: those of the first address that
/// belongs to an interface inside the namespace, as Nomad chooses; else the first address. Reads
/// results of 0.3.0 up to 1.0.0 and the older `ip4`. Errc::corrupt: it is no result.
Result<NetworkStatus> status_of_result(const Value& result);

/// What a plugin that failed says: its error object on standard output, else the end of standard
/// error, else nothing.
std::string cni_complaint(std::string_view out, std::string_view err);

}  // namespace gaggle::allocrunner
