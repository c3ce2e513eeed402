#include <unistd.h>

#include "base/unique_fd.h"

namespace gaggle {

void UniqueFd::reset(int fd) {
    if (fd_ >= 0 && fd_ != fd) close(fd_);
    fd_ = fd;
}

}  // namespace gaggle
