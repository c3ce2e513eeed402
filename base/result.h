// A value, or the reason why there is none.
//
// A small part of std::expected (g++ 12 has that only beyond C++20; one `using` will retire this
// file). For what the world does to us: a full disk, a malformed packet. An answer of the domain (a
// refused claim) is a value of its own type instead, and a bug of ours is an INVARIANT.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace gaggle {

/// What a caller can do about it.
enum class Errc {
    invalid,      ///< the request itself is wrong; do not repeat it
    not_found,    ///< what was named does not exist
    unavailable,  ///< try later, or elsewhere
    timeout,      ///< nobody knows whether it happened
    corrupt,      ///< stored or received bytes are damaged
    io,           ///< the machine failed: disk, socket, process
    denied,       ///< the caller has no right to it
};

constexpr Errc wire_last(Errc) { return Errc::denied; }

/// Short name of a code, as shown to people.
const char* to_string(Errc code);

struct Error {
    Errc code = Errc::invalid;
    std::string detail;  ///< what was attempted, on what, why, and what to do next
};

/// The same error with `what` in front: "join region: read invitation /x: no such file".
Error within(std::string what, Error error);

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value)
        : either_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: as std::expected
    Result(Error error) : either_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
    Result(Errc code, std::string detail) : Result(Error{code, std::move(detail)}) {}

    bool ok() const { return either_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & {
        INVARIANT(ok());
        return std::get<0>(either_);
    }
    const T& value() const& {
        INVARIANT(ok());
        return std::get<0>(either_);
    }
    T&& value() && {
        INVARIANT(ok());
        return std::get<0>(std::move(either_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() & {
        INVARIANT(!ok());
        return std::get<1>(either_);
    }
    const Error& error() const& {
        INVARIANT(!ok());
        return std::get<1>(either_);
    }
    Error&& error() && {
        INVARIANT(!ok());
        return std::get<1>(std::move(either_));
    }

  private:
    std::variant<T, Error> either_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT: as std::expected
    Result(Errc code, std::string detail) : error_(Error{code, std::move(detail)}) {}

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    void value() const { INVARIANT(ok()); }

    Error& error() & {
        INVARIANT(!ok());
        return *error_;
    }
    const Error& error() const& {
        INVARIANT(!ok());
        return *error_;
    }
    Error&& error() && {
        INVARIANT(!ok());
        return std::move(*error_);
    }

  private:
    std::optional<Error> error_;
};

}  // namespace gaggle

/// The value of a Result, or `return` of its error from the function around. A GNU statement
/// expression.
#define TRY(expression)                                               \
    ({                                                                \
        auto&& try_result_ = (expression);                            \
        if (!try_result_.ok()) return std::move(try_result_).error(); \
        std::move(try_result_).value();                               \
    })
