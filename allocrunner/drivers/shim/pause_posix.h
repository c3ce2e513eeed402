// The first process of an allocation's own container: it stands in the allocation's network and
// does nothing, so that an engine which joins no namespace by its path can join a container.
#pragma once

namespace gaggle::allocrunner::shim {

/// Enters the network namespace at the path, gives up every right, and waits to be killed. Returns
/// only when it cannot, having said why on standard error: the exit code.
int hold_network(const char* netns);

}  // namespace gaggle::allocrunner::shim
