// The few things about file descriptors that ZeroMQ does not do for us.
//
// ZeroMQ tells the descriptor of an accepted connection but has no call to close one: a half-close
// of the descriptor itself does it. Since descriptors are used again after a close, every look at
// one by number compares the address at its other end with the one that was seen when it was
// accepted.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace gaggle {

/// Wakes a thread that polls `descriptor()`. Any thread may call `ring`.
class Wake {
  public:
    static Result<Wake> open();
    ~Wake();
    Wake(Wake&& other) noexcept;
    Wake& operator=(Wake&& other) noexcept;

    int descriptor() const { return descriptor_; }
    void ring() const;
    void clear() const;  ///< by the polling thread, before it looks for work

  private:
    explicit Wake(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// "10.0.0.7:41822" of a connected TCP socket; empty when it is none any more.
std::string remote_address(int descriptor);

/// What TCP has received on this connection, in bytes; 0 when it is gone.
std::uint64_t bytes_received(int descriptor);

/// Ends the connection when its other end is still `remote`. Its owner sees an end of file and
/// closes it.
void shut_connection(int descriptor, const std::string& remote);

}  // namespace gaggle
