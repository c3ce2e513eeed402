// A file descriptor with one owner, closed at the owner's end.
#pragma once

#include <utility>

namespace gaggle {

class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    ~UniqueFd() { reset(); }
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;

    /// -1 when it owns none. Valid as long as the owner.
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    /// Closes what it owns and takes `fd`.
    void reset(int fd = -1);
    /// The caller owns it from here on.
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

}  // namespace gaggle
