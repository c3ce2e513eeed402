// Proof, before anything else runs, that the door is shut.
//
// libzmq lets everybody in when its ZAP handler is missing or not asked, and says nothing. So each
// start tries: a key made up on the spot must be refused at the port, and our own let in.
#pragma once

#include "crypto/zmq_handle.h"

namespace gaggle {

/// `denied` when a stranger was let in or our own key was not; `timeout` when the port did not
/// decide. `bind_host` may be a wildcard address. The port's owner must be serving it from another
/// thread.
Result<void> test_door(const std::string& bind_host, int port, const CurveKeyPair& own);

}  // namespace gaggle
