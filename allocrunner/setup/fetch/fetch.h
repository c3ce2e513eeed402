// One artifact from its source to its destination.
//
// What is fetched goes into a draft directory beside its destination, is checked there, and is
// moved into place at the end: a failure leaves nothing behind but the draft, which the next try
// removes.
#pragma once

#include <string>

#include "allocrunner/setup/fetch/download.h"
#include "allocrunner/setup/fetch_order.h"

namespace gaggle::setup {

/// What was fetched, for people. Blocks until it is done.
Result<std::string> fetch(const FetchOrder& order, const ProgressSink& progress);

/// Whether another try of the same may work: the network's errors and the server's, not a wrong
/// order or a refused archive.
bool may_pass(const Error& error);

}  // namespace gaggle::setup
