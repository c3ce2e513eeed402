// JSON text to a free-form value and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle {

constexpr std::size_t kJsonNestingMax = 64;

/// Errc::invalid with line and column for what is not JSON (RFC 8259) or is nested deeper than
/// kJsonNestingMax. Of a key that is given twice the last one counts. Whole numbers beyond int64_t
/// become double.
Result<Value> value_from_json(std::string_view text);

enum class JsonLayout { one_line, indented };

/// Keys in order; indented by four blanks a level where people read it. Text that is not UTF-8 is
/// shown with U+FFFD in place of the bad bytes; a number that is not finite becomes null.
std::string value_to_json(const Value& value, JsonLayout layout = JsonLayout::one_line);

}  // namespace gaggle
