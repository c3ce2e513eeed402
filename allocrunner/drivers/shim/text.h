// A short text on the stack, for a program that has no standard library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaggle::allocrunner::shim {

inline constexpr std::size_t kPathMax = 4096;

class Text {
  public:
    template <std::size_t N>
    explicit Text(char (&room)[N]) : next_(room), last_(room + N - 1) {
        *next_ = '\0';
    }

    Text& add(const char* text) {
        while (*text != '\0' && next_ < last_) *next_++ = *text++;
        *next_ = '\0';
        full_ = full_ || *text != '\0';
        return *this;
    }
    Text& add(std::uint64_t number) {
        char digits[24];
        char* first = digits + sizeof digits - 1;
        *first = '\0';
        do *--first = static_cast<char>('0' + number % 10);
        while ((number /= 10) > 0);
        return add(first);
    }
    Text& add_signed(std::int64_t number) {
        if (number >= 0) return add(static_cast<std::uint64_t>(number));
        return add("-").add(static_cast<std::uint64_t>(-number));
    }
    /// False when something was cut off.
    bool fits() const { return !full_; }

  private:
    char* next_;
    char* last_;
    bool full_ = false;
};

}  // namespace gaggle::allocrunner::shim
