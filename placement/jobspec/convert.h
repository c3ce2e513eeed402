// From one kind of value to another, as HCL and Nomad do it.
//
// "500" is a number where a number is wanted and 5 is "5" where a text is. A duration is text in
// Go's syntax ("1h30m", "2.5s") or a bare number of nanoseconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "placement/jobspec/value.h"

namespace gaggle {

/// "a string", "a list", ... for messages.
const char* kind_of(const Value& value);

/// Texts, numbers and booleans; nothing for the rest.
std::optional<std::string> as_text(const Value& value);
/// Numbers, and texts that are numbers: int64_t when the value is whole and fits, else double.
std::optional<Value> as_number(const Value& value);
/// Whole numbers only, and what as_number makes one of.
std::optional<std::int64_t> as_whole(const Value& value);
/// Booleans, and the texts "true", "false", "1" and "0".
std::optional<bool> as_bool(const Value& value);
/// Errc::invalid says what is wrong with it, not where. Below a microsecond is cut off.
Result<Duration> as_duration(const Value& value);

/// The whole numbers that a double holds exactly become int64_t; everything else stays.
Value normalized(double number);
std::string number_text(double number);

/// Bytes that a value takes, roughly; what limits on evaluation count.
std::size_t weight_of(const Value& value);

}  // namespace gaggle
